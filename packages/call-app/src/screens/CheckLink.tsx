/** The way to the check; in a tab of its own, so that whoever is about to join stays about to. */
import type { ReactElement } from 'react';
import { t } from '../words/words.ts';
import styles from './CheckLink.module.css';

export function CheckLink(): ReactElement {
  return (
    <a className={styles.link} href="/check" target="_blank" rel="noopener" data-testid="check">
      {t('check.link')}
    </a>
  );
}
