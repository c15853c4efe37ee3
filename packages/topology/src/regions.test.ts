import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ratios } from '../optimum/ratios.ts';
import { CASES } from '../optimum/world.ts';
import { delayOf, leastDelayTree, type Legs, type Tree } from './arborescence.ts';

test('eighteen regions: planned trees are within 1 % of the exact optimum', () => {
  const all = ratios().map(({ ratio }) => ratio);
  expect(all).toHaveLength(CASES.length);
  // Better than the exact optimum: one of the two is wrong.
  expect(Math.min(...all)).toBeGreaterThan(1 - 1e-4);
  const worst = Math.max(...all);
  const mean = all.reduce((a, b) => a + b, 0) / all.length;
  console.log(`planned / optimum, 18 regions, ${all.length} cases: mean ${mean.toFixed(4)}, worst ${worst.toFixed(4)}`);
  expect(worst).toBeLessThanOrEqual(1.01);
});

type Point = readonly [number, number];

function distance([x, y]: Point = [0, 0], [u, v]: Point = [0, 0]): number {
  return Math.hypot(x - u, y - v);
}

/** Tries every parent of every vertex. */
function optimum(legs: Legs): number {
  const parents = Array.from({ length: legs.count }, () => -1);
  const fed = Array.from({ length: legs.count }, () => 0);
  let best = Number.POSITIVE_INFINITY;
  const choose = (vertex: number): void => {
    if (vertex === legs.count) {
      if (deepest(parents) <= legs.depthMax) best = Math.min(best, delayOf(legs, parents));
      return;
    }
    for (let parent = 0; parent < legs.count; parent += 1) {
      if (parent === vertex || (fed[parent] ?? 0) >= legs.slots(parent)) continue;
      parents[vertex] = parent;
      fed[parent] = (fed[parent] ?? 0) + 1;
      choose(vertex + 1);
      fed[parent] = (fed[parent] ?? 0) - 1;
    }
    parents[vertex] = -1;
  };
  choose(1);
  return best;
}

function deepest(tree: Tree): number {
  return Math.max(
    ...tree.map((_, vertex) => {
      let depth = 0;
      for (let at = vertex; (tree[at] ?? -1) >= 0 && depth <= tree.length; at = tree[at] ?? -1) depth += 1;
      return depth;
    }),
  );
}

test('any small map: within the bounds, never better than the best of all trees, hardly ever worse', () => {
  const cases = fc.record({
    at: fc.array(fc.tuple(fc.integer({ max: 200, min: 0 }), fc.integer({ max: 200, min: 0 })), {
      minLength: 6,
      maxLength: 6,
    }),
    weights: fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 6, maxLength: 6 }),
    slots: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 6, maxLength: 6 }),
    depthMax: fc.integer({ min: 2, max: 6 }),
  });
  const found: number[] = [];
  fc.assert(
    fc.property(cases, ({ at, weights, slots, depthMax }) => {
      const legs: Legs = {
        count: 6,
        ms: (from, to) => 1 + distance(at[from], at[to]),
        weight: (vertex) => weights[vertex] ?? 1,
        slots: (vertex) => slots[vertex] ?? 0,
        depthMax,
      };
      const tree = leastDelayTree(legs);
      const best = optimum(legs);
      if (!tree) return;
      expect(deepest(tree)).toBeLessThanOrEqual(depthMax);
      for (const vertex of tree.keys()) {
        expect(tree.filter((parent) => parent === vertex).length).toBeLessThanOrEqual(legs.slots(vertex));
      }
      found.push(delayOf(legs, tree) / best);
      expect(delayOf(legs, tree)).toBeGreaterThanOrEqual(best - 1e-6);
    }),
    { numRuns: 200, seed: 7 },
  );
  const mean = found.reduce((a, b) => a + b, 0) / found.length;
  console.log(
    `tree / optimum, ${found.length} cases of 6: mean ${mean.toFixed(4)}, worst ${Math.max(...found).toFixed(3)}`,
  );
  expect(found.length).toBeGreaterThan(100);
  expect(mean).toBeLessThan(1.01);
});
