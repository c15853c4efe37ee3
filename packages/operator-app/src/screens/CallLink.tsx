/** The link that fills an empty cluster, to open or to copy. */
import { Act, copyText } from '@veilcast/design';
import { Check, Copy } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { words } from '../words.ts';
import styles from './CallLink.module.css';

export function CallLink(): ReactElement {
  const [copied, setCopied] = useState(false);
  const link = `${location.origin}/r/demo`;
  const copy = async (): Promise<void> => {
    setCopied(await copyText(link));
    setTimeout(() => setCopied(false), 2_000);
  };
  const Icon = copied ? Check : Copy;
  return (
    <div className={styles.row}>
      <a className={styles.link} href={link} target="_blank" rel="noreferrer">
        {link}
      </a>
      <Act onPress={() => void copy()}>
        <Icon size={20} strokeWidth={1.75} aria-hidden />
        <span aria-live="polite">{copied ? words.table.copied : words.empty.copyLink}</span>
      </Act>
    </div>
  );
}
