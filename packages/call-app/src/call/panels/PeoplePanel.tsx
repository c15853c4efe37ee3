/** Who is here and in which role; for hosts also who waits at the door, who has to go, and whether the door is locked. */
import type { Call, CallSnapshot, PersonIdentity } from '@veilcast/client';
import type { PeerId, Role } from '@veilcast/protocol';
import { Act, IconAct } from '@veilcast/design';
import { Hand, Mic, MicOff, ShieldQuestionMark, UserX } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { hue, initials } from '../../look/identity.ts';
import type { Visit } from '../../visit/visit.ts';
import { t } from '../../words/words.ts';
import { CopyLink } from '../Alone.tsx';
import { SwitchRow } from '../SwitchRow.tsx';
import { Mark } from '../trust/Mark.tsx';
import { Panel } from './Panel.tsx';
import styles from './PeoplePanel.module.css';

interface PeoplePanelProps {
  readonly visit: Visit;
  readonly call: Call;
  readonly snapshot: CallSnapshot;
  readonly micOn: boolean;
  readonly onPerson: (peerId: PeerId) => void;
  readonly onClose: () => void;
}

export function PeoplePanel({ visit, call, snapshot, micOn, onPerson, onClose }: PeoplePanelProps): ReactElement {
  const { self, people, locked } = snapshot;
  const host = self.role === 'host';
  return (
    <Panel title={t('people.title')} onClose={onClose} foot={<Foot room={snapshot.room} locked={locked && !host} />}>
      {host && (
        <SwitchRow
          label={t('people.lock')}
          hint={t('people.lockHint')}
          on={locked}
          onChange={(wanted) => void visit.act(call.setLocked(wanted))}
        />
      )}
      {host && <Waiting visit={visit} call={call} snapshot={snapshot} />}
      <h3 className={styles.heading}>{t('people.here', { count: people.length + 1 })}</h3>
      <ul>
        <Row id={self.peerId} name={self.name} role={self.role} you hand={self.handRaised} micOn={micOn} />
        {people.map((person) => (
          <Row
            key={person.peerId}
            id={person.peerId}
            name={person.name}
            role={person.role}
            hand={person.handRaised}
            identity={person.identity}
            nameAs={people.find(({ peerId }) => peerId === person.nameAs)?.name}
            onCompare={person.identity ? () => onPerson(person.peerId) : undefined}
            micOn={person.tracks.some(({ source, muted }) => source === 'microphone' && !muted)}
            onRemove={host ? () => void visit.act(call.kick(person.peerId)) : undefined}
          />
        ))}
      </ul>
    </Panel>
  );
}

function Foot({ room, locked }: { readonly room: string; readonly locked: boolean }): ReactElement {
  return (
    <div className={styles.foot}>
      {locked && <p className={styles.hint}>{t('people.locked')}</p>}
      <CopyLink room={room} />
    </div>
  );
}

function Waiting({
  visit,
  call,
  snapshot,
}: Pick<PeoplePanelProps, 'visit' | 'call' | 'snapshot'>): ReactElement | undefined {
  if (snapshot.lobby.length === 0) return undefined;
  return (
    <>
      <h3 className={styles.heading}>{t('people.waiting')}</h3>
      <ul>
        {snapshot.lobby.map(({ peerId, name }) => (
          <li key={peerId} className={styles.row}>
            <Badge id={peerId} name={name} />
            <bdi className={styles.name}>{name || t('stage.unnamed')}</bdi>
            <Act aria-label={t('people.denyNamed', { name })} onPress={() => void visit.act(call.deny(peerId))}>
              {t('people.deny')}
            </Act>
            <Act
              kind="primary"
              testId="lobby-admit"
              aria-label={t('people.admitNamed', { name })}
              onPress={() => void visit.act(call.admit(peerId))}
            >
              {t('people.admit')}
            </Act>
          </li>
        ))}
      </ul>
    </>
  );
}

function Badge({ id, name }: { readonly id: string; readonly name: string }): ReactElement {
  return (
    <span className={styles.badge} style={{ '--hue': hue(id) } as React.CSSProperties} aria-hidden>
      {initials(name) || '·'}
    </span>
  );
}

interface RowProps {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly you?: boolean;
  readonly hand: boolean;
  readonly micOn: boolean;
  readonly identity?: PersonIdentity | undefined;
  /** Whose memory the name is. */
  readonly nameAs?: string | undefined;
  readonly onCompare?: (() => void) | undefined;
  readonly onRemove?: (() => void) | undefined;
}

function Row(props: RowProps): ReactElement {
  const { id, name, role, you = false, hand, micOn, identity, nameAs, onCompare, onRemove } = props;
  const [asking, ask] = useState(false);
  const shown = name === '' ? t(you ? 'stage.you' : 'stage.unnamed') : name;
  if (asking && onRemove) {
    return (
      <li className={styles.ask}>
        <p>
          {t('people.removeAsk', { name: shown })}
          <span className={styles.hint}>{t('people.removeEffect')}</span>
        </p>
        <Act onPress={() => ask(false)}>{t('people.removeNo')}</Act>
        <Act kind="danger" onPress={onRemove}>
          {t('people.removeYes')}
        </Act>
      </li>
    );
  }
  const MicIcon = micOn ? Mic : MicOff;
  return (
    <li className={styles.row}>
      <Badge id={id} name={name} />
      <span className={styles.name}>
        <bdi>{you && name !== '' ? t('stage.youNamed', { name }) : shown}</bdi>
        <span className={styles.role}>
          {t(`people.${role}`)}
          {nameAs !== undefined && `, ${t('people.nameAs', { name: nameAs || t('stage.unnamed') })}`}
        </span>
        <Mark identity={identity} />
      </span>
      {hand && <Hand size={20} strokeWidth={1.75} className={styles.sign} aria-label={t('people.handUp')} />}
      {role !== 'viewer' && (
        <MicIcon
          size={20}
          strokeWidth={1.75}
          className={styles.sign}
          aria-label={t(micOn ? 'people.micOn' : 'people.micOff')}
        />
      )}
      {onCompare && (
        <IconAct icon={ShieldQuestionMark} label={t('people.compare', { name: shown })} onPress={onCompare} />
      )}
      {onRemove && <IconAct icon={UserX} label={t('people.remove', { name: shown })} onPress={() => ask(true)} />}
    </li>
  );
}
