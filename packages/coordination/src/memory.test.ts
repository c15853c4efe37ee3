import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import { coordinationContract } from './contract/index.ts';
import { memoryCoordination, MemoryStore } from './memory.ts';

coordinationContract(
  'memory',
  async () => {
    const clock = virtualClock();
    const store = new MemoryStore(clock);
    const view = () => memoryCoordination(store, { report: () => undefined });
    const views = [view(), view(), view()] as const;
    return {
      views,
      advance: (ms) => clock.advance(ms),
      forget: async () => store.forget(),
      close: async () => {
        await Promise.all(views.map((view) => view.close()));
        expect(clock.pending()).toBe(0);
      },
    };
  },
  { ttlMs: 1000, runs: 100 },
);

test('a forgotten Lease never comes back with a smaller Term', async () => {
  const clock = virtualClock();
  const store = new MemoryStore(clock, { leases: 4 });
  const { leases } = memoryCoordination(store);
  const highest = new Map<string, number>();
  for (let at = 0; at < 200; at += 1) {
    const key = `room/${(at * at) % 11}`;
    const answer = await leases.acquire(key, `owner-${at}`, 1000);
    if (answer.kind !== 'held') throw new Error('it is free');
    const { lease } = answer;
    expect(lease.term).toBeGreaterThan(highest.get(key) ?? 0);
    highest.set(key, lease.term);
    expect(store.leases.size).toBeLessThanOrEqual(4);
    if (at % 2 === 0) await leases.release(lease);
    else await clock.advance(1001);
  }
});

test('held Leases are never forgotten: the next is OVERLOADED', async () => {
  const store = new MemoryStore(virtualClock(), { leases: 2 });
  const { leases } = memoryCoordination(store);
  await leases.acquire('a', 'me', 1000);
  await leases.acquire('b', 'me', 1000);
  await expect(leases.acquire('c', 'me', 1000)).rejects.toMatchObject({ code: 'OVERLOADED' });
});

test('renewals of many cost the watchers nothing', async () => {
  const clock = virtualClock();
  const { directory } = memoryCoordination(new MemoryStore(clock));
  let told = 0;
  directory.watch('process/', () => (told += 1));
  let toldFirst = 0;
  for (let second = 0; second < 10; second += 1) {
    for (let at = 0; at < 500; at += 1) await directory.put(`process/${at}`, 'here', 3000);
    await clock.advance(1000);
    if (second === 0) toldFirst = told;
  }
  expect(told).toBe(toldFirst);
  await clock.advance(3000);
  expect(await directory.list('process/')).toEqual([]);
});
