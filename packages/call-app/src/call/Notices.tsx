/** What needs the person's attention during a call: a lost connection, a knock, something that failed, the shared screen. */
import type { Call, CallSnapshot } from '@veilcast/client';
import type { ErrorCode } from '@veilcast/protocol';
import { Act, IconAct } from '@veilcast/design';
import { CircleCheck, DoorOpen, KeyRound, MonitorUp, TriangleAlert, Unplug, X } from 'lucide-react';
import { useEffect, type ReactElement } from 'react';
import type { LocalState } from '../media/local.ts';
import { useStore } from '../visit/store.ts';
import type { Visit } from '../visit/visit.ts';
import { ACTS } from '../words/acts.ts';
import { errorWords, listOf, t } from '../words/words.ts';
import type { Commands, PanelName } from './commands.ts';
import { useLasting } from './hooks.ts';
import { Notice } from './Notice.tsx';
import { Slow } from './Slow.tsx';
import type { Names } from './trust/timeline.ts';
import { TrustNotices } from './trust/TrustNotices.tsx';

interface NoticesProps {
  readonly visit: Visit;
  readonly call: Call;
  readonly snapshot: CallSnapshot;
  readonly local: LocalState;
  readonly panel: PanelName | undefined;
  readonly names: Names;
  readonly commands: Commands;
  /** A word about something just done. */
  readonly said: string | undefined;
  readonly onSaid: (words: string | undefined) => void;
}

export function Notices(props: NoticesProps): ReactElement {
  const { visit, call, snapshot, local, panel, said, names, commands, onSaid } = props;
  const { notice } = useStore(visit.store);
  const reconnecting = useLasting(snapshot.state === 'reconnecting');
  const choosing = useLasting(local.choosingScreen);
  // While the connection is being made again, that is said already.
  const failed = notice ?? (snapshot.state === 'reconnecting' ? undefined : snapshot.error?.code);
  useEffect(() => {
    if (said === undefined) return undefined;
    const timer = setTimeout(() => onSaid(undefined), 3_000);
    return () => clearTimeout(timer);
  }, [said, onSaid]);
  return (
    <>
      {reconnecting && <Notice icon={Unplug} what={t('wait.reconnecting')} />}
      {!reconnecting && <Keying snapshot={snapshot} />}
      {!reconnecting && <Slow snapshot={snapshot} />}
      {failed !== undefined && <Failed key={failed} visit={visit} code={failed} own={notice !== undefined} />}
      {local.microphone.error !== undefined && <Denied visit={visit} kind="microphone" code={local.microphone.error} />}
      {local.camera.error !== undefined && local.camera.error !== local.microphone.error && (
        <Denied visit={visit} kind="camera" code={local.camera.error} />
      )}
      <TrustNotices {...{ snapshot, panel, names, commands }} />
      {choosing && <Notice icon={MonitorUp} what={t('wait.share')} />}
      {local.screen && (
        <Notice icon={MonitorUp} what={t('stage.shareHint')}>
          <Act onPress={() => visit.media.stopSharing()}>{t('bar.unshare')}</Act>
        </Notice>
      )}
      {panel !== 'people' && <Knocks visit={visit} call={call} snapshot={snapshot} />}
      {said !== undefined && <Notice icon={CircleCheck} what={said} />}
    </>
  );
}

function Keying({ snapshot }: { readonly snapshot: CallSnapshot }): ReactElement | undefined {
  const { encryption, people, state } = snapshot;
  // With fewer than two seconds it is the ordinary change of keys, which the lock shows.
  const lasting = useLasting(state === 'joined' && encryption.state === 'waiting', 2_000);
  if (!lasting) return undefined;
  const names = people.map(({ name }) => name || t('stage.unnamed'));
  return (
    <Notice icon={KeyRound} what={names.length > 0 ? t('wait.keys', { names: listOf(names) }) : t('wait.keysAlone')} />
  );
}

interface FailedProps {
  readonly visit: Visit;
  readonly code: ErrorCode;
  /** It came from something the person did here, and goes when they close it. */
  readonly own: boolean;
}

function Failed({ visit, code, own }: FailedProps): ReactElement {
  const act = ACTS[code];
  return (
    <Notice icon={TriangleAlert} code={code} what={errorWords(code).what} more={errorWords(code).next}>
      {act === 'reload' && <Act onPress={() => location.reload()}>{t('acts.reload')}</Act>}
      {own && <IconAct icon={X} label={t('error.dismiss')} onPress={() => visit.dismissNotice()} />}
    </Notice>
  );
}

interface DeniedProps {
  readonly visit: Visit;
  readonly kind: 'microphone' | 'camera';
  readonly code: ErrorCode;
}

function Denied({ visit, kind, code }: DeniedProps): ReactElement {
  return (
    <Notice icon={TriangleAlert} code={code} what={errorWords(code).what} more={errorWords(code).next}>
      <Act onPress={() => void visit.media.set(kind, true)}>{t('acts.device')}</Act>
      <IconAct icon={X} label={t('error.dismiss')} onPress={() => visit.media.forget(kind)} />
    </Notice>
  );
}

/** One at a time: the first in the queue. Everybody is in the people panel. */
function Knocks({
  visit,
  call,
  snapshot,
}: Pick<NoticesProps, 'visit' | 'call' | 'snapshot'>): ReactElement | undefined {
  const [first] = snapshot.lobby;
  if (!first || snapshot.self.role !== 'host') return undefined;
  const name = first.name || t('stage.unnamed');
  return (
    <Notice icon={DoorOpen} what={t('people.knock', { name })}>
      <Act onPress={() => void visit.act(call.deny(first.peerId))}>{t('people.deny')}</Act>
      <Act kind="primary" testId="lobby-admit" onPress={() => void visit.act(call.admit(first.peerId))}>
        {t('people.admit')}
      </Act>
    </Notice>
  );
}
