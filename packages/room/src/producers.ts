/** What Peers send: opened, paused and closed by their owner, told to everybody else. */
import type { ErrorCode, MediaKind, PeerId, ProducerId, Source } from '@veilcast/protocol';
import { PRODUCERS_MAX } from '@veilcast/protocol';
import type { EventOf, Peer, Placement, Producer, RoomEffect, RoomState, Step } from './state.ts';
import { asker, findProducer, isAt, refuse, step, tellOthers, without, withPeer } from './step.ts';
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
  placement: Placement,
): ErrorCode | undefined {
  const peer = asker(state, peerId, 'produce');
  if (typeof peer === 'string') return peer;
  if (KIND_OF[source] !== kind) return 'MALFORMED';
  if (peer.displaced) return 'NODE_UNREACHABLE';
  const here = [...peer.producers.values()].filter((producer) => producer.placement.nodeId === placement.nodeId);
  if (here.length >= Math.min(state.policy.producersMax, PRODUCERS_MAX)) return 'ROOM_FULL';
  const taken = here.some((producer) => producer.source === source);
  return taken || !isAt(peer, placement) ? 'FORBIDDEN' : undefined;
}

/** The Node has it. What may not be is closed there again. */
export function produced(state: RoomState, { peerId, producer: made }: EventOf<'produced'>): Step {
  const peer = state.peers.get(peerId);
  const { producerId, placement } = made;
  const owner = findProducer(state, producerId)?.owner;
  if (owner) return owner.peerId === peerId ? step(state) : refuse(state, 'FORBIDDEN');
  const refusal = whyNotProduce(state, peerId, made.kind, made.source, placement);
  if (refusal || !peer) return refuse(state, refusal ?? 'NOT_JOINED', closeOn(made));
  const producer = withReplaced(peer, made);
  const replacing = withPeer(state, { ...peer, producers: new Map(peer.producers).set(producerId, producer) });
  const next = producer.replaces ? withTiles(replacing, producerId, producer.replaces) : replacing;
  const view = producerView(peerId, producer);
  return step(next, [
    ...tellOthers(next, peerId, { name: 'producerOpened', body: { producer: view } }),
    { kind: 'putDemand' },
  ]);
}

function closeOn({ producerId, placement }: Producer): readonly RoomEffect[] {
  return [{ kind: 'closeProducer', producerId, placement }];
}

/** What this Peer still sends of the same source from where it was is replaced. */
function withReplaced(peer: Peer, producer: Producer): Producer {
  if (producer.placement.nodeId !== peer.placement?.nodeId) return producer;
  const former = [...peer.producers.values()].find((one) => one.source === producer.source);
  return former ? { ...producer, replaces: former.producerId } : producer;
}

/** Whoever shows the one shows the other. */
function withTiles(state: RoomState, producerId: ProducerId, replaces: ProducerId): RoomState {
  const peers = [...state.peers.values()].map((peer): [PeerId, Peer] => {
    const tile = peer.tiles.get(replaces);
    return [
      peer.peerId,
      tile ? { ...peer, tiles: new Map(peer.tiles).set(producerId, { ...tile, producerId }) } : peer,
    ];
  });
  return { ...state, peers: new Map(peers) };
}

/** Asked for by its owner, or reported by the Node for it. */
export function closeProducer(state: RoomState, { peerId, producerId }: EventOf<'closeProducer'>): Step {
  const peer = asker(state, peerId);
  if (typeof peer === 'string') return refuse(state, peer);
  const producer = peer.producers.get(producerId);
  if (!producer) return refuse(state, 'NOT_FOUND');
  const closed = withPeer(state, { ...peer, producers: without(peer.producers, [producerId]) });
  const next = forgetProducers(closed, [producerId]);
  return step(next, [
    ...closeOn(producer),
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
  if (producer.paused === paused) return step(state);
  const producers = new Map(peer.producers).set(producerId, { ...producer, paused });
  const next = withPeer(state, { ...peer, producers });
  return step(next, [
    { kind: 'pauseProducer', producerId, paused, placement: producer.placement },
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
