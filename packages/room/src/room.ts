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
import { attend } from './focus.ts';
import { decide, knock, setLocked } from './lobby.ts';
import { move, moved, moveOver, settleMoves } from './moves.ts';
import { closeProducer, pauseProducer, produced } from './producers.ts';
import type { RoomEvent, RoomPolicy, RoomState, Step } from './state.ts';
import { step } from './step.ts';
import { NO_VOICES } from './voices.ts';

/**
 * Three voices are what people can follow (DESIGN §6). Up to eight open microphones all are forwarded: a small meeting laughs
 * together. 25 cameras are what a laptop decodes with 15 % of a core for the keys (DESIGN §8).
 */
export const FORWARDING = { voicesMax: 3, voicesFrom: 8, camerasMax: 25 } as const;

type Forwarding = keyof typeof FORWARDING;
type PolicyInput = Omit<RoomPolicy, Forwarding> & Partial<Pick<RoomPolicy, Forwarding>>;

/** A Room with nobody in it. One MLS group is the limit of its size (DESIGN §5, Size). */
export function openRoom(roomId: RoomId, policy: PolicyInput): RoomState {
  const peersMax = Math.min(policy.peersMax, PEERS_MAX);
  return {
    roomId,
    locked: false,
    peers: new Map(),
    removed: [],
    lost: [],
    voices: NO_VOICES,
    listening: new Map(),
    regions: [],
    policy: { ...FORWARDING, ...policy, peersMax },
  };
}

/** Applies one event. Never throws; what does not apply returns the same state. */
export function reduce(state: RoomState, event: RoomEvent, now: number): Step {
  return attend(state, settleMoves(take(state, event)), event.kind === 'heard' ? event.voices : [], now);
}

function take(state: RoomState, event: RoomEvent): Step {
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
    case 'move':
      return move(state, event);
    case 'moved':
      return moved(state, event.peerId);
    case 'moveOver':
      return moveOver(state, event.peerId);
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
    case 'heard':
      return step(state);
    default:
      return ignore(state, event);
  }
}

/** Keeps the switch complete for the compiler, and the Room as it is for an event of another version. */
function ignore(state: RoomState, _event: never): Step {
  return step(state);
}
