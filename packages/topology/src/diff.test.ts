import type { PipeId, ProducerId, WorkerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { adopt } from './adopt.ts';
import { diff } from './diff.ts';
import type { Observed, ObservedEnd, Plan, Step } from './model.ts';
import { pipeIdOf } from './pipes.ts';
import { plan } from './plan.ts';
import { exactly, SimulatedCluster } from './simulated.fixture.ts';
import { anyPolicy, workerIdsOf, worlds, type World } from './worlds.fixture.ts';

function localOf({ demand }: World): Map<WorkerId, Set<ProducerId>> {
  const local = new Map<WorkerId, Set<ProducerId>>();
  for (const { producerId, workerId } of demand.producers) {
    local.set(workerId, (local.get(workerId) ?? new Set()).add(producerId));
  }
  return local;
}

const selector = (one: ObservedEnd): string => `${one.pipeId} ${one.workerId}`;

/** Ends of planned Pipes, of others, with anything in them. */
function garbage(world: World, made: Plan): fc.Arbitrary<ObservedEnd[]> {
  const workers = workerIdsOf(world.view);
  const pairs = fc.tuple(fc.constantFrom(...workers), fc.constantFrom(...workers)).map(([a, b]) => pipeIdOf(a, b));
  const producers = world.demand.producers.map((producer) => producer.producerId);
  const end = fc.record({
    pipeId: fc.oneof(fc.constantFrom('junk' as PipeId, ...made.pipes.map((pipe) => pipe.pipeId)), pairs),
    workerId: fc.constantFrom(...workers),
    connected: fc.boolean(),
    sends: fc.subarray(producers),
    receives: fc.subarray(producers),
    paused: fc.subarray(producers),
  });
  const halves = made.pipes.map((pipe) =>
    fc.tuple(fc.subarray([...pipe.producerIds]), fc.subarray([...pipe.producerIds])).map(([sends, receives]) => [
      { pipeId: pipe.pipeId, workerId: pipe.from, connected: true, sends, receives: [], paused: sends.slice(1) },
      { pipeId: pipe.pipeId, workerId: pipe.to, connected: true, sends: [], receives, paused: [] },
    ]),
  );
  const joined = fc.tuple(...halves).chain((all) => fc.subarray(all.flat()));
  return fc
    .tuple(joined, fc.uniqueArray(end, { maxLength: 12, selector }))
    .map(([some, more]) => [...new Map([...some, ...more].map((one) => [selector(one), one])).values()]);
}

const started = worlds(anyPolicy).chain((world) => {
  const made = plan(world.view, world.demand, world.policy);
  return garbage(world, made).map((ends) => ({ world, made, ends }));
});

/** Does all steps, those of one Pipe in order and different Pipes mixed; the rest of a Pipe's is dropped after a refusal. */
function applyMixed(cluster: SimulatedCluster, steps: readonly Step[], order: () => number): void {
  const queues = new Map<PipeId, Step[]>();
  for (const step of steps) queues.set(step.pipeId, [...(queues.get(step.pipeId) ?? []), step]);
  while (queues.size > 0) {
    const keys = [...queues.keys()];
    const pipeId = keys[Math.floor(order() * keys.length)];
    const [step, ...rest] = queues.get(pipeId) ?? [];
    const done = step ? cluster.apply(step) : false;
    if (done && rest.length > 0) queues.set(pipeId, rest);
    else queues.delete(pipeId);
  }
}

describe('diff', () => {
  test('is empty when what is observed is what is planned', () => {
    fc.assert(
      fc.property(worlds(anyPolicy), (world) => {
        const made = plan(world.view, world.demand, world.policy);
        expect(diff(made, exactly(made, localOf(world)))).toEqual([]);
      }),
    );
  });

  test('brings any state to the Plan in rounds bounded by its depth, whatever order the Pipes take', () => {
    fc.assert(
      fc.property(
        started,
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        ({ world, made, ends }, order) => {
          const cluster = new SimulatedCluster(localOf(world), ends);
          const random = (): number => order.next().value as number;
          const bound = 6 + 2 * made.routers.length;
          let rounds = 0;
          for (let steps = diff(made, cluster.observe()); steps.length > 0; steps = diff(made, cluster.observe())) {
            applyMixed(cluster, steps, random);
            rounds += 1;
            expect(rounds).toBeLessThanOrEqual(bound);
          }
          expect(cluster.duplicates).toBe(0);
          expect(cluster.deaf()).toEqual([]);
          expect(sorted(cluster.observe())).toEqual(sorted(exactly(made, localOf(world))));
        },
      ),
    );
  });

  test('carries only what is upstream already, and leaves the order of one Pipe usable', () => {
    fc.assert(
      fc.property(started, ({ world, made, ends }) => {
        const observed = new SimulatedCluster(localOf(world), ends).observe();
        const here = new Map(observed.routers.map((router) => [router.workerId, router.producerIds]));
        for (const step of diff(made, observed)) {
          if (step.kind !== 'carry') continue;
          expect(here.get(step.from)).toContain(step.producerId);
          const into = made.pipes.find((pipe) => pipe.to === step.from && pipe.producerIds.includes(step.producerId));
          const sources = observed.ends.filter(
            (end) => end.workerId === step.from && end.receives.includes(step.producerId),
          );
          for (const source of sources) expect(source.pipeId).toBe(into?.pipeId);
        }
      }),
    );
  });

  test('closes all when nothing is wanted', () => {
    fc.assert(
      fc.property(started, ({ world, made, ends }) => {
        const steps = diff({ ...made, routers: [], pipes: [] }, new SimulatedCluster(localOf(world), ends).observe());
        expect(steps.map((step) => step.kind)).toEqual(ends.map(() => 'closePipe'));
      }),
    );
  });

  test('adopting what runs gives a Plan that has nothing left to do', () => {
    fc.assert(
      fc.property(worlds(anyPolicy), (world) => {
        const made = plan(world.view, world.demand, world.policy);
        const observed = exactly(made, localOf(world));
        const adopted = adopt(world.demand.roomId, observed);
        expect(diff(adopted, observed)).toEqual([]);
        const roomy = { ...world.policy, fanOutMax: 24, depthMax: 6 };
        const roomily = plan(world.view, world.demand, roomy);
        const taken = adopt(world.demand.roomId, exactly(roomily, localOf(world)));
        expect(plan(world.view, world.demand, roomy, taken)).toEqual(roomily);
      }),
    );
  });
});

function sorted(observed: Observed): unknown {
  const ends = observed.ends.map((end) => ({
    ...end,
    sends: [...end.sends].sort(),
    receives: [...end.receives].sort(),
    paused: [...end.paused].sort(),
  }));
  return ends.sort((a, b) => (`${a.pipeId} ${a.workerId}` < `${b.pipeId} ${b.workerId}` ? -1 : 1));
}
