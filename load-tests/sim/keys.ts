/**
 * The way of a new key through three levels of groups (DESIGN §5, Size): spine, mids, leaves. The product has one level today, so this is a
 * *simulated model*: its figures are measured unit costs (sealing, opening, Commits, messages), round trips, and assumed access networks
 * and devices. The leaf that loses somebody is no model: it is the delivery service's own reducer under the virtual clock (leaf-group.ts).
 */
import type { SeededRandom } from '@veilcast/testkit';
import type { Random, RegionId } from '@veilcast/protocol';
import { drawAccess, drawDelegate, drawDevice } from './access.ts';
import { Histogram, type Quantiles } from './histogram.ts';
import { removalFrom } from './leaf-group.ts';
import { oneWay } from './regions.ts';
import type { Scenario } from './scenario.ts';
import type { UnitModel } from './unit-model.ts';

/** Viewers of a leaf whose delays are drawn where one leaf stands for itself: more do not change the distribution of a leaf's hop. */
const DRAWN_OF_LEAF = 8;
/** Removals looked at one by one for the distribution in the leaf that loses somebody. */
const REMOVALS = 60;

export interface Levels {
  readonly levels: 1 | 2 | 3;
  readonly leaves: number;
  readonly mids: number;
  readonly spine: number;
}

export interface Rekeyed {
  readonly viewers: number;
  readonly levels: Levels;
  /** From the kick until the new key is there, ms: everybody but those of the leaf that lost somebody. */
  readonly others: Quantiles;
  readonly affected: Quantiles;
  /** All together. */
  readonly all: Quantiles;
  readonly curve: readonly (readonly [number, number])[];
  /** Messages that signaling delivers for it. */
  readonly deliveries: number;
}

type Input = Pick<Scenario, 'keys' | 'access' | 'devices' | 'origin'>;

export function levelsOf(viewers: number, { leafSeats, midSeats }: Scenario['keys'], publishers = 3): Levels {
  const leaves = Math.ceil(viewers / leafSeats);
  if (leaves <= 1) return { levels: 1, leaves: 1, mids: 0, spine: viewers + publishers };
  const mids = Math.ceil(leaves / midSeats);
  if (mids <= 1) return { levels: 2, leaves, mids: 1, spine: leaves + publishers };
  return { levels: 3, leaves, mids, spine: mids + publishers };
}

/**
 * One removal with a new key for everybody.
 * @param byRegion viewers of each Region
 * @param drawn how many viewers of each leaf are drawn; Infinity: every one of them
 * @param windowMs how long the service waits for others: 0 when somebody is thrown out
 */
export function rekey(
  model: UnitModel,
  input: Input,
  byRegion: ReadonlyMap<RegionId, number>,
  random: SeededRandom,
  drawn = DRAWN_OF_LEAF,
  windowMs = 0,
): Rekeyed {
  const viewers = [...byRegion.values()].reduce((sum, count) => sum + count, 0);
  const levels = levelsOf(viewers, input.keys);
  // Delegates are the same people whether members are drawn or looked at one by one.
  const [delegates, members] = [random.fork(), random.fork()];
  const path = new KeyPath(model, input, delegates, members);
  const others = new Histogram();
  const all = new Histogram();
  const rootMs = windowMs + path.root();
  for (const [region, count] of byRegion) {
    const leaves = Math.ceil(count / input.keys.leafSeats);
    for (let leaf = 0, mid = rootMs; leaf < leaves; leaf++) {
      if (levels.levels === 3 && leaf % input.keys.midSeats === 0)
        mid = rootMs + path.hop(input.origin, region, levels.spine);
      const atLeaf =
        levels.levels === 1
          ? rootMs
          : mid + path.hop(levels.levels === 3 ? region : input.origin, region, input.keys.midSeats);
      const size = Math.floor(count / leaves) + (leaf < count % leaves ? 1 : 0);
      const looked = Math.min(size, drawn);
      for (let n = 0; n < looked; n++) {
        const ms = atLeaf + path.last(levels.levels === 1 ? input.origin : region, region);
        others.add(ms, size / looked);
        all.add(ms, size / looked);
      }
    }
  }
  const affected = new Histogram();
  const regions = [...byRegion].filter(([, count]) => count > 0);
  for (let n = 0; n < REMOVALS; n++) {
    const [region] = regions[Math.floor(delegates.float() * regions.length)] ?? [input.origin as RegionId];
    const keyAt =
      rootMs +
      (levels.levels === 3 ? path.hop(input.origin, region, levels.spine) : 0) +
      (levels.levels > 1 ? path.hop(region, region, input.keys.midSeats) : 0);
    for (const ms of removalFrom(
      model,
      input,
      Math.min(input.keys.leafSeats + 2, Math.max(2, viewers)),
      keyAt,
      delegates,
    ))
      affected.add(windowMs + ms);
  }
  for (const [ms, share] of affected.curve(20))
    if (share > 0) all.add(ms, Math.min(input.keys.leafSeats, viewers) / 20);
  const deliveries = viewers + (levels.levels > 1 ? levels.leaves : 0) + (levels.levels > 2 ? levels.mids : 0);
  return {
    viewers,
    levels,
    others: others.quantiles(),
    affected: affected.quantiles(),
    all: all.quantiles(),
    curve: all.curve(),
    deliveries,
  };
}

class KeyPath {
  readonly #model: UnitModel;
  readonly #input: Input;
  readonly #random: Random;
  readonly #members: Random;

  constructor(model: UnitModel, input: Input, random: Random, members: Random) {
    this.#model = model;
    this.#input = input;
    this.#random = random;
    this.#members = members;
  }

  /** The event at signaling, to the key-setter, who makes and seals the key, and back. */
  root(): number {
    return 2 * this.#delegate() + this.#device() * this.#model.keySealedMs;
  }

  /** Down one level: signaling sends it to all of the group, a delegate opens it, seals it for the group below, and sends it up. */
  hop(from: string, to: string, members: number): number {
    return (
      this.#sent(members) +
      oneWay(from, to) +
      2 * this.#delegate() +
      this.#device() * (this.#model.keyOpenedMs + this.#model.keySealedMs)
    );
  }

  /** To a member, in a process that sends to all of its sockets at once. */
  last(from: string, to: string): number {
    const { access, devices, keys } = this.#input;
    const sentMs = (this.#members.float() * keys.socketsPerProcess * this.#model.messageUs) / 1_000;
    const openedMs = drawDevice(devices, this.#members) * this.#model.keyOpenedMs;
    return sentMs + oneWay(from, to) + drawAccess(access, this.#members) + openedMs;
  }

  /** One of so many, sent one after the other. */
  #sent(members: number): number {
    return (this.#random.float() * members * this.#model.messageUs) / 1_000;
  }

  #delegate(): number {
    return drawDelegate(this.#input.access, this.#random);
  }

  #device(): number {
    return drawDevice(this.#input.devices, this.#random);
  }
}
