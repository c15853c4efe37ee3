/** Which events of signaling are the group's. */
import type { AnyEvent } from '@veilcast/protocol';
import type { GroupEvent } from './workers/messages.ts';

const GROUP_EVENTS: ReadonlySet<string> = new Set<GroupEvent['name']>([
  'groupCreate',
  'groupJoin',
  'groupOffer',
  'groupAdd',
  'groupWelcome',
  'groupCommit',
  'groupRemove',
  'groupMessage',
]);

export function isGroupEvent(event: AnyEvent): event is GroupEvent {
  return GROUP_EVENTS.has(event.name);
}
