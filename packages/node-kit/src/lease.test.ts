import { memoryCoordination, MemoryStore, type LeaseStore } from '@veilcast/coordination';
import { ClusterError } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import { LeaseHolder, type HeldLease } from './lease.ts';

const KEY = 'room/demo';
const TTL_MS = 3_000;

function setup() {
  const clock = virtualClock();
  const store = new MemoryStore(clock);
  const { leases } = memoryCoordination(store);
  let state: 'up' | 'down' | 'deaf' = 'up';
  /** `deaf`: the store does what it is asked, and the answer is lost. */
  const reached: LeaseStore = {
    acquire: (...asked) => through(() => leases.acquire(...asked)),
    renew: (...asked) => through(() => leases.renew(...asked)),
    release: (...asked) => through(() => leases.release(...asked)),
    read: (...asked) => through(() => leases.read(...asked)),
  };
  const through = async <R>(ask: () => Promise<R>): Promise<R> => {
    if (state === 'down') throw new ClusterError('STORE_UNAVAILABLE');
    const answer = await ask();
    if (state === 'deaf') throw new ClusterError('DEADLINE');
    return answer;
  };
  let lost = 0;
  let reports = 0;
  const holder = (owner: string) =>
    new LeaseHolder({ leases: reached, clock, owner, ttlMs: TTL_MS, report: () => (reports += 1) });
  const [a, b] = [holder('a'), holder('b')];
  const hold = (by: LeaseHolder) => by.hold(KEY, () => (lost += 1));
  return {
    clock,
    store,
    leases,
    a,
    b,
    hold,
    setStore: (to: typeof state) => (state = to),
    lost: () => lost,
    reports: () => reports,
  };
}

test('a holder keeps it for as long as it lives; another is refused and told who holds it', async () => {
  const { clock, a, b, hold, lost } = setup();
  const held = await hold(a);
  await clock.advance(60_000);
  expect(held).toMatchObject({ kind: 'held', lost: false, isFirst: true });
  expect(await hold(b)).toMatchObject({ kind: 'refused', lease: { owner: 'a/1' } });
  expect(lost()).toBe(0);
});

test('release frees it at once, stops all timers, and is never called a loss', async () => {
  const { clock, a, b, hold, lost } = setup();
  const held = (await hold(a)) as HeldLease;
  await held.release();
  await held.release();
  expect(clock.pending()).toBe(0);
  const next = (await hold(b)) as HeldLease;
  expect(next.isFirst).toBe(false);
  expect(next.lease.term).toBeGreaterThan(held.lease.term);
  await next.release();
  expect(lost()).toBe(0);
});

test('one taken away is lost, once', async () => {
  const { clock, leases, a, b, hold, lost } = setup();
  const held = (await hold(a)) as HeldLease;
  await leases.release(held.lease);
  await hold(b);
  await clock.advance(1_000);
  expect(held.lost).toBe(true);
  expect(lost()).toBe(1);
  await clock.advance(10_000);
  expect(lost()).toBe(1);
});

test('with the store away it goes on, for as long as that takes, and has the same Term afterwards', async () => {
  const { clock, leases, a, hold, setStore, lost, reports } = setup();
  const held = (await hold(a)) as HeldLease;
  setStore('down');
  await clock.advance(600_000);
  expect([held.lost, lost(), reports()]).toEqual([false, 0, 1]);
  expect(await leases.read(KEY)).toBeUndefined();
  setStore('up');
  await clock.advance(TTL_MS / 6);
  expect(await leases.read(KEY)).toMatchObject({ owner: 'a/1', term: held.lease.term });
  setStore('down');
  await clock.advance(10_000);
  expect(reports()).toBe(2);
});

test('taken by another while it could not reach the store, it is given up at the first answer', async () => {
  const { clock, leases, a, hold, setStore, lost } = setup();
  const held = (await hold(a)) as HeldLease;
  setStore('down');
  await clock.advance(TTL_MS * 2);
  const taken = await leases.acquire(KEY, 'another', TTL_MS);
  expect(taken).toMatchObject({ kind: 'held', lease: { owner: 'another' } });
  expect(taken.kind === 'held' && taken.lease.term > held.lease.term).toBe(true);
  setStore('up');
  await clock.advance(TTL_MS / 6);
  expect([held.lost, lost()]).toEqual([true, 1]);
});

test('a store that comes back empty has it again under the same Term, before anybody else gets it', async () => {
  const { clock, store, leases, a, b, hold, lost } = setup();
  const held = (await hold(a)) as HeldLease;
  store.forget();
  const asked = hold(b);
  await clock.advance(10_000);
  expect(await asked).toMatchObject({ kind: 'refused', lease: { owner: 'a/1', term: held.lease.term } });
  expect(lost()).toBe(0);
  expect(await leases.read(KEY)).toMatchObject({ term: held.lease.term });
});

test('a store that comes back empty, and whose owner is gone, is waited for', async () => {
  const { clock, store, a, b, hold } = setup();
  const gone = (await hold(a)) as HeldLease;
  await gone.release();
  store.forget();
  let next: HeldLease | undefined;
  void hold(b).then((held) => (next = held as HeldLease));
  await clock.advance(TTL_MS / 3);
  expect(next).toBeUndefined();
  await clock.advance(1_000);
  expect(next?.lease.term).toBeGreaterThan(gone.lease.term);
});

test('what was acquired without an answer is the next one’s who asks here, and blocks nobody', async () => {
  const { a, b, hold, setStore } = setup();
  setStore('deaf');
  await expect(hold(a)).rejects.toMatchObject({ code: 'DEADLINE' });
  setStore('up');
  expect(await hold(b)).toMatchObject({ kind: 'refused' });
  expect(await hold(a)).toMatchObject({ kind: 'held', lease: { owner: 'a/1' } });
});

test('two lives of a key never share a Term: asked at once, released unheard, released in time', async () => {
  const { a, hold, setStore } = setup();
  const [one, two] = await Promise.all([hold(a), hold(a)]);
  expect([one.kind, two.kind]).toEqual(['held', 'refused']);
  setStore('down');
  await expect((one as HeldLease).release()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  setStore('up');
  const next = (await hold(a)) as HeldLease;
  expect(next.kind).toBe('held');
  expect(next.lease.term).toBeGreaterThan(one.lease.term);
});
