import type { NodeId, RegionId, WorkerId } from '@veilcast/protocol';
import { expect, test } from 'vitest';
import { pathOf } from './explain.ts';
import type { Policy, View } from './model.ts';
import { plan } from './plan.ts';
import { pipeMs, sitesOf, type Site } from './sites.ts';
import { demandOf } from './worlds.fixture.ts';

/** Small enough to look at every tree: five Workers that want what a sixth publishes. */
const WANTING = 5;

function cluster(seed: number): View {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32;
  };
  const regions = Array.from({ length: 4 }, (_, i) => `r${i}` as RegionId);
  // Distances on a plane, as on a map: round trips in use obey the triangle nearly everywhere.
  const at = regions.map(() => [next() * 200, next() * 200] as const);
  const rttMs = new Map<string, number>();
  for (const [i, [x, y]] of at.entries()) {
    for (const [j, [u, v]] of at.entries()) rttMs.set(`r${i}>r${j}`, 5 + Math.hypot(x - u, y - v));
  }
  const nodes = Array.from({ length: WANTING + 1 }, (_, i) => {
    const region = regions[Math.floor(next() * regions.length)];
    const nodeId = `n${i}` as NodeId;
    const worker = { workerId: `n${i}/0` as WorkerId, nodeId, region, cpu: 0, streams: 0, reserved: 0, capacity: 9 };
    return { nodeId, incarnation: '1', region, state: 'healthy' as const, workers: [worker] };
  });
  return { nodes, rttMs };
}

/** The least mean delay of any tree within the bounds that enters each region once, by trying them all. */
function optimum(view: View, sites: readonly Site[], policy: Policy): number {
  const [root, ...rest] = sites as [Site, ...Site[]];
  let best = Number.POSITIVE_INFINITY;
  const attached = new Map<Site, { ms: number; depth: number; out: number }>([[root, { ms: 0, depth: 0, out: 0 }]]);
  const extend = (sum: number, left: readonly Site[]): void => {
    if (sum >= best) return;
    if (left.length === 0) {
      best = sum;
      return;
    }
    for (const site of left) {
      for (const [parent, reach] of attached) {
        if (reach.out >= policy.fanOutMax || reach.depth >= policy.depthMax) continue;
        const entered = [...attached.keys()].some((other) => other.region === site.region);
        if (entered && parent.region !== site.region) continue;
        const ms = reach.ms + pipeMs(view, parent, site);
        reach.out += 1;
        attached.set(site, { ms, depth: reach.depth + 1, out: 0 });
        extend(
          sum + ms,
          left.filter((other) => other !== site),
        );
        attached.delete(site);
        reach.out -= 1;
      }
    }
  };
  extend(0, rest);
  return best / rest.length;
}

test('delay of planned trees against the best of all trees', () => {
  const policy: Policy = { fanOutMax: 2, depthMax: 4, lingerMs: 0, regions: [] };
  const ratios: number[] = [];
  for (let seed = 1; seed <= 60; seed += 1) {
    const view = cluster(seed * 7919);
    const sites = [...sitesOf(view, policy).values()];
    const [root, ...targets] = sites.map((site) => site.workerId) as [WorkerId, ...WorkerId[]];
    const made = plan(view, demandOf([[root, targets]]), policy);
    const byId = new Map(sites.map((site) => [site.workerId, site]));
    const delays = targets.map((target) => {
      const path = pathOf(made, made.pipes[0]?.producerIds[0], target) ?? [];
      return path.slice(1).reduce((ms, to, i) => {
        return ms + pipeMs(view, byId.get(path[i]) as Site, byId.get(to) as Site);
      }, 0);
    });
    const mean = delays.reduce((a, b) => a + b, 0) / delays.length;
    ratios.push(mean / optimum(view, sites, policy));
  }
  ratios.sort((a, b) => a - b);
  const mean = ratios.reduce((a, b) => a + b, 0) / ratios.length;
  const worst = ratios.at(-1) ?? 0;
  console.log(
    `planned / optimum, fan-out 2, ${ratios.length} cases: mean ${mean.toFixed(3)}, worst ${worst.toFixed(3)}`,
  );
  expect(ratios[0]).toBeGreaterThanOrEqual(1 - 1e-9);
  expect(mean).toBeLessThan(1.1);
});
