/** Who can read, since when, with which code to compare, what became of the keys, and what servers see all the same. */
import type { CallSnapshot, GroupWarning } from '@veilcast/client';
import { Act } from '@veilcast/design';
import type { PeerId } from '@veilcast/protocol';
import { ChevronRight, Fingerprint, TriangleAlert } from 'lucide-react';
import type { ReactElement } from 'react';
import { Button } from 'react-aria-components';
import { cx } from '@veilcast/design';
import { t } from '../../words/words.ts';
import { lockWords } from '../Lock.tsx';
import { Panel } from '../panels/Panel.tsx';
import { GroupCode } from './GroupCode.tsx';
import { Mark } from './Mark.tsx';
import { Timeline } from './Timeline.tsx';
import { timelineOf, warningWords, type Names } from './timeline.ts';
import styles from './Trust.module.css';

/** Warnings that stand at the top. Older ones are in the timeline. */
const WARNINGS_SHOWN = 2;

interface EncryptionPanelProps {
  readonly snapshot: CallSnapshot;
  readonly since: number | undefined;
  readonly names: Names;
  readonly onPerson: (peerId: PeerId) => void;
  readonly onIdentity: () => void;
  readonly onClose: () => void;
}

export function EncryptionPanel(props: EncryptionPanelProps): ReactElement {
  const { snapshot, since, names, onPerson, onIdentity, onClose } = props;
  const { encryption } = snapshot;
  return (
    <Panel title={t('encryption.title')} onClose={onClose}>
      <p className={styles.state}>{lockWords(encryption)}</p>
      <p>{t(`encryption.${encryption.state}`)}</p>
      {encryption.warnings.slice(-WARNINGS_SHOWN).map((warning) => (
        <Warning key={`${warning.kind} ${warning.at}`} warning={warning} names={names} />
      ))}
      {encryption.code !== '' && <GroupCode encryption={encryption} />}
      <Members snapshot={snapshot} onPerson={onPerson} />
      <Act onPress={onIdentity} testId="identity" wide>
        <Fingerprint size={20} strokeWidth={1.75} aria-hidden />
        {t('identity.title')}
      </Act>
      <h3 className={styles.heading}>{t('timeline.title')}</h3>
      <Timeline lines={timelineOf(snapshot, names)} />
      <h3 className={styles.heading}>{t('encryption.seen')}</h3>
      <p className={styles.quiet}>{t('encryption.seenList')}</p>
      <p className={styles.quiet} data-testid="way" data-way={snapshot.direct ? 'direct' : 'server'}>
        {t(snapshot.direct ? 'encryption.direct' : 'encryption.byServer')}
      </p>
      <Facts snapshot={snapshot} since={since} />
    </Panel>
  );
}

function Warning({ warning, names }: { readonly warning: GroupWarning; readonly names: Names }): ReactElement {
  return (
    <p className={styles.warning}>
      <TriangleAlert size={20} strokeWidth={1.75} aria-hidden />
      <bdi>{warningWords(warning, names)}</bdi>
    </p>
  );
}

function Members({
  snapshot,
  onPerson,
}: Pick<EncryptionPanelProps, 'snapshot' | 'onPerson'>): ReactElement | undefined {
  const { encryption, people, self } = snapshot;
  if (encryption.members.length === 0) return undefined;
  return (
    <>
      <h3 className={styles.heading}>{t('encryption.who')}</h3>
      <ul className={styles.members}>
        {encryption.members.map((member) => {
          const person = people.find(({ peerId }) => peerId === member);
          if (member === self.peerId) {
            return (
              <li key={member} className={styles.self}>
                <bdi>{t('stage.youNamed', { name: self.name || t('stage.you') })}</bdi>
              </li>
            );
          }
          const name = person?.name || t('encryption.newcomer');
          return (
            <li key={member}>
              <Button className={cx(styles.member)} isDisabled={!person?.identity} onPress={() => onPerson(member)}>
                <bdi className={styles.memberName}>{name}</bdi>
                <Mark identity={person?.identity} />
                <ChevronRight size={20} strokeWidth={1.75} aria-hidden />
              </Button>
            </li>
          );
        })}
      </ul>
    </>
  );
}

function Facts({ snapshot, since }: Pick<EncryptionPanelProps, 'snapshot' | 'since'>): ReactElement {
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
