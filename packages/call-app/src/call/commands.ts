/** What a person can do in a call, once: buttons, the menu and the keyboard all come here. */
import type { Call } from '@veilcast/client';
import type { PeerId } from '@veilcast/protocol';
import type { Visit } from '../visit/visit.ts';
import type { Layout } from './Stage.tsx';

export type PanelName = 'people' | 'chat' | 'encryption' | 'person' | 'identity' | 'devices' | 'shortcuts';

export interface Commands {
  readonly microphone: () => void;
  readonly camera: () => void;
  readonly share: () => void;
  readonly hand: () => void;
  readonly toggle: (panel: PanelName) => void;
  /** Whom one speaks with. */
  readonly person: (peerId: PeerId) => void;
  readonly close: () => void;
  readonly setLayout: (layout: Layout) => void;
  readonly switchLayout: () => void;
  readonly diagnostics: () => void;
  readonly leave: () => void;
}

export interface Screen {
  readonly setPanel: (change: (panel: PanelName | undefined) => PanelName | undefined) => void;
  readonly setPerson: (peerId: PeerId) => void;
  readonly setLayout: (change: (layout: Layout) => Layout) => void;
  readonly diagnostics: () => void;
}

export function commandsOf(visit: Visit, call: Call, screen: Screen): Commands {
  const { media } = visit;
  const sends = (): boolean => call.snapshot.self.role !== 'viewer';
  return {
    microphone: () => void (sends() && media.set('microphone', !media.store.value.microphone.on)),
    camera: () => void (sends() && media.set('camera', !media.store.value.camera.on)),
    share: () => {
      if (!sends()) return;
      if (media.store.value.screen) media.stopSharing();
      else void media.share();
    },
    hand: () => void visit.act(call.raiseHand(!call.snapshot.self.handRaised)),
    toggle: (panel) => screen.setPanel((open) => (open === panel ? undefined : panel)),
    person: (peerId) => {
      screen.setPerson(peerId);
      screen.setPanel(() => 'person');
    },
    close: () => screen.setPanel(() => undefined),
    setLayout: (layout) => screen.setLayout(() => layout),
    switchLayout: () => screen.setLayout((layout) => (layout === 'grid' ? 'speaker' : 'grid')),
    diagnostics: screen.diagnostics,
    leave: () => void visit.leave(),
  };
}

/** Every shortcut, in the order in which the list shows them. Lower case as `KeyboardEvent.key` has it. */
export const SHORTCUTS = [
  { key: 'm', name: 'mic', run: (commands: Commands) => commands.microphone() },
  { key: 'v', name: 'camera', run: (commands: Commands) => commands.camera() },
  { key: 's', name: 'share', run: (commands: Commands) => commands.share() },
  { key: 'h', name: 'hand', run: (commands: Commands) => commands.hand() },
  { key: 'c', name: 'chat', run: (commands: Commands) => commands.toggle('chat') },
  { key: 'p', name: 'people', run: (commands: Commands) => commands.toggle('people') },
  { key: 'e', name: 'encryption', run: (commands: Commands) => commands.toggle('encryption') },
  { key: 'l', name: 'layout', run: (commands: Commands) => commands.switchLayout() },
  { key: '?', name: 'list', run: (commands: Commands) => commands.toggle('shortcuts') },
  { key: 'Escape', name: 'close', run: (commands: Commands) => commands.close() },
] as const;

/** Keys are shortcuts only where they are not text, and not with a modifier: those are the browser's. */
export function shortcutOf(event: KeyboardEvent): (typeof SHORTCUTS)[number] | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return undefined;
  const { target } = event;
  const writes = target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
  if (writes && event.key !== 'Escape') return undefined;
  if (target instanceof HTMLElement && target.closest('[role="menu"], [role="listbox"], [role="dialog"]'))
    return undefined;
  return SHORTCUTS.find(({ key }) => key === event.key || key === event.key.toLowerCase());
}
