/**
 * The queue before the group and the turn of its first. One turn at a time: every external Commit builds on the GroupInfo of
 * the one before it, so that two at once would only cost one of them its work.
 */
import { PEERS_MAX, type Epoch, type PeerId } from '@veilcast/protocol';
import { isPresent, memberOf, refuse, tell, without, type Applied } from './members.ts';
import type { DeliveryState, Ticket } from './state.ts';

/**
 * How long a first turn lasts, ms; each further one of the same Peer twice as long, since a slow device in a crowd is slow again.
 * Longer: a silent one holds up the queue. Shorter: a slow phone among 100 misses it.
 */
export const TICKET_LIFETIME_MS = 5_000;
/** Turns that somebody may let pass before it must go. */
export const TICKET_TRIES_MAX = 3;

/** When a turn is over, ms. */
export function turnEnds({ failures }: DeliveryState, { peerId, issuedAt }: Ticket): number {
  return issuedAt + TICKET_LIFETIME_MS * 2 ** (failures.get(peerId) ?? 0);
}

/** Queues a Peer of the Room. One who is still a member under the same id must be removed first. */
export function enter(state: DeliveryState, peerId: PeerId): Applied {
  if (isPresent(state, peerId)) return { state, effects: [] };
  if (memberOf(state, peerId)) {
    const gone = without(state.gone, [peerId]);
    return { state: { ...state, gone, rejoining: [...state.rejoining, peerId] }, effects: [] };
  }
  // Nobody joins while somebody is gone and not removed, so the group is never larger than those who are present.
  const present = state.members.length - state.gone.length + state.queue.length + (state.ticket ? 1 : 0);
  if (present >= PEERS_MAX) return refuse(state, 'ROOM_FULL');
  return { state: { ...state, queue: [...state.queue, peerId] }, effects: [] };
}

/** A member that lost its place: others remove it, then it is queued. Who waits already goes on waiting. */
export function rejoin(state: DeliveryState, peerId: PeerId): Applied {
  if (!isPresent(state, peerId)) return refuse(state, 'NOT_JOINED');
  if (!memberOf(state, peerId) || state.rejoining.includes(peerId)) return { state, effects: [] };
  return { state: { ...state, rejoining: [...state.rejoining, peerId] }, effects: [] };
}

/** Takes a Peer out of everything but the tree; out of that it is removed by a Commit. */
export function goAway(state: DeliveryState, peerId: PeerId): DeliveryState {
  if (!isPresent(state, peerId)) return state;
  const failures = new Map(state.failures);
  failures.delete(peerId);
  const asked = new Set(state.asked);
  asked.delete(peerId);
  const offers = new Map(state.offers);
  offers.delete(peerId);
  return {
    ...state,
    failures,
    asked,
    offers,
    queue: without(state.queue, [peerId]),
    rejoining: without(state.rejoining, [peerId]),
    ticket: state.ticket?.peerId === peerId ? undefined : state.ticket,
    gone: memberOf(state, peerId) ? [...state.gone, peerId] : state.gone,
  };
}

/** Sees to it that the first of the queue has a turn which is still good. */
export function keepTurn(state: DeliveryState, now: number): Applied {
  const { ticket } = state;
  if (!ticket) {
    const [first, ...queue] = state.queue;
    return first === undefined ? { state, effects: [] } : give({ ...state, queue }, first, now);
  }
  if (ticket.epoch !== groupEpoch(state)) return give(state, ticket.peerId, now);
  if (now < turnEnds(state, ticket)) return { state, effects: [] };
  const passed = letPass(state, ticket);
  const next = keepTurn(passed.state, now);
  return { state: next.state, effects: [...passed.effects, ...next.effects] };
}

function groupEpoch(state: DeliveryState): Epoch | undefined {
  return state.groupInfo === undefined ? undefined : state.epoch;
}

function give(state: DeliveryState, peerId: PeerId, now: number): Applied {
  const { epoch, groupInfo, nextTicket } = state;
  const offers = new Map(state.offers);
  offers.delete(peerId);
  const ticket: Ticket = { ticket: nextTicket, peerId, issuedAt: now, epoch: groupEpoch(state) };
  const turn = { ticket: nextTicket, epoch };
  return {
    state: { ...state, ticket, offers, nextTicket: nextTicket + 1 },
    effects: tell(
      [peerId],
      groupInfo === undefined
        ? { name: 'groupCreate', body: turn }
        : { name: 'groupJoin', body: { ...turn, groupInfo } },
    ),
  };
}

/** The turn is over: to the end of the queue, or, the third time, out. */
function letPass(state: DeliveryState, { peerId }: Ticket): Applied {
  const tries = (state.failures.get(peerId) ?? 0) + 1;
  if (tries >= TICKET_TRIES_MAX) {
    return { state: goAway(state, peerId), effects: [{ kind: 'evict', peerId, code: 'KEYS_FAILED' }] };
  }
  const failures = new Map(state.failures).set(peerId, tries);
  return { state: { ...state, failures, ticket: undefined, queue: [...state.queue, peerId] }, effects: [] };
}
