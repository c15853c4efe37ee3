/**
 * Which spatial layer of a video a Peer gets, and whether it gets any: from what it shows.
 *
 * A layer is chosen by width. Simulcast halves from layer to layer (320, 640, 1280 for a camera of three), so the next
 * layer up costs about three times the bits. A picture stretched by a quarter is not seen as soft; a picture stretched
 * by more is. Hence the lowest layer of at least 0.8 of the tile's width in device pixels.
 */
import type { ConsumerId, ProducerId, Source, TileView } from '@veilcast/protocol';
import { camerasFor, sentIn, voicesOf, type Sent } from './forwarding.ts';
import type { Consumer, Peer, Placement, RoomEffect, RoomState } from './state.ts';
import { tell } from './step.ts';
import { isWatching } from './watched.ts';

/** Width that a layer must have, as a share of the tile's. Higher: sharper and dearer. Lower: softer. */
const SHARP_ENOUGH = 0.8;
/** Width of the top layer of a camera, device pixels. The client captures 720p unless asked otherwise. */
const CAMERA_WIDTH = 1280;
/** Width by height of what cameras give. */
const CAMERA_ASPECT = 16 / 9;
/** Width of a shared screen's top layer. Most screens are at least that wide. */
const SCREEN_WIDTH = 1920;
/** From this tile width on, a shared screen is there to be read: text needs every pixel that was sent. */
const SCREEN_LARGE = 640;

/** What a Consumer should be doing. */
export interface Wanted {
  readonly visible: boolean;
  readonly spatial: number;
}

/** `tile` undefined: the Peer has not said yet, so something middling runs until it does. */
export function wantedOf(
  consumer: Pick<Consumer, 'kind' | 'spatialLayers'>,
  source: Source,
  tile: TileView | undefined,
): Wanted {
  const top = consumer.spatialLayers - 1;
  if (consumer.kind === 'audio') return { visible: true, spatial: 0 };
  if (!tile) return { visible: true, spatial: Math.floor(top / 2) };
  const visible = tile.visible && tile.width > 0 && tile.height > 0;
  return { visible, spatial: layerFor(source === 'screen' ? tile.width : coveredWidth(tile), source, top) };
}

/** A camera fills its tile: on a tall tile the picture is as wide as its height asks for, and its sides are cut off. */
function coveredWidth({ width, height }: TileView): number {
  return Math.max(width, height * CAMERA_ASPECT);
}

function layerFor(tileWidth: number, source: Source, top: number): number {
  if (source === 'screen' && tileWidth >= SCREEN_LARGE) return top;
  const full = source === 'screen' ? SCREEN_WIDTH : CAMERA_WIDTH;
  for (let layer = 0; layer < top; layer++) {
    if (full / 2 ** (top - layer) >= SHARP_ENOUGH * tileWidth) return layer;
  }
  return top;
}

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
  const { placement } = peer;
  if (!placement) return { peer, effects: [] };
  const given = [...consumers];
  const present: Peer = { ...peer, consumers: new Map(peer.consumers) };
  const changed = new Map(peer.consumers);
  for (const consumer of given) changed.set(consumer.consumerId, consumer);
  const cameras = camerasFor(state, { ...present, consumers: changed }, sent);
  const layers: RoomEffect[] = [];
  const pause: ConsumerId[] = [];
  const resume: ConsumerId[] = [];
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
    const { consumerId } = consumer;
    if (spatial !== consumer.spatial) layers.push({ kind: 'setLayers', consumerId, spatial, placement });
    if (paused !== consumer.paused) (paused ? pause : resume).push(consumerId);
    if (held !== consumer.held && consumer.kind === 'video') (held ? hold : release).push(consumerId);
    const settled = { ...consumer, spatial, paused, held };
    changed.set(consumerId, settled);
    const before = peer.consumers.get(consumerId);
    if (before && consumer.kind === 'video' && isWatching(before) !== isWatching(settled)) isOtherDemand = true;
  }
  const effects = [
    ...pauses(pause, true, placement),
    ...layers,
    ...pauses(resume, false, placement),
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

function pauses(consumerIds: readonly ConsumerId[], paused: boolean, placement: Placement): readonly RoomEffect[] {
  return consumerIds.length === 0 ? [] : [{ kind: 'pauseConsumers', consumerIds, paused, placement }];
}

function holds(peer: Peer, consumerIds: readonly ConsumerId[], held: boolean): readonly RoomEffect[] {
  if (consumerIds.length === 0) return [];
  return tell([peer], { name: 'consumersHeld', body: { consumerIds: [...consumerIds], held } });
}
