/** How far planned trees are from the exact optimum of each case (optimum.json), in the mean delay of all viewers. */
import type { NodeId, ProducerId, RegionId, RoomId, WorkerId } from '@veilcast/protocol';
import { readFileSync } from 'node:fs';
import { pathOf } from '../src/explain.ts';
import type { Demand, Plan, Policy, View } from '../src/model.ts';
import { plan } from '../src/plan.ts';
import { pipeMs, sitesOf, type Site } from '../src/sites.ts';
import { NAMES, rttMs, weightOf, type Case } from './world.ts';

type Solved = Case & { readonly meanMs: number };
const SOLVED = JSON.parse(readFileSync(new URL('optimum.json', import.meta.url), 'utf8')) as Solved[];
const PRODUCER = 'p0' as ProducerId;

const workerOf = (name: string): WorkerId => `${name}-a/0` as WorkerId;

/** A Node with one Worker in each region. */
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
  return {
    roomId: 'room' as RoomId,
    peers: targets.flatMap((name) =>
      Array.from({ length: weightOf(name, weights) }, (_, i) => ({
        peerId: `${name}-${i}` as never,
        workerId: workerOf(name),
        role: 'viewer' as const,
      })),
    ),
    producers: [{ producerId: PRODUCER, workerId: workerOf(source), kind: 'video' }],
    wants: targets.map((name) => ({ producerId: PRODUCER, workerId: workerOf(name) })),
  };
}

/** @throws RangeError when a region is not reached */
function meanOf(view: View, made: Plan, one: Case, policy: Policy): number {
  const sites = sitesOf(view, policy);
  let sum = 0;
  let all = 0;
  for (const name of NAMES.filter((other) => other !== one.source)) {
    const path = pathOf(made, PRODUCER, workerOf(name)) ?? [];
    if (path.length < 2) throw new RangeError(`${name} is not reached`);
    const legs = path.slice(1).map((to, i) => pipeMs(view, sites.get(path[i]!) as Site, sites.get(to) as Site));
    sum += weightOf(name, one.weights) * legs.reduce((a, b) => a + b, 0);
    all += weightOf(name, one.weights);
  }
  return sum / all;
}

/** Planned / optimum, 1 or more, of each case. */
export function ratios(): readonly (Case & { readonly ratio: number })[] {
  const view = world();
  return SOLVED.map(({ meanMs, ...one }) => {
    const policy: Policy = { fanOutMax: one.fanOut, depthMax: NAMES.length, lingerMs: 0, regions: [] };
    return { ...one, ratio: meanOf(view, plan(view, audience(one), policy), one, policy) / meanMs };
  });
}
