/** Whom one speaks with: the safety number of the two, by eye or by camera, and the mark that it was compared. */
import type { Call, CallSnapshot, Person, PersonIdentity } from '@veilcast/client';
import { Act, cx } from '@veilcast/design';
import type { PeerId } from '@veilcast/protocol';
import { ArrowLeft, ScanLine, ShieldCheck, TriangleAlert } from 'lucide-react';
import { useMemo, useState, type ReactElement } from 'react';
import type { Visit } from '../../visit/visit.ts';
import { t } from '../../words/words.ts';
import { Panel } from '../panels/Panel.tsx';
import { Mark } from './Mark.tsx';
import { QrPicture } from './QrPicture.tsx';
import { QrScan } from './QrScan.tsx';
import styles from './Trust.module.css';

interface PersonPanelProps {
  readonly visit: Visit;
  readonly call: Call;
  readonly snapshot: CallSnapshot;
  readonly peerId: PeerId;
  readonly onBack: () => void;
  readonly onClose: () => void;
}

export function PersonPanel({ visit, call, snapshot, peerId, onBack, onClose }: PersonPanelProps): ReactElement {
  const person = snapshot.people.find((one) => one.peerId === peerId);
  const name = person?.name || t('stage.unnamed');
  return (
    <Panel title={t('verify.title', { name })} onClose={onClose}>
      <Act onPress={onBack}>
        <ArrowLeft size={20} strokeWidth={1.75} aria-hidden />
        {t('encryption.title')}
      </Act>
      {person?.identity ? (
        <Known {...{ visit, call, person }} identity={person.identity} name={name} />
      ) : (
        <p className={styles.gone}>{t(person ? 'verify.unknown' : 'verify.gone', { name })}</p>
      )}
    </Panel>
  );
}

interface KnownProps {
  readonly visit: Visit;
  readonly call: Call;
  readonly person: Person;
  readonly identity: PersonIdentity;
  readonly name: string;
}

type Compared = 'same' | 'different' | undefined;

function Known({ visit, call, person: { peerId }, identity, name }: KnownProps): ReactElement {
  const { fingerprint, verified, guest } = identity;
  const number = useMemo(
    () => (fingerprint === '' ? undefined : call.safetyNumber(peerId)),
    [call, peerId, fingerprint],
  );
  const [scanning, scan] = useState(false);
  const [compared, setCompared] = useState<Compared>();
  const mark = (yes: boolean): void => void visit.act(call.verify(peerId, yes));
  const found = (text: string): void => {
    scan(false);
    const same = text === number?.qr;
    setCompared(same ? 'same' : 'different');
    if (same) mark(true);
  };
  return (
    <>
      {verified === 'changed' && (
        <p className={styles.warning} role="alert" data-testid="changed">
          <TriangleAlert size={20} strokeWidth={1.75} aria-hidden />
          <span>{t('verify.changed', { name })}</span>
        </p>
      )}
      <div className={styles.card}>
        <h3 className={styles.label}>{t('verify.number')}</h3>
        <p className={cx(styles.code, styles.long)} data-testid="safety-number">
          {number?.digits.split(' ').map((group, place) => (
            <span key={`${place} ${group}`}>{group}</span>
          ))}
        </p>
        {scanning ? (
          <QrScan onFound={found} onClose={() => scan(false)} />
        ) : (
          number && <QrPicture text={number.qr} label={t('verify.qr', { name })} />
        )}
        <p className={styles.quiet}>{t('verify.hint', { name })}</p>
        {compared !== undefined && (
          <output className={compared === 'same' ? styles.good : styles.bad}>
            {t(compared === 'same' ? 'verify.same' : 'verify.different')}
          </output>
        )}
        {!scanning && (
          <Act onPress={() => scan(true)} wide>
            <ScanLine size={20} strokeWidth={1.75} aria-hidden />
            {t('verify.scan')}
          </Act>
        )}
      </div>
      {verified === 'yes' ? (
        <p className={styles.verdict}>
          <Mark identity={identity} />
          <Act onPress={() => mark(false)}>{t('verify.undo')}</Act>
        </p>
      ) : (
        <Act kind="primary" testId="verify" onPress={() => mark(true)} wide>
          <ShieldCheck size={20} strokeWidth={1.75} aria-hidden />
          {t('verify.mark')}
        </Act>
      )}
      {guest && <p className={cx(styles.quiet, styles.note)}>{t('verify.guest', { name })}</p>}
      <h3 className={styles.heading}>{t('verify.fingerprint')}</h3>
      <p className={styles.print}>{fingerprint}</p>
    </>
  );
}
