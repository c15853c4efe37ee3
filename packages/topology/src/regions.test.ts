import { readFileSync } from 'node:fs';
import type { NodeId, RegionId, WorkerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { CASES, NAMES, rttMs, weightOf, type Case } from '../optimum/world.ts';
import { delayOf, leastDelayTree, type Legs, type Tree } from './arborescence.ts';
import { pathOf } from './explain.ts';
import type { Demand, Plan, Policy, View } from './model.ts';
import { plan } from './plan.ts';
import { pipeMs, sitesOf, type Site } from './sites.ts';
import { demandOf } from './worlds.fixture.ts';

type Solved = Case & { readonly meanMs: number };
const solved = JSON.parse(readFileSync(new URL('../optimum/optimum.json', import.meta.url), 'utf8')) as Solved[];

const workerOf = (name: string): WorkerId => `${name}-a/0` as WorkerId;

function world(): View {
  const nodes = NAMES.map((name) => {
    const [nodeId, region] = [`${name}-a` as NodeId, name as RegionId];
    const worker = { workerId: workerOf(name), nodeId, region, cpu: 0, streams: 0, reserved: 0, capacity: 1e6 };
    return { nodeId, incarnation: '1', region, state: 'healthy' as const, workers: [worker] };
  });
  return { nodes, rttMs };
}

/** One publisher, and as many viewers in each region as its weight says. */
function audience({ source, weights }: Case): Demand {
  const targets = NAMES.filter((name) => name !== source);
  const peers = targets.flatMap((name) =>
    Array.from({ length: weightOf(name, weights) }, (_, i) => ({
      peerId: `${name}-${i}` as never,
      workerId: workerOf(name),
      role: 'viewer' as const,
    })),
  );
  return { ...demandOf([[workerOf(source), targets.map(workerOf)]]), peers };
}

function meanOf(view: View, made: Plan, one: Case, policy: Policy): number {
  const sites = sitesOf(view, policy);
  let sum = 0;
  let all = 0;
  for (const name of NAMES.filter((other) => other !== one.source)) {
    const path = pathOf(made, made.pipes[0]?.producerIds[0], workerOf(name)) ?? [];
    expect(path.length, `${name} is reached`).toBeGreaterThan(1);
    const legs = path.slice(1).map((to, i) => pipeMs(view, sites.get(path[i]) as Site, sites.get(to) as Site));
    sum += weightOf(name, one.weights) * legs.reduce((a, b) => a + b, 0);
    all += weightOf(name, one.weights);
  }
  return sum / all;
}

test('eighteen regions: planned trees are within 1 % of the exact optimum', () => {
  expect(solved).toHaveLength(CASES.length);
  const ratios = solved.map((one) => {
    const policy: Policy = { fanOutMax: one.fanOut, depthMax: NAMES.length, lingerMs: 0, regions: [] };
    const view = world();
    const ratio = meanOf(view, plan(view, audience(one), policy), one, policy) / one.meanMs;
    expect(ratio, 'better than the exact optimum').toBeGreaterThan(1 - 1e-4);
    return ratio;
  });
  const worst = Math.max(...ratios);
  const mean = ratios.reduce((a, b) => a + b, 0) / ratios.length;
  console.log(
    `planned / optimum, 18 regions, ${ratios.length} cases: mean ${mean.toFixed(4)}, worst ${worst.toFixed(4)}`,
  );
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
  const ratios: number[] = [];
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
      ratios.push(delayOf(legs, tree) / best);
      expect(delayOf(legs, tree)).toBeGreaterThanOrEqual(best - 1e-6);
    }),
    { numRuns: 200, seed: 7 },
  );
  const mean = ratios.reduce((a, b) => a + b, 0) / ratios.length;
  console.log(
    `tree / optimum, ${ratios.length} cases of 6: mean ${mean.toFixed(4)}, worst ${Math.max(...ratios).toFixed(3)}`,
  );
  expect(ratios.length).toBeGreaterThan(100);
  expect(mean).toBeLessThan(1.01);
});
