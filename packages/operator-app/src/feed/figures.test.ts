import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { PAST_MAX, remember, type Moment } from './figures.ts';

function moment(at: number): Moment {
  return { at, people: 0, rooms: 0, packetsPerSecond: 0, bitsPerSecond: 0, busiest: 0, slowestMs: null, worstLoss: 0 };
}

it('the past is bounded, in order, and ends with what came last', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 900 }), (steps) => {
      let past: readonly Moment[] = [];
      let at = 0;
      for (const step of steps) {
        // Now and then the cluster's clock goes back.
        at = step === 0 ? Math.max(0, at - 10_000) : at + (step % 3);
        past = remember(past, moment(at));
        expect(past.at(-1)?.at).toBe(at);
      }
      expect(past.length).toBeLessThanOrEqual(PAST_MAX);
      for (const [i, { at: when }] of past.entries()) expect(when).toBeGreaterThan(past[i - 1]?.at ?? -1);
    }),
  );
});
