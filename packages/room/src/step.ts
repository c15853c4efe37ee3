/** Small pieces that every rule of the Room is made of: steps, refusals, one Peer replaced, whom to tell. */
import type { ErrorCode, PeerId, ProducerId } from '@veilcast/protocol';
import { can, type Act } from './roles.ts';
import type { Peer, Placement, Producer, RoomEffect, RoomState, Step, Told } from './state.ts';

export function step(state: RoomState, effects: readonly RoomEffect[] = []): Step {
  return { state, effects };
}

/** The Room stays as it is, and whoever asked is told why. */
export function refuse(state: RoomState, refusal: ErrorCode, effects: readonly RoomEffect[] = []): Step {
  return { state, effects, refusal };
}

export function withPeer(state: RoomState, peer: Peer): RoomState {
  return { ...state, peers: new Map(state.peers).set(peer.peerId, peer) };
}

export function withoutPeer(state: RoomState, peerId: PeerId): RoomState {
  const peers = new Map(state.peers);
  peers.delete(peerId);
  return { ...state, peers };
}

/** The map without these keys; the same map if none of them is in it. */
export function without<K, V>(map: ReadonlyMap<K, V>, keys: Iterable<K>): ReadonlyMap<K, V> {
  const present = [...keys].filter((key) => map.has(key));
  if (present.length === 0) return map;
  const rest = new Map(map);
  for (const key of present) rest.delete(key);
  return rest;
}

/** Everybody past the door, joined or about to be. */
export function inside(state: RoomState): readonly Peer[] {
  return [...state.peers.values()].filter((peer) => peer.status !== 'waiting');
}

export function joined(state: RoomState): readonly Peer[] {
  return [...state.peers.values()].filter((peer) => peer.status === 'joined');
}

export function waiting(state: RoomState): readonly Peer[] {
  return [...state.peers.values()].filter((peer) => peer.status === 'waiting');
}

/** The joined Peer that asks for this, or why it may not. */
export function asker(state: RoomState, peerId: PeerId, act?: Act): Peer | ErrorCode {
  const peer = state.peers.get(peerId);
  if (peer?.status !== 'joined') return 'NOT_JOINED';
  return act === undefined || can(peer.role, act) ? peer : 'FORBIDDEN';
}

/** A Producer of this Room and whose it is. */
export function findProducer(
  state: RoomState,
  producerId: ProducerId,
): { readonly owner: Peer; readonly producer: Producer } | undefined {
  for (const owner of state.peers.values()) {
    const producer = owner.producers.get(producerId);
    if (producer) return { owner, producer };
  }
  return undefined;
}

/** Whether this is where it is or, while it is moved, was. */
export function isAt(peer: Peer, { nodeId }: Placement): boolean {
  if (peer.displaced) return false;
  return peer.placement?.nodeId === nodeId || peer.former?.placement.nodeId === nodeId;
}

export function tell(peers: readonly Peer[], event: Told): readonly RoomEffect[] {
  return peers.length === 0 ? [] : [{ kind: 'tell', peerIds: peers.map((peer) => peer.peerId), event }];
}

/** Tells every joined Peer but this one. */
export function tellOthers(state: RoomState, peerId: PeerId, event: Told): readonly RoomEffect[] {
  return tell(
    joined(state).filter((peer) => peer.peerId !== peerId),
    event,
  );
}
