/** Nobody else is here: how to change that. */
import { Act, copyText } from '@veilcast/design';
import { Check, Link } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { t } from '../words/words.ts';
import styles from './Alone.module.css';

/** The room's link, without what was meant for this person alone. */
export function roomLink(room: string): string {
  return `${location.origin}/r/${room}`;
}

export function CopyLink({ room }: { readonly room: string }): ReactElement {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    if (!(await copyText(roomLink(room)))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  const Icon = copied ? Check : Link;
  return (
    <Act kind="primary" onPress={() => void copy()}>
      <Icon size={20} strokeWidth={1.75} aria-hidden />
      <span aria-live="polite">{t(copied ? 'link.copied' : 'link.copy')}</span>
    </Act>
  );
}

export function Alone({ room }: { readonly room: string }): ReactElement {
  return (
    <div className={styles.alone}>
      <div className={styles.card}>
        <div>
          <p className={styles.title}>{t('stage.alone')}</p>
          <p className={styles.hint}>{t('stage.aloneHint')}</p>
        </div>
        <CopyLink room={room} />
      </div>
    </div>
  );
}
