import type { ProducerId, WorkerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linger, NOTHING_LINGERS } from './linger.ts';
import type { Demand, Policy } from './model.ts';
import { demandOf } from './worlds.fixture.ts';

const policy: Policy = { fanOutMax: 4, depthMax: 4, lingerMs: 100, regions: [] };
const workers = ['a/0', 'b/0', 'c/0'] as WorkerId[];

const steps = fc.array(
  fc.record({ later: fc.integer({ min: 0, max: 80 }), wantedAt: fc.subarray(workers), open: fc.boolean() }),
  { maxLength: 20 },
);

function demandAt(step: { wantedAt: WorkerId[]; open: boolean }): Demand {
  return demandOf(step.open ? [['root/0' as WorkerId, step.wantedAt]] : []);
}

function isIdle({ demand }: ReturnType<typeof linger>): boolean {
  return demand.wants[0]?.idle === true;
}

describe('linger', () => {
  test('keeps each want for lingerMs after it was last there, while its Producer is open', () => {
    fc.assert(
      fc.property(steps, (history) => {
        let state = NOTHING_LINGERS;
        let now = 0;
        const missedAt = new Map<WorkerId, number | undefined>();
        for (const step of history) {
          now += step.later;
          const lingered = linger(state, demandAt(step), policy, now);
          state = lingered.state;
          if (!step.open) missedAt.clear();
          for (const worker of workers) {
            if (step.open && step.wantedAt.includes(worker)) missedAt.set(worker, undefined);
            else if (missedAt.has(worker)) missedAt.set(worker, missedAt.get(worker) ?? now);
            const missed = missedAt.get(worker);
            if (missed !== undefined && now - missed >= policy.lingerMs) missedAt.delete(worker);
          }
          expect(new Set(lingered.demand.wants.map((want) => want.workerId))).toEqual(new Set(missedAt.keys()));
          const waiting = [...missedAt.values()].filter((missed) => missed !== undefined);
          const wakeAt = waiting.length > 0 ? Math.min(...waiting) + policy.lingerMs : undefined;
          expect(lingered.wakeAt).toBe(wakeAt);
          expect(state.size).toBe(missedAt.size);
        }
      }),
    );
  });

  test('a want that returns in time was never away', () => {
    const wanted = demandOf([['root/0' as WorkerId, ['a/0' as WorkerId]]]);
    const unwanted = { ...wanted, wants: [] };
    let { state } = linger(NOTHING_LINGERS, wanted, policy, 0);
    ({ state } = linger(state, unwanted, policy, 50));
    ({ state } = linger(state, wanted, policy, 90));
    const later = linger(state, unwanted, policy, 140);
    expect(later.demand.wants).toEqual([{ producerId: 'p0' as ProducerId, workerId: 'a/0' }]);
    expect(later.wakeAt).toBe(240);
  });

  test('calls a want idle only after nobody has looked for lingerMs, and watched at once when somebody does', () => {
    const watched = demandOf([['root/0' as WorkerId, ['a/0' as WorkerId]]]);
    const idle = { ...watched, wants: watched.wants.map((want) => ({ ...want, idle: true })) };
    const seen = linger(NOTHING_LINGERS, watched, policy, 0);
    const left = linger(seen.state, idle, policy, 50);
    expect([isIdle(seen), isIdle(left), left.wakeAt]).toEqual([false, false, 150]);
    const long = linger(left.state, idle, policy, 150);
    expect([isIdle(long), long.wakeAt]).toEqual([true, undefined]);
    expect(isIdle(linger(long.state, watched, policy, 151))).toBe(false);
  });
});
