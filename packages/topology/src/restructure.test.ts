/** Laws of trees that are laid anew, of what is measured, and of whom a Node measures. */
import type { NodeId, ProducerId, RegionId, WorkerId } from '@veilcast/protocol';
import { seededRandom } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { rttBetween } from './distances.ts';
import type { Plan, Policy, View } from './model.ts';
import { median, pathsOf } from './paths.ts';
import { place } from './place.ts';
import { plan } from './plan.ts';
import { PROBE_TARGETS_MAX, probeTargets } from './probes.ts';
import { GAIN_MS_MIN, meanDelays, restructured } from './restructure.ts';
import { demandOf, REGIONS, views, worlds } from './worlds.fixture.ts';

const policy: Policy = { fanOutMax: 3, depthMax: 6, lingerMs: 0, regions: [] };

function edgesOf(made: Plan, producerId: ProducerId): string[] {
  return made.pipes.filter((pipe) => pipe.producerIds.includes(producerId)).map((pipe) => pipe.pipeId as string);
}

/** As the View names it. */
function pairOf(a = '', b = ''): string {
  return a < b ? `${a}>${b}` : `${b}>${a}`;
}

/** A network in which every pair was measured once, and another one a day later. */
const twoDays = worlds(fc.constant(policy)).chain((world) =>
  fc.tuple(views({ min: 1, max: 1 }), views({ min: 1, max: 1 })).map(([a, b]) => ({
    ...world,
    before: { ...world.view, rttMs: a.rttMs },
    after: { ...world.view, rttMs: b.rttMs },
  })),
);

test('a Plan is laid anew only for a gain, and what gains nothing is left as it is', () => {
  let moved = 0;
  fc.assert(
    fc.property(twoDays, ({ before, after, demand }) => {
      const old = plan(before, demand, policy);
      const next = restructured(after, demand, policy, old);
      if (!next) return;
      moved += 1;
      const [was, is] = [meanDelays(after, demand, policy, old), meanDelays(after, demand, policy, next)];
      const gains = [...was].map(([id, ms]) => ms - (is.get(id) ?? Number.POSITIVE_INFINITY));
      expect(Math.max(...gains)).toBeGreaterThanOrEqual(GAIN_MS_MIN);
      // Everybody is still reached, and who gains nothing is left alone.
      expect([...is.keys()].sort()).toEqual([...was.keys()].sort());
      const roots = new Map(demand.producers.map((one) => [one.producerId, one.workerId]));
      const gaining = new Set<WorkerId | undefined>();
      for (const [id, ms] of was) if (ms - (is.get(id) ?? 0) >= GAIN_MS_MIN) gaining.add(roots.get(id));
      for (const producerId of was.keys()) {
        if (!gaining.has(roots.get(producerId))) expect(edgesOf(next, producerId)).toEqual(edgesOf(old, producerId));
      }
    }),
    { numRuns: 300 },
  );
  expect(moved).toBeGreaterThan(10);
});

test('a Plan just made is not laid anew', () => {
  fc.assert(
    fc.property(worlds(fc.constant(policy)), ({ view, demand }) => {
      expect(restructured(view, demand, policy, plan(view, demand, policy))).toBeUndefined();
    }),
  );
});

test('a dear region sends as little as the tree allows', () => {
  const names = ['eu', 'us', 'ap'] as RegionId[];
  const view: View = {
    nodes: names.map((region) => ({
      nodeId: region as string as NodeId,
      incarnation: 'a',
      region,
      state: 'healthy',
      workers: [
        {
          workerId: `${region}/0` as WorkerId,
          nodeId: region as string as NodeId,
          region,
          cpu: 0,
          streams: 0,
          reserved: 0,
          capacity: 9,
        },
      ],
    })),
    rttMs: new Map([
      ['eu>us', 80],
      ['ap>eu', 160],
      ['ap>us', 120],
    ]),
  };
  const demand = demandOf([['eu/0' as WorkerId, ['us/0', 'ap/0'] as WorkerId[]]]);
  expect(plan(view, demand, policy).pipes.map(({ pipeId }) => pipeId)).toEqual(['eu/0>ap/0', 'eu/0>us/0']);
  const dear = { ...policy, egressMs: { eu: 100 } };
  // It must send once; what us passes on is cheaper than a second time.
  expect(plan(view, demand, dear).pipes.map(({ pipeId }) => pipeId)).toEqual(['eu/0>us/0', 'us/0>ap/0']);
});

test('a pair of regions is as far as the median of its Nodes, and an unmeasured one no farther than its best detour', () => {
  fc.assert(
    fc.property(
      views({ min: 2, max: 6 }),
      fc.array(fc.tuple(fc.nat(5), fc.nat(5), fc.integer({ min: 1, max: 400 }))),
      (view, figures) => {
        const nodeAt = (index: number) => view.nodes[index % view.nodes.length];
        const measured = figures.map(([a, b, rttMs]) => ({
          from: nodeAt(a).nodeId,
          to: nodeAt(b).nodeId,
          rttMs,
          lossRatio: 0,
        }));
        const regionOf = (nodeId: NodeId) => view.nodes.find((node) => node.nodeId === nodeId)?.region;
        const { rttMs, paths } = pathsOf(measured, regionOf);
        for (const [pair, ms] of rttMs) {
          const of = measured.filter(({ from, to }) => pairOf(regionOf(from), regionOf(to)) === pair);
          expect(ms).toBe(median(of.map((one) => one.rttMs)));
        }
        for (const pair of paths.keys()) expect(pair.split('>')[0]).not.toBe(pair.split('>')[1]);
        for (const a of REGIONS)
          for (const b of REGIONS)
            for (const via of REGIONS) {
              if (a === b) continue;
              const [one, other] = [rttMs.get(pairOf(a, via)), rttMs.get(pairOf(via, b))];
              if (one === undefined || other === undefined || rttMs.has(pairOf(a, b))) continue;
              expect(rttBetween({ ...view, rttMs }, REGIONS, a, b)).toBeLessThanOrEqual(one + other);
            }
      },
    ),
  );
});

test('a Node measures whom it has Pipes with and every region, never itself or more than the bound', () => {
  fc.assert(
    fc.property(views({ min: 1, max: 60 }), fc.nat(), fc.nat(99), (view, pick, seed) => {
      const node = view.nodes[pick % view.nodes.length];
      const linked = view.nodes.slice(0, 3).map((one) => one.nodeId);
      const targets = probeTargets(view, node.nodeId, linked, seededRandom(seed));
      expect(new Set(targets).size).toBe(targets.length);
      expect(targets.length).toBeLessThanOrEqual(PROBE_TARGETS_MAX);
      expect(targets).not.toContain(node.nodeId);
      for (const one of linked) if (one !== node.nodeId) expect(targets).toContain(one);
      const regions = new Set(targets.map((id) => view.nodes.find((one) => one.nodeId === id)?.region));
      for (const { region } of view.nodes) if (region !== node.region) expect(regions).toContain(region);
    }),
  );
});

test('a Room stays on one version and a new one goes to the newest, where there is room; a Peer only where it may', () => {
  fc.assert(
    fc.property(
      views({ min: 2, max: 6 }),
      fc.array(fc.constantFrom('0.9.1', '0.10.0'), { minLength: 6 }),
      fc.nat(),
      (seen, versions, seed) => {
        const nodes = seen.nodes.map((node, i) => ({ ...node, region: 'eu' as RegionId, version: versions[i] }));
        const view = { ...seen, nodes };
        const ask = (present: WorkerId[], regions: RegionId[] = []) =>
          place(
            view,
            { role: 'viewer', probes: [], present: new Map(present.map((id) => [id, 1])), excluded: new Set(present) },
            { ...policy, regions },
            seededRandom(seed),
          );
        const versionOf = (made: ReturnType<typeof place>) =>
          made.kind === 'placed' ? nodes.find((node) => node.nodeId === made.nodeId)?.version : undefined;
        expect(versionOf(ask([]))).toBe(nodes.some((node) => node.version === '0.10.0') ? '0.10.0' : '0.9.1');
        const first = nodes[0];
        const others = nodes.filter((node, i) => i > 0 || node.workers.length > 1);
        const made = ask([first.workers[0].workerId]);
        if (others.some((node) => node.version === first.version)) expect(versionOf(made)).toBe(first.version);
        expect(ask([], ['us' as RegionId])).toEqual({ kind: 'refused', code: 'NO_REGION' });
      },
    ),
  );
});
