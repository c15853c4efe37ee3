/** Random clusters, demands and plans for the properties of this package. */
import type { NodeId, ProducerId, RegionId, RoomId, WorkerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import type { Demand, NodeView, Policy, View } from './model.ts';

export const REGIONS = ['eu', 'us', 'ap', 'sa'] as RegionId[];

export interface World {
  readonly view: View;
  readonly demand: Demand;
  readonly policy: Policy;
}

/** A cluster of a few nodes in up to four regions; each node has up to three workers. */
export function views(nodes: { min: number; max: number }): fc.Arbitrary<View> {
  const node = fc.record({ region: fc.constantFrom(...REGIONS), workers: fc.integer({ min: 1, max: 3 }) });
  const rtts = fc.array(fc.option(fc.integer({ min: 5, max: 300 })), { minLength: 6, maxLength: 6 });
  return fc
    .tuple(fc.array(node, { minLength: nodes.min, maxLength: nodes.max }), rtts)
    .map(([shapes, pairs]) => ({ nodes: shapes.map(nodeOf), rttMs: rttsOf(pairs) }));
}

function nodeOf({ region, workers }: { region: RegionId; workers: number }, index: number): NodeView {
  const nodeId = `n${index}` as NodeId;
  return {
    nodeId,
    incarnation: 'a',
    region,
    state: 'healthy',
    workers: Array.from({ length: workers }, (_, worker) => ({
      workerId: `${nodeId}/${worker}` as WorkerId,
      nodeId,
      region,
      cpu: 0,
      streams: 0,
      reserved: 0,
      capacity: 100,
    })),
  };
}

function rttsOf(pairs: readonly (number | null)[]): Map<string, number> {
  const rttMs = new Map<string, number>();
  const names = REGIONS.flatMap((a, i) => REGIONS.slice(i + 1).map((b) => `${a}>${b}`));
  names.forEach((name, i) => {
    const rtt = pairs[i];
    if (typeof rtt === 'number') rttMs.set(name, rtt);
  });
  return rttMs;
}

export function workerIdsOf(view: View): WorkerId[] {
  return view.nodes.flatMap((node) => node.workers.map((worker) => worker.workerId));
}

/** Wants name workers and producers of the world, and sometimes ones that are not in it. */
export function worlds(policies: fc.Arbitrary<Policy>, nodes = { min: 1, max: 6 }): fc.Arbitrary<World> {
  return fc.tuple(views(nodes), policies).chain(([view, policy]) => {
    const workers = fc.constantFrom(...workerIdsOf(view), 'nowhere/0' as WorkerId);
    const publishers = fc.array(fc.tuple(workers, fc.array(workers, { maxLength: 8 })), { maxLength: 8 });
    // Every so manieth want is one that nobody looks at; of most worlds none is.
    return fc.tuple(publishers, fc.constantFrom(1, 2, 3, 99, 99, 99)).map(([published, every]) => {
      const demand = demandOf(published);
      const wants = demand.wants.map((want, at) => (at % every === every - 1 ? { ...want, idle: true } : want));
      return { view, policy, demand: { ...demand, wants } };
    });
  });
}

/** One Producer for each entry: where it is and where it is wanted. */
export function demandOf(publishers: readonly (readonly [WorkerId, readonly WorkerId[]])[]): Demand {
  const named = publishers.map(([workerId, wantedAt], index) => ({
    producerId: `p${index}` as ProducerId,
    workerId,
    kind: 'video' as const,
    wantedAt: [...new Set(wantedAt)],
  }));
  return {
    roomId: 'room' as RoomId,
    peers: [],
    producers: named.map(({ producerId, workerId, kind }) => ({ producerId, workerId, kind })),
    wants: named.flatMap(({ producerId, wantedAt }) => wantedAt.map((workerId) => ({ producerId, workerId }))),
  };
}

export const anyPolicy: fc.Arbitrary<Policy> = fc.record({
  fanOutMax: fc.constantFrom(2, 2, 3, 6),
  depthMax: fc.integer({ min: 1, max: 6 }),
  lingerMs: fc.constant(1000),
  regions: fc.subarray(REGIONS),
});
