/**
 * What every adapter of Coordination promises, checked on random histories against a model:
 * `coordinationContract('memory', () => …)`. An adapter over a real store passes real time and fewer runs.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as fc from 'fast-check';
import type { Coordination, Entry, Lease } from '../ports.ts';

export interface CoordinationSubject {
  /** Three views of one store, as of three processes, which survive what their listeners throw. */
  readonly views: readonly [Coordination, Coordination, Coordination];
  /** Lets so many ms of the store's time pass, and all watchers be told. */
  advance(ms: number): Promise<void>;
  close(): Promise<void>;
}

export interface ContractOptions {
  /** The time to live of most records here, in ms of the store. */
  readonly ttlMs: number;
  /** Random histories to try. */
  readonly runs: number;
}

type Step =
  | { readonly kind: 'acquire' | 'renew' | 'release'; readonly view: number; readonly key: number }
  | { readonly kind: 'wait'; readonly ttls: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('acquire' as const), view: fc.nat(2), key: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('renew' as const), view: fc.nat(2), key: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), view: fc.nat(2), key: fc.nat(1) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('wait' as const), ttls: fc.constantFrom(0.4, 1.3) }) },
);

export function coordinationContract(
  name: string,
  make: () => Promise<CoordinationSubject>,
  options: ContractOptions,
): void {
  const { ttlMs, runs } = options;
  describe(`coordination contract: ${name}`, () => {
    let subject: CoordinationSubject;
    beforeEach(async () => {
      subject = await make();
    });
    afterEach(async () => {
      await subject.close();
    });
    let keys = 0;
    const freshKey = (): string => `contract/${(keys += 1)}-${Math.floor(performance.now())}`;

    test('leases: one holder a Term, Terms only grow, only the holder renews and releases', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
          const names = [freshKey(), freshKey()];
          await leaseHistory(subject, names, steps, ttlMs);
        }),
        { numRuns: runs },
      );
    });

    test('leases: of many who ask at once, one gets it', async () => {
      const key = freshKey();
      const asked = await Promise.all(
        Array.from({ length: 30 }, (_, at) => view(subject, at % 3).leases.acquire(key, `owner-${at}`, ttlMs)),
      );
      const held = asked.filter((one) => one.kind === 'held');
      expect(held).toHaveLength(1);
      expect(asked.every((one) => one.lease.owner === held[0]?.lease.owner)).toBe(true);
    });

    test('leases: an old holder cannot end or prolong its successor', async () => {
      const key = freshKey();
      const [a, b] = subject.views;
      const old = (await a.leases.acquire(key, 'a', ttlMs)).lease;
      await subject.advance(ttlMs * 1.3);
      const present = (await b.leases.acquire(key, 'b', ttlMs)).lease;
      expect(present.term).toBeGreaterThan(old.term);
      expect(await a.leases.renew(old, ttlMs)).toBe(false);
      expect(await a.leases.release(old)).toBe(false);
      expect(await a.leases.read(key)).toMatchObject({ owner: 'b', term: present.term });
    });

    test('leases: what one held before is not what one holds now', async () => {
      const key = freshKey();
      const [a] = subject.views;
      const old = (await a.leases.acquire(key, 'a', ttlMs)).lease;
      await a.leases.release(old);
      const present = (await a.leases.acquire(key, 'a', ttlMs)).lease;
      expect(present.term).toBeGreaterThan(old.term);
      expect(await a.leases.renew(old, ttlMs)).toBe(false);
      expect(await a.leases.release(old)).toBe(false);
      expect(await a.leases.renew(present, ttlMs)).toBe(true);
    });

    test('directory: versions grow, remove is conditional, entries expire', async () => {
      const [a, b] = subject.views;
      const key = freshKey();
      const first = await a.directory.put(key, '1', ttlMs);
      const second = await b.directory.put(key, '2', ttlMs);
      expect(second.version).toBeGreaterThan(first.version);
      expect(await a.directory.remove(first)).toBe(false);
      expect(await a.directory.list(key)).toEqual([second]);
      expect(await a.directory.remove(second)).toBe(true);
      expect(await b.directory.remove(second)).toBe(false);
      expect(await b.directory.list(key)).toEqual([]);
      const third = await a.directory.put(key, '3', ttlMs);
      expect(third.version).toBeGreaterThan(second.version);
      await subject.advance(ttlMs * 1.3);
      expect(await b.directory.list(key)).toEqual([]);
      expect(await a.directory.remove(third)).toBe(false);
    });

    test('directory: an entry written again in time stays', async () => {
      const [a] = subject.views;
      const key = freshKey();
      for (let at = 0; at < 5; at += 1) {
        await a.directory.put(key, 'here', ttlMs);
        await subject.advance(ttlMs * 0.4);
      }
      expect(await a.directory.list(key)).toHaveLength(1);
    });

    test('directory: every watcher comes to know what is there', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              view: fc.nat(2),
              key: fc.nat(3),
              kind: fc.constantFrom('put' as const, 'put' as const, 'remove' as const, 'wait' as const),
            }),
            { maxLength: 25 },
          ),
          async (steps) => {
            const prefix = `${freshKey()}/`;
            const seen: (readonly Entry[])[] = [[], [], []];
            const stops = subject.views.map((one, at) =>
              one.directory.watch(prefix, (entries) => (seen[at] = entries)),
            );
            const written = new Map<number, Entry>();
            for (const [at, { view: by, key, kind }] of steps.entries()) {
              const { directory } = view(subject, by);
              const known = written.get(key);
              if (kind === 'put') written.set(key, await directory.put(`${prefix}${key}`, `${at}`, ttlMs));
              else if (kind === 'wait') await subject.advance(ttlMs * 0.4);
              else if (known !== undefined) await directory.remove(known);
            }
            await subject.advance(0);
            const there = plain(await subject.views[0].directory.list(prefix));
            for (const entries of seen) expect(plain(entries)).toEqual(there);
            await subject.advance(ttlMs * 1.3);
            for (const entries of seen) expect(entries).toEqual([]);
            for (const stop of stops) stop();
          },
        ),
        { numRuns: runs },
      );
    });

    test('directory: a watcher sees its own prefix, and nothing once stopped', async () => {
      const [a, b] = subject.views;
      const prefix = `${freshKey()}/`;
      let told = 0;
      let seen: readonly Entry[] | undefined;
      const stop = a.directory.watch(prefix, (entries) => {
        told += 1;
        seen = entries;
      });
      await subject.advance(0);
      expect(seen).toEqual([]);
      await b.directory.put(`${prefix}x`, '1', ttlMs);
      await b.directory.put(`elsewhere/${prefix}`, '1', ttlMs);
      await subject.advance(0);
      expect(plain(seen ?? [])).toEqual([[`${prefix}x`, '1']]);
      stop();
      const before = told;
      await b.directory.put(`${prefix}y`, '1', ttlMs);
      await subject.advance(0);
      expect(told).toBe(before);
    });

    test('bus: subscribers of a topic in all processes get its messages in order', async () => {
      const topic = freshKey();
      const got: number[][] = [[], [], []];
      const stops = subject.views.map((one, at) =>
        one.bus.subscribe(topic, (message) => got[at]?.push(message[0] ?? -1)),
      );
      subject.views[0].bus.subscribe(`${topic}/other`, () => got[0]?.push(-2));
      await subject.advance(0);
      for (let at = 0; at < 50; at += 1) await subject.views[1].bus.publish(topic, Uint8Array.of(at));
      await subject.advance(0);
      const all = Array.from({ length: 50 }, (_, at) => at);
      expect(got).toEqual([all, all, all]);
      stops[0]?.();
      await subject.views[1].bus.publish(topic, Uint8Array.of(99));
      await subject.advance(0);
      expect(got.map((one) => one.at(-1))).toEqual([49, 99, 99]);
    });

    test('a listener that throws keeps nothing from the others', async () => {
      const [a, b] = subject.views;
      const key = freshKey();
      const got: string[] = [];
      a.directory.watch(key, bug);
      a.directory.watch(key, (entries) => got.push(`${entries.length} entries`));
      a.bus.subscribe(key, bug);
      a.bus.subscribe(key, () => got.push('message'));
      await subject.advance(0);
      await b.directory.put(key, '1', ttlMs);
      await b.bus.publish(key, Uint8Array.of(1));
      await subject.advance(0);
      expect(got.toSorted()).toEqual(['0 entries', '1 entries', 'message']);
    });

    test('a closed view is told nothing and refuses; the others go on', async () => {
      const [a, b] = subject.views;
      const key = freshKey();
      let told = 0;
      a.directory.watch(key, () => (told += 1));
      a.bus.subscribe(key, () => (told += 1));
      await subject.advance(0);
      await a.close();
      const before = told;
      await b.directory.put(key, '1', ttlMs);
      await b.bus.publish(key, Uint8Array.of(1));
      await subject.advance(0);
      expect(told).toBe(before);
      await expect(a.leases.read(key)).rejects.toMatchObject({ code: 'CLOSED' });
      expect(await b.directory.list(key)).toHaveLength(1);
    });
  });
}

function view(subject: CoordinationSubject, at: number): Coordination {
  return subject.views[at] ?? subject.views[0];
}

function plain(entries: readonly Entry[]): [string, string][] {
  return entries.map(({ key, value }) => [key, value] as [string, string]).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Runs a history and checks each answer against what a single careful person would have noted down. */
async function leaseHistory(
  subject: CoordinationSubject,
  keys: readonly string[],
  steps: readonly Step[],
  ttlMs: number,
): Promise<void> {
  const holders = new Map<string, { owner: string; term: number; leftMs: number }>();
  const highest = new Map<string, number>();
  /** The last Lease each view was given of each key, right or stale. */
  const given = new Map<string, Lease>();
  for (const one of steps) {
    if (one.kind === 'wait') {
      await subject.advance(ttlMs * one.ttls);
      for (const [key, holder] of holders) {
        holder.leftMs -= ttlMs * one.ttls;
        if (holder.leftMs <= 0) holders.delete(key);
      }
      continue;
    }
    const key = keys[one.key] ?? '';
    const owner = `owner-${one.view}`;
    const { leases } = view(subject, one.view);
    const holder = holders.get(key);
    const mine = given.get(`${key} ${owner}`);
    if (one.kind === 'acquire') {
      const answer = await leases.acquire(key, owner, ttlMs);
      if (holder !== undefined && holder.owner !== owner) {
        expect(answer).toMatchObject({ kind: 'refused', lease: { owner: holder.owner, term: holder.term } });
        continue;
      }
      expect(answer).toMatchObject({ kind: 'held', lease: { key, owner } });
      if (holder === undefined) expect(answer.lease.term).toBeGreaterThan(highest.get(key) ?? 0);
      else expect(answer.lease.term).toBe(holder.term);
      holders.set(key, { owner, term: answer.lease.term, leftMs: ttlMs });
      highest.set(key, answer.lease.term);
      given.set(`${key} ${owner}`, answer.lease);
    } else if (mine !== undefined) {
      const rightful = holder?.owner === owner && holder.term === mine.term;
      if (one.kind === 'renew') {
        expect(await leases.renew(mine, ttlMs)).toBe(rightful);
        if (rightful) holder.leftMs = ttlMs;
      } else {
        expect(await leases.release(mine)).toBe(rightful);
        if (rightful) holders.delete(key);
      }
    }
    const read = await leases.read(key);
    const now = holders.get(key);
    if (now === undefined) expect(read).toBeUndefined();
    else expect(read).toMatchObject({ owner: now.owner, term: now.term });
  }
}

function bug(): void {
  throw new Error('a bug of a listener');
}
