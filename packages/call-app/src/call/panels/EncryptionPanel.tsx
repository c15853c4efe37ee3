/** Who can read, since when, with which code to compare, and what servers see all the same. In plain words. */
import type { CallSnapshot } from '@veilcast/client';
import { Act, copyText } from '@veilcast/design';
import { Check, Copy } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { t } from '../../words/words.ts';
import { codeGroups, lockWords } from '../Lock.tsx';
import styles from './EncryptionPanel.module.css';
import { Panel } from './Panel.tsx';

interface EncryptionPanelProps {
  readonly snapshot: CallSnapshot;
  /** When the present Epoch began here. */
  readonly since: number | undefined;
  readonly onClose: () => void;
}

export function EncryptionPanel({ snapshot, since, onClose }: EncryptionPanelProps): ReactElement {
  const { encryption } = snapshot;
  return (
    <Panel title={t('encryption.title')} onClose={onClose}>
      <p className={styles.state}>{lockWords(encryption)}</p>
      <p>{t(`encryption.${encryption.state}`)}</p>
      {encryption.code !== '' && <Code code={encryption.code} />}
      <Members snapshot={snapshot} />
      <h3 className={styles.heading}>{t('encryption.seen')}</h3>
      <p className={styles.quiet}>{t('encryption.seenList')}</p>
      <Facts snapshot={snapshot} since={since} />
    </Panel>
  );
}

function Code({ code }: { readonly code: string }): ReactElement {
  const [copied, setCopied] = useState(false);
  const groups = codeGroups(code);
  const copy = async (): Promise<void> => {
    if (!(await copyText(groups.join(' ')))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  const Icon = copied ? Check : Copy;
  return (
    <div className={styles.card}>
      <h3 className={styles.label}>{t('encryption.code')}</h3>
      <p className={styles.code}>
        {groups.map((group, place) => (
          <span key={`${place} ${group}`}>{group}</span>
        ))}
      </p>
      <p className={styles.quiet}>{t('encryption.codeHint')}</p>
      <Act onPress={() => void copy()} wide>
        <Icon size={20} strokeWidth={1.75} aria-hidden />
        <span aria-live="polite">{t(copied ? 'link.copied' : 'encryption.copyCode')}</span>
      </Act>
    </div>
  );
}

function Members({ snapshot }: { readonly snapshot: CallSnapshot }): ReactElement | undefined {
  const { encryption, people, self } = snapshot;
  if (encryption.members.length === 0) return undefined;
  const names = new Map(people.map(({ peerId, name }) => [String(peerId), name]));
  return (
    <>
      <h3 className={styles.heading}>{t('encryption.who')}</h3>
      <ul className={styles.members}>
        {encryption.members.map((member) => (
          <li key={member}>
            <bdi>
              {member === self.peerId
                ? t('stage.youNamed', { name: self.name || t('stage.you') })
                : names.get(member) || t('encryption.newcomer')}
            </bdi>
          </li>
        ))}
      </ul>
    </>
  );
}

function Facts({ snapshot, since }: Omit<EncryptionPanelProps, 'onClose'>): ReactElement {
  const { encryption } = snapshot;
  const refused = Object.values(encryption.failures).reduce((sum, count) => sum + count, 0);
  const facts: readonly (readonly [string, string])[] = [
    ...(since === undefined ? [] : [[t('encryption.since'), new Date(since).toLocaleTimeString()] as const]),
    [t('encryption.epoch'), String(encryption.epoch)],
    ...(encryption.suite === '' ? [] : [[t('encryption.suite'), encryption.suite.replaceAll('_', ' ')] as const]),
    [t('encryption.sealed'), encryption.framesSealed.toLocaleString()],
    [t('encryption.opened'), encryption.framesOpened.toLocaleString()],
    [t('encryption.failures'), refused.toLocaleString()],
  ];
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
