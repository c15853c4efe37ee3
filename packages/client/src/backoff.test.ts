import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { ClusterError } from '@veilcast/protocol';
import { backoffMs, mayJoinAgain } from './backoff.ts';

it('tries at once, then ever slower up to a bound, and never before the server allows', () => {
  fc.assert(
    fc.property(
      fc.nat(40),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.nat(60_000),
      (tries, jitter, retryMs) => {
        expect(backoffMs(0, jitter)).toBe(0);
        expect(backoffMs(tries, jitter)).toBeLessThanOrEqual(6_000);
        expect(backoffMs(tries + 1, jitter)).toBeGreaterThanOrEqual(backoffMs(tries, jitter));
        expect(backoffMs(tries, jitter, retryMs)).toBeGreaterThanOrEqual(retryMs);
      },
    ),
  );
});

it('joins again for as long as the cluster changes hands, a few times where another may work, and never where none can', () => {
  const owner = new ClusterError('NOT_OWNER');
  expect([mayJoinAgain(owner, 40, 10_000), mayJoinAgain(owner, 40, 20_000)]).toEqual([true, false]);
  const full = new ClusterError('CLUSTER_FULL', undefined, { retryMs: 2_000 });
  expect([mayJoinAgain(full, 1, 0), mayJoinAgain(full, 3, 0)]).toEqual([true, false]);
  expect(mayJoinAgain(new ClusterError('ROOM_FULL'), 1, 0)).toBe(false);
});
