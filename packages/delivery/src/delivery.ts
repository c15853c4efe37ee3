/** The delivery service's reducer: applies an event, then keeps removals, and after them entries, going. Pure; never throws. */
import type { Epoch } from '@veilcast/protocol';
import { commit } from './commits.ts';
import { ADMISSION_PATIENCE_MS, closeDoor, keepDoor, offer } from './door.ts';
import { inStep, outgoing, type Applied } from './members.ts';
import { message } from './messages.ts';
import { isWaiting, keepRemoval, REMOVAL_PATIENCE_MS, waitForOthers } from './removal.ts';
import type { DeliveryEvent, DeliveryState, DeliveryStep } from './state.ts';
import { enter, goAway, rejoin, turnEnds } from './turns.ts';

/** Nobody is there and there is no group. */
export function openDelivery(): DeliveryState {
  return {
    epoch: 0 as Epoch,
    groupInfo: undefined,
    members: [],
    queue: [],
    ticket: undefined,
    nextTicket: 0,
    gone: [],
    rejoining: [],
    removal: undefined,
    asked: new Set(),
    offers: new Map(),
    admission: undefined,
    admissionsFailed: 0,
    waitUntil: undefined,
    failures: new Map(),
  };
}

/** Applies one event at `now` (ms, any origin). Never throws; what does not apply changes nothing. */
export function reduce(state: DeliveryState, event: DeliveryEvent, now: number): DeliveryStep {
  const applied = apply(state, event, now);
  const kept = keepGoing(applied.state, now);
  const next = isEmpty(kept.state) ? openDelivery() : kept.state;
  const wakeAt = nextWake(next);
  return {
    ...applied,
    state: next,
    effects: [...applied.effects, ...kept.effects],
    ...(wakeAt === undefined ? {} : { wakeAt }),
  };
}

function apply(state: DeliveryState, event: DeliveryEvent, now: number): Applied {
  switch (event.kind) {
    case 'enter':
      return enter(state, event.peerId);
    case 'gone':
      return { state: waitForOthers(goAway(state, event.peerId), event.urgent, now), effects: [] };
    case 'rejoin':
      return rejoin(state, event.peerId);
    case 'commit':
      return commit(state, event);
    case 'offer':
      return offer(state, event);
    case 'message':
      return message(state, event);
    default:
      return { state, effects: [] };
  }
}

function keepGoing(state: DeliveryState, now: number): Applied {
  if (state.members.length > 0 && inStep(state).length === 0) return keepGoing(dissolve(state), now);
  if (outgoing(state).length === 0) return keepDoor({ ...state, waitUntil: undefined }, now);
  if (isWaiting(state, now)) return { state: closeDoor(state), effects: [] };
  const kept = keepRemoval(closeDoor(state), now);
  if (kept.state.gone.length === state.gone.length) return kept;
  // A committer was evicted; another one is asked, or nobody is left.
  const next = keepGoing(kept.state, now);
  return { state: next.state, effects: [...kept.effects, ...next.effects] };
}

function isEmpty(state: DeliveryState): boolean {
  return state.members.length === 0 && state.queue.length === 0 && !state.ticket;
}

/** Nobody is left who could remove or let in: the next in the queue makes a new group. Ticket numbers go on, so that an old one stays old. */
function dissolve({ queue, rejoining, ticket, nextTicket, failures }: DeliveryState): DeliveryState {
  return { ...openDelivery(), queue: [...queue, ...rejoining], ticket, nextTicket, failures };
}

function nextWake(state: DeliveryState): number | undefined {
  if (state.removal) return state.removal.askedAt + REMOVAL_PATIENCE_MS;
  if (state.waitUntil !== undefined) return state.waitUntil;
  if (state.admission) return state.admission.askedAt + ADMISSION_PATIENCE_MS;
  return state.ticket && turnEnds(state, state.ticket);
}
