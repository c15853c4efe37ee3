/** The Room as it is shown to those inside: the Peers of an Admission, the lobby of a host. */
import type { Knock, PeerId, PeerView, ProducerView } from '@veilcast/protocol';
import type { Peer, Placement, Producer, RoomEffect, RoomState } from './state.ts';
import { joined, tell, waiting } from './step.ts';

export function producerView(peerId: PeerId, producer: Producer): ProducerView {
  const { producerId, kind, source, paused, replaces } = producer;
  return { producerId, peerId, kind, source, paused, ...(replaces ? { replaces } : {}) };
}

export function peerView(peer: Peer, placement: Placement): PeerView {
  const producers = [...peer.producers.values()];
  const replaced = new Set(producers.map((producer) => producer.replaces));
  return {
    peerId: peer.peerId,
    participantId: peer.participantId,
    role: peer.role,
    region: placement.region,
    nodeId: placement.nodeId,
    // Who comes while this Peer is moved gets its media from where it goes.
    producers: producers
      .filter(({ producerId }) => !replaced.has(producerId))
      .map((producer) => producerView(peer.peerId, producer)),
  };
}

/** Everybody whom this Peer finds in the Room: the `peers` of its Admission. Ask after `placed` was reduced. */
export function peerViews(state: RoomState, peerId: PeerId): readonly PeerView[] {
  return joined(state).flatMap((peer) =>
    peer.peerId === peerId || !peer.placement ? [] : [peerView(peer, peer.placement)],
  );
}

/** Who waits, first come first. The name is empty until they have knocked. */
export function lobbyOf(state: RoomState): readonly Knock[] {
  return waiting(state).map(({ peerId, participantId, knock }) => ({ peerId, participantId, name: knock ?? '' }));
}

/** Shows the hosts who waits now. */
export function tellLobby(state: RoomState): readonly RoomEffect[] {
  const hosts = joined(state).filter((peer) => peer.role === 'host');
  return tell(hosts, { name: 'lobby', body: { waiting: [...lobbyOf(state)] } });
}
