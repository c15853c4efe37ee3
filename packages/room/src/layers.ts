/** Brings Consumers to what their Peers show and the Room forwards, and says what Nodes and Peers must be told for that. */
import type { ConsumerId, ProducerId, Source, TileView } from '@veilcast/protocol';
import { camerasFor, sentIn, voicesOf, type Sent } from './forwarding.ts';
import type { Consumer, Peer, Placement, RoomEffect, RoomState } from './state.ts';
import { tell } from './step.ts';
import { wantedOf } from './tile-layer.ts';
import { isWatching } from './watched.ts';

/**
 * Brings these Consumers of a Peer to what it shows now, and says what the Node must change for that, and what the Peer is to
 * know: which pictures are held back. Where there are more cameras than one Peer gets, each of them depends on the others.
 */
export function settle(
  state: RoomState,
  peer: Peer,
  consumers: Iterable<Consumer>,
  sent: Sent = sentIn(state),
): { readonly peer: Peer; readonly effects: readonly RoomEffect[] } {
  const given = [...consumers];
  const present: Peer = { ...peer, consumers: new Map(peer.consumers) };
  const changed = new Map(peer.consumers);
  for (const consumer of given) changed.set(consumer.consumerId, consumer);
  const cameras = camerasFor(state, { ...present, consumers: changed }, sent);
  const layers: RoomEffect[] = [];
  const pause: Consumer[] = [];
  const resume: Consumer[] = [];
  const hold: ConsumerId[] = [];
  const release: ConsumerId[] = [];
  let isOtherDemand = false;
  for (const consumer of cameras ? [...changed.values()] : given) {
    const source = sent.get(consumer.producerId)?.producer.source;
    if (!source) continue;
    const tile = peer.tiles.get(consumer.producerId);
    const wanted = wantedOf(consumer, source, tile);
    // What is hidden keeps its layer: changing it would cost a key frame that nobody sees.
    const spatial = wanted.visible ? wanted.spatial : consumer.spatial;
    const held = wanted.visible && isHeld(state, consumer, source, tile, cameras);
    const paused = !(consumer.started && wanted.visible) || held;
    const { consumerId, placement } = consumer;
    if (spatial !== consumer.spatial) layers.push({ kind: 'setLayers', consumerId, spatial, placement });
    if (paused !== consumer.paused) (paused ? pause : resume).push(consumer);
    if (held !== consumer.held && consumer.kind === 'video') (held ? hold : release).push(consumerId);
    const settled = { ...consumer, spatial, paused, held };
    changed.set(consumerId, settled);
    const before = peer.consumers.get(consumerId);
    if (before && consumer.kind === 'video' && isWatching(before) !== isWatching(settled)) isOtherDemand = true;
  }
  const effects = [
    ...pauses(pause, true),
    ...layers,
    ...pauses(resume, false),
    ...holds(peer, hold, true),
    ...holds(peer, release, false),
    ...(isOtherDemand ? [{ kind: 'putDemand' } as const] : []),
  ];
  return { peer: { ...peer, consumers: changed }, effects };
}

/** The Room has more than it forwards at a time, and this is not among it. What a Peer pinned is. */
function isHeld(
  state: RoomState,
  { producerId }: Consumer,
  source: Source,
  tile: TileView | undefined,
  cameras: ReadonlySet<ProducerId> | undefined,
): boolean {
  if (source === 'microphone') return tile?.pinned !== true && voicesOf(state)?.has(producerId) === false;
  return source === 'camera' && cameras?.has(producerId) === false;
}

function pauses(consumers: readonly Consumer[], paused: boolean): readonly RoomEffect[] {
  return byPlacement(consumers).map(({ placement, consumerIds }) => ({
    kind: 'pauseConsumers',
    consumerIds,
    paused,
    placement,
  }));
}

/** A Peer that is moved has Consumers on two Nodes. */
export function byPlacement(
  consumers: readonly Consumer[],
): readonly { readonly placement: Placement; readonly consumerIds: readonly ConsumerId[] }[] {
  const places = new Map<string, { readonly placement: Placement; readonly consumerIds: ConsumerId[] }>();
  for (const { placement, consumerId } of consumers) {
    const place = places.get(placement.nodeId) ?? { placement, consumerIds: [] };
    places.set(placement.nodeId, place);
    place.consumerIds.push(consumerId);
  }
  return [...places.values()];
}

function holds(peer: Peer, consumerIds: readonly ConsumerId[], held: boolean): readonly RoomEffect[] {
  if (consumerIds.length === 0) return [];
  return tell([peer], { name: 'consumersHeld', body: { consumerIds: [...consumerIds], held } });
}
