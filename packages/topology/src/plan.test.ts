import type { NodeId, ProducerId, RegionId, WorkerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pathOf } from './explain.ts';
import type { Demand, Plan, Policy, View } from './model.ts';
import { plan } from './plan.ts';
import { anyPolicy, demandOf, REGIONS, views, workerIdsOf, worlds, type World } from './worlds.fixture.ts';

/** Which Workers of the world want each Producer, as the planner must see it. */
function wanted({ view, demand, policy }: World): Map<ProducerId, { root: WorkerId; at: Set<WorkerId> }> {
  const regions = regionsOf(view);
  const usable = (worker: WorkerId): boolean => {
    const region = regions.get(worker);
    return region !== undefined && (policy.regions.length === 0 || policy.regions.includes(region));
  };
  const result = new Map<ProducerId, { root: WorkerId; at: Set<WorkerId> }>();
  for (const { producerId, workerId } of demand.producers) {
    const at = demand.wants.filter((want) => want.producerId === producerId && usable(want.workerId));
    const others = new Set(at.map((want) => want.workerId).filter((worker) => worker !== workerId));
    result.set(producerId, { root: workerId, at: usable(workerId) ? others : new Set() });
  }
  return result;
}

function regionsOf(view: View): Map<WorkerId, RegionId> {
  return new Map(view.nodes.flatMap((node) => node.workers.map((worker) => [worker.workerId, node.region])));
}

function edgesOf(made: Plan, producerId: ProducerId): { from: WorkerId; to: WorkerId }[] {
  return made.pipes.filter((pipe) => pipe.producerIds.includes(producerId));
}

function carried(made: Plan): Set<string> {
  return new Set(made.pipes.flatMap((pipe) => pipe.producerIds.map((producerId) => `${pipe.pipeId} ${producerId}`)));
}

function fanOut(made: Plan): number {
  const out = new Map<WorkerId, number>();
  for (const pipe of made.pipes) out.set(pipe.from, (out.get(pipe.from) ?? 0) + 1);
  return Math.max(0, ...out.values());
}

function depth(made: Plan): number {
  const paths = made.pipes.flatMap((pipe) => pipe.producerIds.map((id) => pathOf(made, id, pipe.to)?.length ?? 0));
  return Math.max(0, ...paths.map((length) => length - 1));
}

const roomy: Policy = { fanOutMax: 24, depthMax: 6, lingerMs: 0, regions: [] };

describe('a Plan', () => {
  test('is a tree for each Producer, rooted at it, whose leaves want it and which reaches all who do', () => {
    fc.assert(
      fc.property(worlds(anyPolicy), (world) => {
        const made = plan(world.view, world.demand, world.policy);
        for (const [producerId, { root, at }] of wanted(world)) {
          const edges = edgesOf(made, producerId);
          expect(new Set(edges.map((edge) => edge.to)).size).toBe(edges.length);
          expect(edges.some((edge) => edge.to === root)).toBe(false);
          for (const worker of at) expect(pathOf(made, producerId, worker)?.[0]).toBe(root);
          const relays = new Set(edges.map((edge) => edge.from));
          for (const { to } of edges) expect(relays.has(to) || at.has(to)).toBe(true);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('has one Pipe for an ordered pair of Workers, each alive and in a region of the policy', () => {
    fc.assert(
      fc.property(worlds(anyPolicy), ({ view, demand, policy }) => {
        const made = plan(view, demand, policy);
        const regions = regionsOf(view);
        expect(new Set(made.pipes.map((pipe) => `${pipe.from} ${pipe.to}`)).size).toBe(made.pipes.length);
        for (const { workerId } of made.routers) {
          const region = regions.get(workerId);
          expect(region && (policy.regions.length === 0 || policy.regions.includes(region))).toBe(true);
        }
        const routers = new Set(made.routers.map((router) => router.workerId));
        for (const pipe of made.pipes) expect(routers.has(pipe.from) && routers.has(pipe.to)).toBe(true);
      }),
    );
  });

  test('never sends on more Pipes out of a Worker than the policy allows', () => {
    fc.assert(
      fc.property(worlds(anyPolicy), ({ view, demand, policy }) => {
        expect(fanOut(plan(view, demand, policy))).toBeLessThanOrEqual(policy.fanOutMax);
      }),
    );
  });

  test('is as shallow as the policy says where a tree of that depth and fan-out has room for all', () => {
    const policies = fc.record({ fanOutMax: fc.integer({ min: 2, max: 4 }), depthMax: fc.integer({ min: 2, max: 5 }) });
    fc.assert(
      fc.property(views({ min: 1, max: 8 }), policies, fc.nat(), (view, bounds, pick) => {
        const workers = workerIdsOf(view);
        const root = workers[pick % workers.length];
        const room = Array.from({ length: bounds.depthMax }, (_, level) => bounds.fanOutMax ** (level + 1));
        const targets = workers
          .filter((worker) => worker !== root)
          .slice(
            0,
            room.reduce((a, b) => a + b, 0),
          );
        const made = plan(view, demandOf([[root, targets]]), { ...roomy, ...bounds });
        expect(depth(made)).toBeLessThanOrEqual(bounds.depthMax);
      }),
    );
  });

  test('crosses into a region once for each Producer where the bounds leave room', () => {
    fc.assert(
      fc.property(worlds(fc.constant(roomy)), (world) => {
        const made = plan(world.view, world.demand, world.policy);
        const regions = regionsOf(world.view);
        for (const producerId of wanted(world).keys()) {
          const long = edgesOf(made, producerId).filter((edge) => regions.get(edge.from) !== regions.get(edge.to));
          expect(new Set(long.map((edge) => regions.get(edge.to))).size).toBe(long.length);
        }
      }),
    );
  });

  test('keeps back on each Pipe just what nobody below it looks at', () => {
    fc.assert(
      fc.property(worlds(anyPolicy), ({ view, demand, policy }) => {
        const made = plan(view, demand, policy);
        for (const { to, producerIds, idle } of made.pipes) {
          const looking = (producerId: ProducerId, at: WorkerId): boolean =>
            demand.wants.some((want) => want.producerId === producerId && want.workerId === at && !want.idle) ||
            made.pipes.some((below) => {
              return below.from === at && below.producerIds.includes(producerId) && looking(producerId, below.to);
            });
          expect(idle).toEqual(producerIds.filter((producerId) => !looking(producerId, to)));
        }
      }),
    );
  });

  test('does not depend on the order of the demand', () => {
    fc.assert(
      fc.property(worlds(anyPolicy), ({ view, demand, policy }) => {
        const turned: Demand = {
          ...demand,
          producers: demand.producers.toReversed(),
          wants: demand.wants.toReversed(),
        };
        expect(plan(view, turned, policy)).toEqual(plan(view, demand, policy));
      }),
    );
  });

  test('planned again from itself is itself', () => {
    fc.assert(
      fc.property(worlds(fc.constant(roomy)), ({ view, demand, policy }) => {
        const made = plan(view, demand, policy);
        expect(plan(view, demand, policy, made)).toEqual(made);
      }),
    );
  });
});

describe('a change', () => {
  const policies = fc.constant({ ...roomy, fanOutMax: 6, depthMax: 5 });

  test('of one want more stops nothing that ran, of one less starts nothing', () => {
    fc.assert(
      fc.property(worlds(policies), fc.nat(), ({ view, demand, policy }, pick) => {
        fc.pre(demand.wants.length > 0);
        const index = pick % demand.wants.length;
        const fewer = { ...demand, wants: demand.wants.filter((_, i) => i !== index) };
        const small = plan(view, fewer, policy);
        const grown = carried(plan(view, demand, policy, small));
        for (const edge of carried(small)) expect(grown).toContain(edge);
        const large = plan(view, demand, policy);
        const shrunk = carried(plan(view, fewer, policy, large));
        for (const edge of shrunk) expect(carried(large)).toContain(edge);
      }),
    );
  });

  test('by the death of a Node moves only what was fed through it', () => {
    fc.assert(
      fc.property(worlds(policies), fc.nat(), ({ view, demand, policy }, pick) => {
        const dead = view.nodes[pick % view.nodes.length];
        const workers = new Set(dead?.workers.map((worker) => worker.workerId));
        const before = plan(view, demand, policy);
        const left = { ...view, nodes: view.nodes.map((n) => (n === dead ? { ...n, state: 'gone' as const } : n)) };
        const after = carried(plan(left, demand, policy, before));
        const alive = wanted({
          view: { ...left, nodes: left.nodes.filter((n) => n.state !== 'gone') },
          demand,
          policy,
        });
        for (const [producerId, { at }] of alive) {
          for (const worker of at) {
            const path = pathOf(before, producerId, worker) ?? [];
            if (path.some((on) => workers.has(on))) continue;
            for (const [i, on] of path.entries()) {
              if (i > 0) expect(after).toContain(`${path[i - 1]}>${on} ${producerId}`);
            }
          }
        }
      }),
    );
  });

  test('by the death of a Node opens no more Pipes than it fed: what hung together below it stays together', () => {
    const nodes = Array.from({ length: 120 }, (_, at) => {
      const [nodeId, region] = [`n${at}` as NodeId, REGIONS[at % REGIONS.length]];
      const worker = {
        workerId: `n${at}/0` as WorkerId,
        nodeId,
        region,
        cpu: 0,
        streams: 0,
        reserved: 0,
        capacity: 1e6,
      };
      return { nodeId, incarnation: '1', region, state: 'healthy' as const, workers: [worker] };
    });
    const view: View = { nodes, rttMs: new Map() };
    const policy: Policy = { fanOutMax: 3, depthMax: 12, lingerMs: 0, regions: [] };
    const [source, ...others] = nodes.map(({ workers: [worker] }) => worker.workerId) as [WorkerId, ...WorkerId[]];
    const demand = demandOf([[source, others]]);
    const before = plan(view, demand, policy);
    const known = new Set(before.pipes.map(({ pipeId }) => pipeId));
    for (const dead of others) {
      const left = { ...view, nodes: nodes.filter(({ workers: [worker] }) => worker.workerId !== dead) };
      const after = plan(left, demandOf([[source, others.filter((workerId) => workerId !== dead)]]), policy, before);
      expect(after.pipes).toHaveLength(nodes.length - 2);
      const fed = before.pipes.filter(({ from }) => from === dead);
      const opened = after.pipes.filter(({ pipeId }) => !known.has(pipeId));
      expect(opened.length, dead).toBeLessThanOrEqual(fed.length);
    }
  });

  test('to draining takes no relay work and keeps what the Node itself needs', () => {
    const view: View = {
      nodes: ['a', 'b', 'c'].map((name) => ({
        nodeId: name as NodeId,
        incarnation: '1',
        region: (name === 'a' ? 'eu' : 'us') as RegionId,
        state: name === 'b' ? 'draining' : 'healthy',
        workers: [
          {
            workerId: `${name}/0` as WorkerId,
            nodeId: name as NodeId,
            region: (name === 'a' ? 'eu' : 'us') as RegionId,
            cpu: 0,
            streams: 0,
            reserved: 0,
            capacity: 9,
          },
        ],
      })),
      rttMs: new Map(),
    };
    const demand = demandOf([['a/0' as WorkerId, ['b/0', 'c/0'] as WorkerId[]]]);
    const made = plan(view, demand, roomy);
    expect(made.pipes.map((pipe) => pipe.pipeId)).toEqual(['a/0>c/0', 'c/0>b/0']);
  });
});
