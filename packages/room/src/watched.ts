/**
 * Which layers of each video anybody watches, added up over the whole Room, and what its publisher is told of that: more
 * at once, less only after nobody watched it for a while (DESIGN §4). A reducer: the caller comes back at `wakeAt`.
 */
import type { ProducerId } from '@veilcast/protocol';
import { sentIn } from './forwarding.ts';
import type { Consumer, RoomState } from './state.ts';
import { inside, joined } from './step.ts';

/** Nobody watches for so long before a layer ends. Longer: bits for nobody. Shorter: a turned page costs a key frame. */
export const LAYER_HOLD_MS = 5_000;
/** Above any layer there is: what a publisher sends until it is told otherwise. */
const TOP = 7;
/** Nobody watches. */
const NONE = -1;
/** Of what somebody is about to get: the layer that runs before its tile is known (`wantedOf`), for a camera of three. */
const EXPECTED = 1;

/** The highest spatial layer that anybody gets of each video that is sent; −1: nobody. */
export function watchedLayers(state: RoomState): ReadonlyMap<ProducerId, number> {
  const layers = new Map<ProducerId, number>();
  const sent = sentIn(state);
  for (const [producerId, { producer }] of sent) if (producer.kind === 'video') layers.set(producerId, NONE);
  const watch = (producerId: ProducerId, spatial: number): void => {
    const highest = layers.get(producerId);
    if (highest !== undefined && highest < spatial) layers.set(producerId, spatial);
  };
  for (const { consumers, asked } of joined(state)) {
    for (const consumer of consumers.values()) if (isWatching(consumer)) watch(consumer.producerId, consumer.spatial);
    for (const producerId of asked) watch(producerId, EXPECTED);
  }
  // Who is about to come will ask for all of them: encoders start while transports are made.
  const isExpecting = inside(state).some(({ status, displaced }) => status === 'placing' || displaced);
  if (isExpecting && layers.size <= state.policy.camerasMax) for (const id of layers.keys()) watch(id, EXPECTED);
  return layers;
}

/** Whether it runs, or will as soon as its Peer is ready. */
export function isWatching({ started, paused, held }: Consumer): boolean {
  return started ? !paused : !held;
}

interface Kept {
  /** What the publisher was told last. */
  readonly told: number;
  /** What was watched when this was last looked at, and so until now. */
  readonly highest: number;
  /** Until when each layer was watched, or one above it. */
  readonly watchedAt: readonly number[];
}

export type KeptLayers = ReadonlyMap<ProducerId, Kept>;

export const NOTHING_KEPT: KeptLayers = new Map();

export interface LayersStep {
  readonly kept: KeptLayers;
  /** What publishers are to be told; null: nobody watches any layer. */
  readonly tell: readonly { readonly producerId: ProducerId; readonly spatial: number | null }[];
  /** When the next layer ends; undefined: none will by itself. */
  readonly wakeAt: number | undefined;
}

/** Follows what is watched now. What is not in `watched` any more is forgotten. */
export function keepLayers(kept: KeptLayers, watched: ReadonlyMap<ProducerId, number>, now: number): LayersStep {
  const next = new Map<ProducerId, Kept>();
  const tell: { producerId: ProducerId; spatial: number | null }[] = [];
  let wakeAt: number | undefined;
  for (const [producerId, highest] of watched) {
    const before = kept.get(producerId) ?? { told: TOP, highest: TOP, watchedAt: Array<number>(TOP + 1).fill(now) };
    const untilNow = Math.max(highest, before.highest);
    const watchedAt = before.watchedAt.map((at, layer) => (layer <= untilNow ? now : at));
    const told = Math.max(
      highest,
      watchedAt.findLastIndex((at) => now - at < LAYER_HOLD_MS),
    );
    next.set(producerId, { told, highest, watchedAt });
    if (told !== before.told) tell.push({ producerId, spatial: told === NONE ? null : told });
    if (told === highest) continue;
    const until = watchedAt[told]! + LAYER_HOLD_MS;
    wakeAt = wakeAt === undefined ? until : Math.min(wakeAt, until);
  }
  return { kept: next, tell, wakeAt };
}
