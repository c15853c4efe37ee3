import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '@veilcast/protocol';
import { ACTS } from '../words/acts.ts';
import { againAfterMs } from './again.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];
const jitter = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const full = (retryMs: number | undefined) => ({ code: 'CLUSTER_FULL' as const, retryMs });

describe('a join that was refused', () => {
  it('is tried again when the servers said, and never sooner', () => {
    fc.assert(
      fc.property(fc.nat(60_000), fc.integer({ min: 1, max: 40 }), jitter, (retryMs, tries, shake) => {
        const wait = againAfterMs(full(retryMs), tries, 0, shake);
        expect(wait).toBeGreaterThanOrEqual(retryMs);
        expect(wait).toBeLessThanOrEqual(Math.max(retryMs, 37_500));
      }),
    );
  });

  it('is left to the person where no time was named, or where another try is no help', () => {
    expect(againAfterMs(full(undefined), 1, 0, 0)).toBeUndefined();
    for (const code of codes) {
      expect(againAfterMs({ code, retryMs: 1_000 }, 1, 0, 0) !== undefined).toBe(ACTS[code] === 'again');
    }
  });

  it('is asked for less and less often, and not for ever', () => {
    let [waited, tries] = [0, 0];
    for (let wait: number | undefined = 0; wait !== undefined; waited += wait) {
      wait = againAfterMs(full(2_000), (tries += 1), waited, 0.5);
      if (wait === undefined) break;
    }
    expect(tries).toBeLessThan(20);
    expect(waited).toBeGreaterThan(4 * 60_000);
    expect(waited).toBeLessThanOrEqual(5 * 60_000);
  });
});
