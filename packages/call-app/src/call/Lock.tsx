/**
 * The one lock, always at the same place: closed for exactly these people, turning while keys change, open with a reason.
 * The code stands in the page for screen readers (and tests) whatever is open.
 */
import type { Encryption } from '@veilcast/client';
import { cx, Tip } from '@veilcast/design';
import { LoaderCircle, Lock as Closed, LockOpen } from 'lucide-react';
import { memo, type ReactElement } from 'react';
import { Button, TooltipTrigger } from 'react-aria-components';
import { t } from '../words/words.ts';
import type { Commands } from './commands.ts';
import styles from './Lock.module.css';

const ICONS = { encrypted: Closed, waiting: LoaderCircle, failed: LockOpen } as const;

export function lockWords(encryption: Encryption): string {
  if (encryption.state === 'encrypted') return t('lock.encrypted', { count: encryption.members.length });
  return t(encryption.state === 'failed' ? 'lock.failed' : 'lock.waiting');
}

/** Six groups of five, whatever way the digits came. */
export function codeGroups(code: string): string[] {
  return code.replaceAll(/\D/g, '').match(/\d{1,5}/g) ?? [];
}

interface LockProps {
  readonly encryption: Encryption;
  readonly open: boolean;
  readonly commands: Commands;
}

export const Lock = memo(function Lock({ encryption, open, commands }: LockProps): ReactElement {
  const Icon = ICONS[encryption.state];
  const words = lockWords(encryption);
  return (
    <div className={styles.lock} data-testid="e2ee" data-state={encryption.state} data-epoch={encryption.epoch}>
      <TooltipTrigger delay={500}>
        <Button
          className={cx(styles.button, styles[encryption.state])}
          aria-label={words}
          aria-expanded={open}
          onPress={() => commands.toggle('encryption')}
        >
          <Icon
            size={20}
            strokeWidth={1.75}
            aria-hidden
            className={cx(encryption.state === 'waiting' && styles.turning)}
          />
          <span className={styles.words} aria-hidden>
            {encryption.state === 'encrypted' ? t('lock.short') : words}
          </span>
        </Button>
        <Tip label={words} shortcut="E" />
      </TooltipTrigger>
      <span className="visually-hidden">
        {t('encryption.code')} <span data-testid="code">{codeGroups(encryption.code).join(' ')}</span>
      </span>
    </div>
  );
});
