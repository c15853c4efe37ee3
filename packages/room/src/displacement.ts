/**
 * A Node or a Worker dies under a Peer: it keeps its seat, its role and its place in the group, and gets media elsewhere. What
 * hung on the old place is gone for everybody, as if its Producers had closed; they come again under new ids.
 */
import { forgetProducers } from './producers.ts';
import type { EventOf, RoomState, Step } from './state.ts';
import { step, tellOthers, withPeer } from './step.ts';

export function displaced(state: RoomState, { peerId }: EventOf<'displaced'>): Step {
  const peer = state.peers.get(peerId);
  if (peer?.status !== 'joined' || !peer.placement || peer.displaced) return step(state);
  const producerIds = [...peer.producers.keys()];
  const { former, ...rest } = peer;
  const homeless = { ...rest, displaced: true, producers: new Map(), consumers: new Map(), asked: new Set<never>() };
  const next = forgetProducers(withPeer(state, homeless), producerIds);
  return step(next, [
    // Where it came from may be left already, and its client has let go of it.
    ...(former ? [{ kind: 'closePeer', peerId, placement: former.placement } as const] : []),
    // It may only be unreachable; then it must not go on for a Peer that is elsewhere.
    { kind: 'closePeer', peerId, placement: peer.placement },
    { kind: 'place', peerId },
    ...producerIds.flatMap((producerId) =>
      tellOthers(next, peerId, { name: 'producerClosed', body: { peerId, producerId } }),
    ),
    { kind: 'putDemand' },
  ]);
}
