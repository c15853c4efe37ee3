/**
 * A Peer goes to another Node without a gap: for a while it is in two places. What it makes from then on is made in the
 * new one; what it had stays until it, and everybody who watches it, has the same from there (ADR 0031).
 */
import type { PeerId } from '@veilcast/protocol';
import { strayPlacement } from './entry.ts';
import { forgetProducers } from './producers.ts';
import type { EventOf, Peer, Placement, RoomEffect, RoomState, Step } from './state.ts';
import { asker, joined, refuse, step, tell, without, withPeer } from './step.ts';

/** Its transports exist there. A Peer that is being moved already, or is on that Node, is not moved. */
export function move(state: RoomState, { peerId, placement }: EventOf<'move'>): Step {
  const peer = state.peers.get(peerId);
  const from = peer?.placement;
  if (peer?.status !== 'joined' || peer.displaced || !from || peer.former || from.nodeId === placement.nodeId) {
    return refuse(state, 'CLOSED', strayPlacement(peer, peerId, placement));
  }
  const former = { placement: from, done: false };
  return step(withPeer(state, { ...peer, placement, former, asked: new Set() }), [{ kind: 'putDemand' }]);
}

/** The Peer has, from where it is now, all that it had. */
export function moved(state: RoomState, peerId: PeerId): Step {
  const peer = asker(state, peerId);
  if (typeof peer === 'string') return refuse(state, peer);
  if (!peer.former || peer.former.done) return step(state);
  return step(withPeer(state, { ...peer, former: { ...peer.former, done: true } }));
}

/** Time is up, or what it had there is gone. */
export function moveOver(state: RoomState, peerId: PeerId): Step {
  const peer = state.peers.get(peerId);
  if (!peer?.former) return step(state);
  const { former, ...rest } = peer;
  const { placement } = former;
  const left = (one: { readonly placement: Placement }): boolean => one.placement.nodeId === placement.nodeId;
  const producerIds = [...peer.producers.values()].filter(left).map(({ producerId }) => producerId);
  const consumerIds = [...peer.consumers.values()].filter(left).map(({ consumerId }) => consumerId);
  const producers = without(peer.producers, producerIds);
  const settled: Peer = { ...rest, producers, consumers: without(peer.consumers, consumerIds) };
  const next = forgetProducers(withPeer(state, settled), producerIds);
  // Its own client too: from now on nobody needs what it sends from there.
  const told = producerIds.flatMap((producerId) =>
    tell(joined(next), { name: 'producerClosed', body: { peerId, producerId } }),
  );
  return step(next, [{ kind: 'closePeer', peerId, placement }, ...told, { kind: 'putDemand' }]);
}

/** Ends the moves that nobody needs any more: after any step that may have been the last one for it. */
export function settleMoves(taken: Step): Step {
  let { state } = taken;
  const effects: RoomEffect[] = [];
  for (const peer of joined(taken.state)) {
    if (!peer.former?.done || isWatched(state, peer)) continue;
    const over = moveOver(state, peer.peerId);
    state = over.state;
    effects.push(...over.effects);
  }
  return effects.length === 0 ? taken : { ...taken, state, effects: [...taken.effects, ...effects] };
}

/** Somebody still receives from where it was what it sends from here too. */
function isWatched(state: RoomState, peer: Peer): boolean {
  const replaced = new Set([...peer.producers.values()].map(({ replaces }) => replaces));
  return joined(state).some((other) =>
    [...other.consumers.values()].some(({ producerId }) => replaced.has(producerId)),
  );
}
