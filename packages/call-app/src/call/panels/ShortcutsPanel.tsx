/** Every key that does something. */
import type { ReactElement } from 'react';
import { t } from '../../words/words.ts';
import { SHORTCUTS } from '../commands.ts';
import { Panel } from './Panel.tsx';
import styles from './ShortcutsPanel.module.css';

export function ShortcutsPanel({ onClose }: { readonly onClose: () => void }): ReactElement {
  return (
    <Panel title={t('shortcuts.title')} onClose={onClose}>
      <dl className={styles.list}>
        {SHORTCUTS.map(({ key, name }) => (
          <div key={key}>
            <dt>{t(`shortcuts.${name}`)}</dt>
            <dd>
              <kbd>{key === 'Escape' ? 'Esc' : key.toUpperCase()}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}
