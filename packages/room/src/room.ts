/** The Room's reducer: which rule answers which event. Pure; never throws (packages/room/README.md). */
import { PEERS_MAX, type RoomId } from '@veilcast/protocol';
import {
  closeConsumers,
  consume,
  consumed,
  consumeFailed,
  consumerGone,
  resumeConsumers,
  showTiles,
} from './consumers.ts';
import { leave, lose } from './departure.ts';
import { displaced } from './displacement.ts';
import { arrive, placed } from './entry.ts';
import { decide, knock, setLocked } from './lobby.ts';
import { closeProducer, pauseProducer, produced } from './producers.ts';
import type { RoomEvent, RoomPolicy, RoomState, Step } from './state.ts';
import { step } from './step.ts';

/** A Room with nobody in it. One MLS group is the limit of its size (DESIGN §5, Size). */
export function openRoom(roomId: RoomId, policy: RoomPolicy): RoomState {
  const peersMax = Math.min(policy.peersMax, PEERS_MAX);
  return { roomId, locked: false, peers: new Map(), removed: [], lost: [], policy: { ...policy, peersMax } };
}

/**
 * Applies one event. Never throws; what does not apply returns the same state. Every reducer of Veilcast is given the
 * time; no rule of a Room depends on it yet.
 */
export function reduce(state: RoomState, event: RoomEvent, _now: number): Step {
  switch (event.kind) {
    case 'arrive':
      return arrive(state, event);
    case 'knock':
      return knock(state, event);
    case 'admit':
    case 'deny':
    case 'kick':
      return decide(state, event);
    case 'setLocked':
      return setLocked(state, event.peerId, event.locked);
    case 'placed':
      return placed(state, event);
    case 'displaced':
      return displaced(state, event);
    case 'leave':
      return leave(state, event.peerId);
    case 'lost':
      return lose(state, event.peerId, event.code);
    case 'produced':
      return produced(state, event);
    case 'closeProducer':
      return closeProducer(state, event);
    case 'pauseProducer':
      return pauseProducer(state, event);
    case 'consume':
      return consume(state, event);
    case 'consumed':
      return consumed(state, event);
    case 'consumeFailed':
      return consumeFailed(state, event);
    case 'resumeConsumers':
      return resumeConsumers(state, event.peerId, event.consumerIds);
    case 'closeConsumers':
      return closeConsumers(state, event.peerId, event.consumerIds);
    case 'consumerGone':
      return consumerGone(state, event);
    case 'showTiles':
      return showTiles(state, event);
    default:
      return ignore(state, event);
  }
}

/** Keeps the switch complete for the compiler, and the Room as it is for an event of another version. */
function ignore(state: RoomState, _event: never): Step {
  return step(state);
}
