/** What Peers send: opened, paused and closed by their owner, told to everybody else. */
import type { ErrorCode, MediaKind, PeerId, ProducerId, Source } from '@veilcast/protocol';
import { PRODUCERS_MAX } from '@veilcast/protocol';
import type { EventOf, Peer, RoomEffect, RoomState, Step } from './state.ts';
import { asker, findProducer, refuse, step, tellOthers, without, withPeer } from './step.ts';
import { producerView } from './views.ts';

const KIND_OF: Readonly<Record<Source, MediaKind>> = {
  microphone: 'audio',
  camera: 'video',
  screen: 'video',
  'screen-audio': 'audio',
};

/** Why this Peer may not produce this; undefined if it may. Signaling asks before it asks the Node. */
export function whyNotProduce(
  state: RoomState,
  peerId: PeerId,
  kind: MediaKind,
  source: Source,
): ErrorCode | undefined {
  const peer = asker(state, peerId, 'produce');
  if (typeof peer === 'string') return peer;
  if (KIND_OF[source] !== kind) return 'MALFORMED';
  if (peer.displaced) return 'NODE_UNREACHABLE';
  if (peer.producers.size >= Math.min(state.policy.producersMax, PRODUCERS_MAX)) return 'ROOM_FULL';
  const taken = [...peer.producers.values()].some((producer) => producer.source === source);
  return taken ? 'FORBIDDEN' : undefined;
}

/** The Node has it. What may not be is closed there again. */
export function produced(state: RoomState, { peerId, producer }: EventOf<'produced'>): Step {
  const peer = state.peers.get(peerId);
  const { producerId } = producer;
  const owner = findProducer(state, producerId)?.owner;
  if (owner) return owner.peerId === peerId ? step(state) : refuse(state, 'FORBIDDEN');
  const refusal = whyNotProduce(state, peerId, producer.kind, producer.source);
  if (refusal || !peer) return refuse(state, refusal ?? 'NOT_JOINED', closeOn(peer, producerId));
  const next = withPeer(state, { ...peer, producers: new Map(peer.producers).set(producerId, producer) });
  const view = producerView(peerId, producer);
  return step(next, [
    ...tellOthers(next, peerId, { name: 'producerOpened', body: { producer: view } }),
    { kind: 'putDemand' },
  ]);
}

function closeOn(peer: Peer | undefined, producerId: ProducerId): readonly RoomEffect[] {
  return peer?.placement ? [{ kind: 'closeProducer', producerId, placement: peer.placement }] : [];
}

/** Asked for by its owner, or reported by the Node for it. */
export function closeProducer(state: RoomState, { peerId, producerId }: EventOf<'closeProducer'>): Step {
  const peer = asker(state, peerId);
  if (typeof peer === 'string') return refuse(state, peer);
  if (!peer.producers.has(producerId)) return refuse(state, 'NOT_FOUND');
  const closed = withPeer(state, { ...peer, producers: without(peer.producers, [producerId]) });
  const next = forgetProducers(closed, [producerId]);
  return step(next, [
    ...closeOn(peer, producerId),
    ...tellOthers(next, peerId, { name: 'producerClosed', body: { peerId, producerId } }),
    { kind: 'putDemand' },
  ]);
}

export function pauseProducer(state: RoomState, event: EventOf<'pauseProducer'>): Step {
  const { peerId, producerId, paused } = event;
  const peer = asker(state, peerId);
  if (typeof peer === 'string') return refuse(state, peer);
  const producer = peer.producers.get(producerId);
  if (!producer) return refuse(state, 'NOT_FOUND');
  if (producer.paused === paused || !peer.placement) return step(state);
  const producers = new Map(peer.producers).set(producerId, { ...producer, paused });
  const next = withPeer(state, { ...peer, producers });
  return step(next, [
    { kind: 'pauseProducer', producerId, paused, placement: peer.placement },
    ...tellOthers(next, peerId, { name: 'producerPaused', body: { peerId, producerId, paused } }),
  ]);
}

/** Nobody consumes, awaits or shows them any more; the Nodes close the Consumers of a closed Producer by themselves. */
export function forgetProducers(state: RoomState, producerIds: readonly ProducerId[]): RoomState {
  if (producerIds.length === 0) return state;
  const gone = new Set(producerIds);
  const peers = [...state.peers.values()].map((peer): [PeerId, Peer] => [peer.peerId, forget(peer, gone)]);
  return { ...state, peers: new Map(peers) };
}

function forget(peer: Peer, gone: ReadonlySet<ProducerId>): Peer {
  const consumers = [...peer.consumers.values()].filter((consumer) => gone.has(consumer.producerId));
  return {
    ...peer,
    consumers: without(
      peer.consumers,
      consumers.map((consumer) => consumer.consumerId),
    ),
    asked: new Set([...peer.asked].filter((producerId) => !gone.has(producerId))),
    tiles: without(peer.tiles, gone),
  };
}
