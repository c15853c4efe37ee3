import { memoryCoordination, MemoryStore, type LeaseStore } from '@veilcast/coordination';
import { virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { holdLease, type HeldLease } from './lease.ts';

function setup() {
  const clock = virtualClock();
  const { leases } = memoryCoordination(new MemoryStore(clock));
  let lost = 0;
  const hold = (owner: string, over: LeaseStore = leases) =>
    holdLease({ leases: over, clock, key: 'room/demo', owner, ttlMs: 3000, onLost: () => (lost += 1) });
  return { clock, leases, hold, lost: () => lost };
}

test('a holder keeps it for as long as it lives; another is refused and told who holds it', async () => {
  const { clock, hold, lost } = setup();
  const held = await hold('a');
  await clock.advance(60_000);
  expect(held).toMatchObject({ kind: 'held', lost: false });
  expect(await hold('b')).toMatchObject({ kind: 'refused', lease: { owner: 'a' } });
  expect(lost()).toBe(0);
});

test('release frees it at once, stops all timers, and is never called a loss', async () => {
  const { clock, hold, lost } = setup();
  const held = (await hold('a')) as HeldLease;
  await held.release();
  await held.release();
  expect(clock.pending()).toBe(0);
  const next = (await hold('b')) as HeldLease;
  expect(next.lease.term).toBeGreaterThan(held.lease.term);
  await next.release();
  expect(lost()).toBe(0);
});

test('one taken away is lost, once', async () => {
  const { clock, leases, hold, lost } = setup();
  const held = (await hold('a')) as HeldLease;
  await leases.release(held.lease);
  await hold('b');
  await clock.advance(1000);
  expect(held.lost).toBe(true);
  expect(lost()).toBe(1);
  await clock.advance(10_000);
  expect(lost()).toBe(1);
});

test('however the store fails, two never believe to hold it at the same time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ fails: fc.boolean(), delayMs: fc.nat(2500) }), { minLength: 1, maxLength: 30 }),
      async (fates) => {
        const { clock, leases, hold } = setup();
        let at = 0;
        const flaky: LeaseStore = {
          ...leases,
          renew: async (lease, ttlMs) => {
            const fate = fates[(at += 1) % fates.length];
            const renewed = leases.renew(lease, ttlMs);
            await new Promise<void>((resolve) => void clock.after(fate?.delayMs ?? 0, resolve));
            if (fate?.fails) throw new Error('unreachable');
            return renewed;
          },
        };
        const first = (await hold('a', flaky)) as HeldLease;
        for (let step = 0; step < 120; step += 1) {
          await clock.advance(250);
          const second = await hold('b');
          if (second.kind === 'held') {
            expect(first.lost).toBe(true);
            return;
          }
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('a store that is silent makes it lost when its time is over', async () => {
  const { clock, leases, hold, lost } = setup();
  await hold('a', { ...leases, renew: () => new Promise(() => undefined) });
  await clock.advance(2_999);
  expect(lost()).toBe(0);
  await clock.advance(1);
  expect(lost()).toBe(1);
});
