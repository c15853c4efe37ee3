/** Whether a person was compared with: a sign and a word, never a colour alone. */
import type { PersonIdentity } from '@veilcast/client';
import { cx } from '@veilcast/design';
import { ShieldAlert, ShieldCheck } from 'lucide-react';
import type { ReactElement } from 'react';
import { t } from '../../words/words.ts';
import styles from './Mark.module.css';

export function Mark({ identity }: { readonly identity: PersonIdentity | undefined }): ReactElement | undefined {
  if (!identity || identity.verified === 'no') return undefined;
  const changed = identity.verified === 'changed';
  const Icon = changed ? ShieldAlert : ShieldCheck;
  return (
    <span className={cx(styles.mark, changed ? styles.changed : styles.verified)} data-verified={identity.verified}>
      <Icon size={16} strokeWidth={1.75} aria-hidden />
      {t(changed ? 'verify.changedShort' : 'verify.verified')}
    </span>
  );
}
