import type { ReactElement } from 'react';
import { t } from '../../words/words.ts';
import { IdentityCard } from '../trust/IdentityCard.tsx';
import { Panel } from './Panel.tsx';

export function IdentityPanel({ onClose }: { readonly onClose: () => void }): ReactElement {
  return (
    <Panel title={t('identity.title')} onClose={onClose}>
      <IdentityCard />
    </Panel>
  );
}
