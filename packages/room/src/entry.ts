/** The way in: arrive, wait or be placed, be known to everybody. Who is host where no token says so. */
import { LOBBY_MAX, type ParticipantId, type PeerId, type RegionId, type Role } from '@veilcast/protocol';
import type { EventOf, Peer, Placement, RoomEffect, RoomState, Step } from './state.ts';
import { inside, joined, refuse, step, tell, tellOthers, waiting, withPeer } from './step.ts';
import { lobbyOf, peerView, tellLobby } from './views.ts';

/** Whether one more fits inside. */
export function isFull(state: RoomState): boolean {
  return inside(state).length >= state.policy.peersMax;
}

export function arrive(state: RoomState, event: EventOf<'arrive'>): Step {
  if (state.peers.has(event.peerId)) return refuse(state, 'ALREADY_JOINED');
  const regions = regionsWith(state, event.regions);
  if (regions === undefined) return refuse(state, 'NO_REGION');
  const wasRemoved = state.removed.includes(event.participantId);
  const role = wasRemoved ? event.role : roleOnArrival(state, event.role);
  const mustWait = wasRemoved || (state.locked && role !== 'host' && !wasInside(state, event.participantId));
  const peer: Peer = {
    peerId: event.peerId,
    participantId: event.participantId,
    role,
    status: mustWait ? 'waiting' : 'placing',
    displaced: false,
    producers: new Map(),
    consumers: new Map(),
    asked: new Set(),
    tiles: new Map(),
  };
  if (mustWait ? waiting(state).length >= LOBBY_MAX : isFull(state)) return refuse(state, 'ROOM_FULL');
  const lost = mustWait ? state.lost : state.lost.filter((one) => one !== event.participantId);
  const next = withPeer({ ...state, lost, regions }, peer);
  return step(next, mustWait ? tellLobby(next) : [{ kind: 'place', peerId: peer.peerId }]);
}

/**
 * Where the Room may be once somebody with this claim is in: as whoever opened it said. Who claims nothing goes along; who claims another
 * list cannot be given what it asks for, since the media of the others may be elsewhere already. Undefined: refused.
 */
function regionsWith(state: RoomState, claimed: readonly RegionId[] | undefined): readonly RegionId[] | undefined {
  if (state.peers.size === 0) return claimed ?? [];
  if (claimed === undefined || claimed.join() === state.regions.join()) return state.regions;
  return undefined;
}

/** Whoever a host let in comes back without asking again: after a lost connection, also before the old one is given up. */
function wasInside(state: RoomState, participantId: ParticipantId): boolean {
  return state.lost.includes(participantId) || inside(state).some((peer) => peer.participantId === participantId);
}

/** An open Room without a host gives the first who may speak the keys, where the policy says so; a viewer's token stays one. */
function roleOnArrival(state: RoomState, role: Role): Role {
  const vacant = state.policy.firstIsHost && !state.locked && !hasHost(state);
  return vacant && role === 'speaker' ? 'host' : role;
}

function isSpeaker(peer: Peer): boolean {
  return peer.role === 'speaker';
}

function hasHost(state: RoomState): boolean {
  return inside(state).some((peer) => peer.role === 'host');
}

/** When the last host went from a Room of `firstIsHost`, whoever is there longest takes over. */
export function inheritHost(state: RoomState): Step {
  if (!state.policy.firstIsHost || hasHost(state)) return step(state);
  const heir = joined(state).find(isSpeaker) ?? inside(state).find(isSpeaker);
  if (!heir) return step(state);
  const next = withPeer(state, { ...heir, role: 'host' });
  const told = tell(joined(next), { name: 'peerRole', body: { peerId: heir.peerId, role: 'host' } });
  return step(next, [...told, ...(waiting(next).length > 0 ? tellLobby(next) : [])]);
}

/** Its transports exist. One that went meanwhile has them closed again. */
export function placed(state: RoomState, event: EventOf<'placed'>): Step {
  const { peerId, placement } = event;
  const peer = state.peers.get(peerId);
  if (peer?.displaced) return step(withPeer(state, { ...peer, placement, displaced: false }), [{ kind: 'putDemand' }]);
  if (peer?.status !== 'placing') return step(state, strayPlacement(peer, peerId, placement));
  const entered: Peer = { ...peer, status: 'joined', placement };
  const next = withPeer(state, entered);
  const lobby = entered.role === 'host' && waiting(next).length > 0;
  return step(next, [
    ...tellOthers(next, peerId, { name: 'peerJoined', body: { peer: peerView(entered, placement) } }),
    ...(lobby ? tell([entered], { name: 'lobby', body: { waiting: [...lobbyOf(next)] } }) : []),
    { kind: 'groupEnter', peerId },
    { kind: 'putDemand' },
  ]);
}

/** A Node knows a Peer by its id alone: closing a second placement on the same Node would close the first. */
export function strayPlacement(peer: Peer | undefined, peerId: PeerId, placement: Placement): readonly RoomEffect[] {
  const isThere = [peer?.placement, peer?.former?.placement].some((at) => at?.nodeId === placement.nodeId);
  return isThere ? [] : [{ kind: 'closePeer', peerId, placement }];
}
