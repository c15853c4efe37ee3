/** The door: who waits, and what a host may do about it. */
import { type ParticipantId, type PeerId } from '@veilcast/protocol';
import { depart } from './departure.ts';
import { isFull } from './entry.ts';
import type { EventOf, Peer, RoomEffect, RoomState, Step } from './state.ts';
import { asker, joined, refuse, step, tell, waiting, withPeer } from './step.ts';
import { tellLobby } from './views.ts';

/** Kicked people whom a Room remembers. More: bytes for a meeting that somebody floods. Fewer: the first of them walks in again. */
export const REMOVED_MAX = 500;

export function knock(state: RoomState, event: EventOf<'knock'>): Step {
  const peer = state.peers.get(event.peerId);
  if (!peer) return refuse(state, 'NOT_JOINED');
  if (peer.status !== 'waiting') return refuse(state, 'ALREADY_JOINED');
  if (peer.knock === event.name) return step(state);
  const next = withPeer(state, { ...peer, knock: event.name });
  return step(next, tellLobby(next));
}

/** What a host does with one other Peer. */
export function decide(state: RoomState, event: EventOf<'admit' | 'deny' | 'kick'>): Step {
  const host = asker(state, event.peerId, event.kind);
  if (typeof host === 'string') return refuse(state, host);
  const target = state.peers.get(event.target);
  if (!target) return refuse(state, 'NOT_FOUND');
  if (event.kind === 'admit') return admit(state, target);
  return event.kind === 'deny' ? deny(state, target) : kick(state, host, target);
}

/** Two hosts may click at once: who is in already is in. */
function admit(state: RoomState, target: Peer): Step {
  if (target.status !== 'waiting') return step(state);
  if (isFull(state)) return refuse(state, 'ROOM_FULL');
  const next = letIn(state, target);
  return step(next, [{ kind: 'place', peerId: target.peerId }, ...tellLobby(next)]);
}

function deny(state: RoomState, target: Peer): Step {
  return target.status === 'waiting' ? depart(state, target, 'removed', 'DENIED') : refuse(state, 'NOT_FOUND');
}

function letIn(state: RoomState, peer: Peer): RoomState {
  const removed = state.removed.filter((participantId) => participantId !== peer.participantId);
  return withPeer({ ...state, removed }, { ...peer, status: 'placing' });
}

function kick(state: RoomState, host: Peer, target: Peer): Step {
  if (target.status === 'waiting') return refuse(state, 'NOT_FOUND');
  if (target.peerId === host.peerId) return refuse(state, 'FORBIDDEN');
  return depart(remember(state, target.participantId), target, 'removed', 'REMOVED');
}

function remember(state: RoomState, participantId: ParticipantId): RoomState {
  const others = state.removed.filter((one) => one !== participantId);
  return { ...state, removed: [...others, participantId].slice(-REMOVED_MAX) };
}

/** Unlocking lets in whoever waits because of the lock, as far as there is room; who was kicked waits on for a host. */
export function setLocked(state: RoomState, peerId: PeerId, locked: boolean): Step {
  const host = asker(state, peerId, 'lock');
  if (typeof host === 'string') return refuse(state, host);
  if (state.locked === locked) return step(state);
  const next: RoomState = { ...state, locked };
  const told = tell(joined(next), { name: 'roomLocked', body: { locked } });
  if (locked) return step(next, told);
  const opened = openDoor(next);
  return step(opened.state, [...told, ...opened.effects]);
}

function openDoor(state: RoomState): Step {
  const enters = waiting(state).filter((peer) => !state.removed.includes(peer.participantId));
  if (enters.length === 0) return step(state);
  let next = state;
  const effects: RoomEffect[] = [];
  for (const peer of enters) {
    if (isFull(next)) break;
    next = letIn(next, peer);
    effects.push({ kind: 'place', peerId: peer.peerId });
  }
  return step(next, [...effects, ...tellLobby(next)]);
}
