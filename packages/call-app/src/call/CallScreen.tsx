/** The call: stage, bar, lock, one panel at a time, what needs attention, and the keyboard. */
import type { Call, CallSnapshot } from '@veilcast/client';
import type { PeerId } from '@veilcast/protocol';
import { copyText, cx, IconAct } from '@veilcast/design';
import { GalleryThumbnails, LayoutGrid } from 'lucide-react';
import { memo, useEffect, useMemo, useState, type ReactElement } from 'react';
import type { LocalState } from '../media/local.ts';
import { useStore } from '../visit/store.ts';
import type { Visit } from '../visit/visit.ts';
import { t } from '../words/words.ts';
import { Bar } from './Bar.tsx';
import styles from './CallScreen.module.css';
import { commandsOf, shortcutOf, type Commands, type PanelName } from './commands.ts';
import { useCall, useIdle } from './hooks.ts';
import { Lock } from './Lock.tsx';
import { Comings } from './Comings.tsx';
import { Notices } from './Notices.tsx';
import { ChatPanel } from './panels/ChatPanel.tsx';
import { DevicesPanel } from './panels/DevicesPanel.tsx';
import { IdentityPanel } from './panels/IdentityPanel.tsx';
import { PeoplePanel } from './panels/PeoplePanel.tsx';
import { ShortcutsPanel } from './panels/ShortcutsPanel.tsx';
import { EncryptionPanel } from './trust/EncryptionPanel.tsx';
import { PersonPanel } from './trust/PersonPanel.tsx';
import type { Names } from './trust/timeline.ts';
import { Sound } from './Sound.tsx';
import { Stage, type Layout } from './Stage.tsx';

interface CallScreenProps {
  readonly visit: Visit;
  readonly call: Call;
}

export function CallScreen({ visit, call }: CallScreenProps): ReactElement {
  const snapshot = useCall(call);
  const local = useStore(visit.media.store);
  const [panel, setPanel] = useState<PanelName>();
  const [person, setPerson] = useState<PeerId>();
  const [layout, setLayout] = useState<Layout>('grid');
  const [said, say] = useState<string>();
  const commands = useMemo(
    () =>
      commandsOf(visit, call, { setPanel, setPerson, setLayout, diagnostics: () => void copyReport(visit).then(say) }),
    [visit, call],
  );
  const idle = useIdle(panel !== undefined);
  const since = useSince(call);
  const names = useNames(snapshot);
  const unread = useUnread(snapshot, panel === 'chat');
  useShortcuts(commands);
  return (
    <main className={cx(styles.screen, idle && styles.idle)}>
      <h1 className="visually-hidden">{snapshot.room}</h1>
      <header className={styles.top}>
        <Lock
          encryption={snapshot.encryption}
          open={panel === 'encryption' || panel === 'person'}
          commands={commands}
        />
        <span className={styles.room}>{snapshot.room}</span>
        <LayoutSwitch layout={layout} onPress={commands.switchLayout} />
      </header>
      <Stage call={call} snapshot={snapshot} local={local} layout={layout} />
      <div className={styles.notices}>
        <Notices {...{ visit, call, snapshot, local, panel, said, names, commands }} onSaid={say} />
        <Sound snapshot={snapshot} speakerId={local.speakerId} />
      </div>
      {panel !== undefined && (
        <OpenPanel {...{ visit, call, snapshot, local, panel, person, since, names, commands }} />
      )}
      <Bar
        role={snapshot.self.role}
        handRaised={snapshot.self.handRaised}
        knocking={snapshot.lobby.length}
        {...{ local, commands, panel, layout, unread }}
      />
      <Comings people={snapshot.people} />
    </main>
  );
}

interface LayoutSwitchProps {
  readonly layout: Layout;
  readonly onPress: () => void;
}

const LayoutSwitch = memo(function LayoutSwitch({ layout, onPress }: LayoutSwitchProps): ReactElement {
  return (
    <span className={styles.layout}>
      <IconAct
        icon={layout === 'grid' ? GalleryThumbnails : LayoutGrid}
        label={t(layout === 'grid' ? 'stage.toSpeaker' : 'stage.toGrid')}
        shortcut="L"
        onPress={onPress}
      />
    </span>
  );
});

async function copyReport(visit: Visit): Promise<string> {
  const copied = await copyText(JSON.stringify(await visit.report(), undefined, 2));
  return t(copied ? 'more.copied' : 'more.notCopied');
}

interface OpenPanelProps extends CallScreenProps {
  readonly snapshot: CallSnapshot;
  readonly local: LocalState;
  readonly panel: PanelName;
  readonly person: PeerId | undefined;
  readonly since: number | undefined;
  readonly names: Names;
  readonly commands: Commands;
}

function OpenPanel(props: OpenPanelProps): ReactElement {
  const { visit, call, snapshot, local, panel, person, since, names, commands } = props;
  const onClose = commands.close;
  switch (panel) {
    case 'people':
      return (
        <PeoplePanel {...{ visit, call, snapshot, onClose }} micOn={local.microphone.on} onPerson={commands.person} />
      );
    case 'chat':
      return <ChatPanel call={call} lines={snapshot.chat} onClose={onClose} />;
    case 'encryption':
      return (
        <EncryptionPanel
          {...{ snapshot, since, names, onClose }}
          onPerson={commands.person}
          onIdentity={() => commands.toggle('identity')}
        />
      );
    case 'person':
      if (person === undefined) return <ShortcutsPanel onClose={onClose} />;
      return (
        <PersonPanel
          {...{ visit, call, snapshot, onClose }}
          peerId={person}
          onBack={() => commands.toggle('encryption')}
        />
      );
    case 'identity':
      return <IdentityPanel onClose={onClose} />;
    case 'devices':
      return <DevicesPanel visit={visit} onClose={onClose} />;
    default:
      return <ShortcutsPanel onClose={onClose} />;
  }
}

function useShortcuts(commands: Commands): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const shortcut = shortcutOf(event);
      if (!shortcut) return;
      // The key that opens a panel is not the first letter typed in it.
      if (event.key !== 'Escape') event.preventDefault();
      shortcut.run(commands);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [commands]);
}

/** When the present Epoch's keys came; they were there before the call was shown, or come with a change. */
function useSince(call: Call): number | undefined {
  const [since, setSince] = useState(() => (call.snapshot.encryption.state === 'encrypted' ? Date.now() : undefined));
  useEffect(() => {
    let known = '';
    const look = ({ encryption: { epoch, state } }: CallSnapshot): void => {
      if (known !== '' && known !== `${state} ${epoch}`) setSince(state === 'encrypted' ? Date.now() : undefined);
      known = `${state} ${epoch}`;
    };
    look(call.snapshot);
    return call.on('change', look);
  }, [call]);
  return since;
}

/** Also of those who left: the timeline speaks of them. */
function useNames({ people, self }: CallSnapshot): Names {
  const [names] = useState(() => new Map<string, string>());
  names.set(self.peerId, self.name);
  for (const { peerId, name } of people) if (name !== '' || !names.has(peerId)) names.set(peerId, name);
  return names;
}

/** Lines of others that came while the chat was closed. What was said before we came is no news. */
function useUnread({ chat }: CallSnapshot, reading: boolean): number {
  const [seen, setSeen] = useState<ReadonlySet<string>>(() => new Set());
  const news = chat.filter(({ id, own, as }) => !own && as === undefined && !seen.has(id));
  if (reading && news.length > 0) setSeen(new Set(chat.map(({ id }) => id)));
  return reading ? 0 : news.length;
}
