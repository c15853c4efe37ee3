import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('tries at once, then ever slower up to a bound, and never before the server allows', () => {
  fc.assert(
    fc.property(
      fc.nat(40),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.nat(60_000),
      (tries, jitter, retryMs) => {
        expect(backoffMs(0, jitter)).toBe(0);
        expect(backoffMs(tries, jitter)).toBeLessThanOrEqual(12_000);
        expect(backoffMs(tries + 1, jitter)).toBeGreaterThanOrEqual(backoffMs(tries, jitter));
        expect(backoffMs(tries, jitter, retryMs)).toBeGreaterThanOrEqual(retryMs);
      },
    ),
  );
});
