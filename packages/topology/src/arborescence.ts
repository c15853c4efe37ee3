/**
 * The tree of least mean delay from one source to all others where each vertex may feed only so many: the
 * degree-constrained minimum average-latency problem (Banerjee et al., INFOCOM 2003), which is NP-hard. Where the bounds
 * do not bind, shortest paths are the answer, and exact; where they do, a greedy tree is improved by moves and swaps and
 * shaken, always in the same way for the same input. Pure and deterministic.
 */

export interface Legs {
  /** Vertices 0 to n−1; 0 is the source. */
  readonly count: number;
  /** Delay of the leg from one vertex to another, ms. */
  readonly ms: (from: number, to: number) => number;
  /** What the leg costs whatever hangs below it, in the unit of weight times ms. Missing: nothing. */
  readonly price?: ((from: number, to: number) => number) | undefined;
  /** How much the delay of a vertex counts, 1 or more. */
  readonly weight: (vertex: number) => number;
  /** How many others a vertex may feed. */
  readonly slots: (vertex: number) => number;
  /** Most legs from the source. */
  readonly depthMax: number;
}

/** The parent of each vertex, −1 for the source. */
export type Tree = readonly number[];

/** Shakes of the local search. Each costs as much as the first descent. */
const SHAKES = 24;

/** Exchanges in a shake. More: the next descent forgets what was good. Fewer: it falls back to where it was. */
const KICKS = 3;

/** Undefined: no tree within the bounds was found. */
export function leastDelayTree(legs: Legs): Tree | undefined {
  const shortest = shortestPaths(legs);
  if (!legs.price && isWithin(legs, shortest)) return shortest;
  const first = greedy(legs);
  if (!first) return undefined;
  let best = new Descent(legs, first);
  best.run();
  let state = legs.count;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let shake = 0; shake < SHAKES; shake += 1) {
    const next = new Descent(legs, best.parents);
    for (let kicks = 0; kicks < KICKS; kicks += 1)
      next.exchange(1 + random(legs.count - 1), 1 + random(legs.count - 1));
    next.run();
    if (next.cost < best.cost) best = next;
  }
  return best.parents;
}

/** Weighted sum of the delays to all vertices. Infinity: it is not a tree of all of them. */
export function delayOf(legs: Legs, tree: Tree): number {
  const measured = measure(legs, tree);
  return measured ? measured.cost : Number.POSITIVE_INFINITY;
}

/** Every pair of vertices has a leg, so that a plain array does for the queue. */
function shortestPaths({ count, ms }: Legs): number[] {
  const at = Array.from({ length: count }, (_, vertex) => (vertex === 0 ? 0 : Number.POSITIVE_INFINITY));
  const parents = Array.from({ length: count }, () => -1);
  const open = new Set(at.keys());
  while (open.size > 0) {
    let nearest = -1;
    for (const vertex of open) if (nearest < 0 || get(at, vertex) < get(at, nearest)) nearest = vertex;
    open.delete(nearest);
    for (const to of open) {
      const via = get(at, nearest) + ms(nearest, to);
      if (via >= get(at, to)) continue;
      at[to] = via;
      parents[to] = nearest;
    }
  }
  return parents;
}

/** Attaches what is reached soonest, weight for weight, wherever there is a slot. */
function greedy({ count, ms, price, weight, slots, depthMax }: Legs): number[] | undefined {
  const parents = Array.from({ length: count }, () => -1);
  const at = new Map([[0, { ms: 0, depth: 0, free: slots(0) }]]);
  while (at.size < count) {
    let best: { from: number; to: number; ms: number; rank: number } | undefined;
    for (let to = 1; to < count; to += 1) {
      if (at.has(to)) continue;
      for (const [from, reach] of at) {
        if (reach.free <= 0 || reach.depth >= depthMax) continue;
        const later = reach.ms + ms(from, to);
        // A leaf that takes the last slot would end the tree.
        const priced = later + (price?.(from, to) ?? 0) / weight(to);
        const rank = priced / Math.sqrt(weight(to)) + (slots(to) === 0 ? 1e6 : 0);
        if (!best || rank < best.rank) best = { from, to, ms: later, rank };
      }
    }
    const above = best && at.get(best.from);
    if (!best || !above) return undefined;
    above.free -= 1;
    parents[best.to] = best.from;
    at.set(best.to, { ms: best.ms, depth: above.depth + 1, free: slots(best.to) });
  }
  return parents;
}

function isWithin(legs: Legs, tree: Tree): boolean {
  return measure(legs, tree)?.fits ?? false;
}

interface Measured {
  readonly cost: number;
  readonly fits: boolean;
  readonly at: readonly number[];
  readonly depth: readonly number[];
  readonly children: readonly (readonly number[])[];
  readonly fed: readonly number[];
  /** Weight of a vertex and all below it, and the levels below it. */
  readonly below: readonly number[];
  readonly height: readonly number[];
}

function measure({ count, ms, price, weight, slots, depthMax }: Legs, parents: Tree): Measured | undefined {
  const children = Array.from({ length: count }, (): number[] => []);
  for (const [vertex, parent] of parents.entries()) if (parent >= 0) children[parent]?.push(vertex);
  const order = [0];
  const at = zeros(count);
  const depth = zeros(count);
  let cost = 0;
  for (const vertex of order) {
    for (const child of children[vertex] ?? []) {
      at[child] = get(at, vertex) + ms(vertex, child);
      depth[child] = get(depth, vertex) + 1;
      cost += weight(child) * get(at, child) + (price?.(vertex, child) ?? 0);
      order.push(child);
    }
  }
  if (order.length !== count) return undefined;
  const below = Array.from({ length: count }, (_, vertex) => (vertex === 0 ? 0 : weight(vertex)));
  const height = zeros(count);
  for (const vertex of order.toReversed()) {
    const parent = parents[vertex] ?? -1;
    if (parent < 0) continue;
    below[parent] = get(below, parent) + get(below, vertex);
    height[parent] = Math.max(get(height, parent), get(height, vertex) + 1);
  }
  const fed = children.map((of) => of.length);
  const fits = fed.every((n, vertex) => n <= slots(vertex)) && Math.max(...depth) <= depthMax;
  return { cost, fits, at, depth, children, fed, below, height };
}

/** Takes the best single change until there is none. */
class Descent {
  parents: number[];
  private readonly legs: Legs;
  private now: Measured;

  constructor(legs: Legs, parents: Tree) {
    this.legs = legs;
    this.parents = [...parents];
    this.now = this.measured(this.parents);
  }

  get cost(): number {
    return this.now.cost;
  }

  run(): void {
    while (this.moveBest() || this.exchangeBest()) continue;
  }

  /** Two vertices take each other's places, where the bounds allow it; what hangs below the places stays there. */
  exchange(a: number, b: number): void {
    if (a === b) return;
    const parents = exchanged(this.parents, a, b);
    const now = this.measured(parents);
    if (now.fits) [this.parents, this.now] = [parents, now];
  }

  private measured(parents: Tree): Measured {
    const measured = measure(this.legs, parents);
    if (!measured) throw new RangeError('not a tree');
    return measured;
  }

  /** The whole subtree of a vertex goes below another parent. */
  private moveBest(): boolean {
    const { count, ms, price, slots, depthMax } = this.legs;
    const { at, depth, fed, below, height } = this.now;
    let best: { vertex: number; to: number; gain: number } | undefined;
    for (let vertex = 1; vertex < count; vertex += 1) {
      for (let to = 0; to < count; to += 1) {
        if (to === this.parents[vertex] || get(fed, to) >= slots(to)) continue;
        if (get(depth, to) + 1 + get(height, vertex) > depthMax) continue;
        const saved = price ? price(this.parents[vertex] ?? 0, vertex) - price(to, vertex) : 0;
        const gain = get(below, vertex) * (get(at, vertex) - get(at, to) - ms(to, vertex)) + saved;
        if (gain <= (best?.gain ?? EPSILON) || this.isBelow(to, vertex)) continue;
        best = { vertex, to, gain };
      }
    }
    if (!best) return false;
    this.parents[best.vertex] = best.to;
    this.now = this.measured(this.parents);
    return true;
  }

  /** Two vertices take each other's places, alone or with all below them. */
  private exchangeBest(): boolean {
    const { count, price } = this.legs;
    let best: { a: number; b: number; whole: boolean; gain: number } | undefined;
    for (let a = 1; a < count; a += 1) {
      for (let b = a + 1; b < count; b += 1) {
        const apart = !this.isBelow(a, b) && !this.isBelow(b, a);
        // Prices belong to legs and not to places: they are counted over the whole tree.
        const alone = apart && !price ? this.gainOfExchange(a, b) : this.gainMeasured(a, b);
        if (alone > (best?.gain ?? EPSILON)) best = { a, b, whole: false, gain: alone };
        const whole = apart ? this.gainOfSwap(a, b) + this.savedBySwap(a, b) : 0;
        if (whole > (best?.gain ?? EPSILON)) best = { a, b, whole: true, gain: whole };
      }
    }
    if (!best) return false;
    const { a, b, whole } = best;
    if (whole) [this.parents[a], this.parents[b]] = [this.parents[b] ?? -1, this.parents[a] ?? -1];
    else this.parents = exchanged(this.parents, a, b);
    this.now = this.measured(this.parents);
    return true;
  }

  private gainMeasured(a: number, b: number): number {
    const then = measure(this.legs, exchanged(this.parents, a, b));
    return then?.fits ? this.now.cost - then.cost : 0;
  }

  private gainOfExchange(a: number, b: number): number {
    const { slots, weight } = this.legs;
    const { fed, at } = this.now;
    if (get(fed, a) > slots(b) || get(fed, b) > slots(a)) return 0;
    const [thenA, thenB] = [this.delayBelow(b, a), this.delayBelow(a, b)];
    let gain = weight(a) * (get(at, a) - thenA) + weight(b) * (get(at, b) - thenB);
    for (const child of this.now.children[a] ?? []) gain += this.gainOfChild(child, b, thenB);
    for (const child of this.now.children[b] ?? []) gain += this.gainOfChild(child, a, thenA);
    return gain;
  }

  private gainOfChild(child: number, parent: number, parentAt: number): number {
    return get(this.now.below, child) * (get(this.now.at, child) - parentAt - this.legs.ms(parent, child));
  }

  /** When `vertex` hangs where `place` hangs now. */
  private delayBelow(place: number, vertex: number): number {
    const parent = this.parents[place] ?? 0;
    return get(this.now.at, parent) + this.legs.ms(parent, vertex);
  }

  private gainOfSwap(a: number, b: number): number {
    const { at, depth, height, below } = this.now;
    if (this.parents[a] === this.parents[b]) return 0;
    const deepest = Math.max(get(depth, b) + get(height, a), get(depth, a) + get(height, b));
    if (deepest > this.legs.depthMax) return Number.NEGATIVE_INFINITY;
    const gainA = get(below, a) * (get(at, a) - this.delayBelow(b, a));
    return gainA + get(below, b) * (get(at, b) - this.delayBelow(a, b));
  }

  private savedBySwap(a: number, b: number): number {
    const { price } = this.legs;
    const [overA, overB] = [this.parents[a] ?? 0, this.parents[b] ?? 0];
    return price ? price(overA, a) + price(overB, b) - price(overB, a) - price(overA, b) : 0;
  }

  private isBelow(vertex: number, top: number): boolean {
    for (let at = vertex; at >= 0; at = this.parents[at] ?? -1) if (at === top) return true;
    return false;
  }
}

/** Gains below this are rounding. */
const EPSILON = 1e-9;

function exchanged(parents: Tree, a: number, b: number): number[] {
  const swap = (vertex: number): number => (vertex === a ? b : vertex === b ? a : vertex);
  const result = [...parents];
  for (const [vertex, parent] of parents.entries()) result[swap(vertex)] = parent < 0 ? -1 : swap(parent);
  return result;
}

function zeros(count: number): number[] {
  return Array.from({ length: count }, () => 0);
}

function get(values: readonly number[], index: number): number {
  return values[index] ?? 0;
}
