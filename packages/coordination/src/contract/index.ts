/**
 * What every adapter of Coordination promises, checked on random histories against a model:
 * `coordinationContract('memory', () => …)`. An adapter over a real store passes real time and fewer runs.
 */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as fc from 'fast-check';
import type { Coordination, Entry, Lease } from '../ports.ts';
import { settleMs } from '../settle.ts';
import { journalContract } from './journals.ts';
import {
  forgotten,
  later,
  NOTHING_NOTED,
  notedTogether,
  type Asked,
  type LeaseNote,
  type Pace,
} from './lease-model.ts';

export interface CoordinationSubject {
  /** Three views of one store, as of three processes, which survive what their listeners throw. */
  readonly views: readonly [Coordination, Coordination, Coordination];
  /** Lets so many ms of the store's time pass, and all watchers be told. */
  advance(ms: number): Promise<void>;
  /** The store loses all that it holds, at once. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

export interface ContractOptions {
  /** The time to live of most records here, in ms of the store. */
  readonly ttlMs: number;
  /** Random histories to try. */
  readonly runs: number;
  /** Time passes in the store by itself, besides what `advance` lets pass. */
  readonly realTime?: boolean | undefined;
}

type What = 'acquire' | 'renew' | 'release' | 'read';

/** Questions asked at the same time, after so many times the time to live, of a store that may have lost everything before. */
const batch = fc.record({
  waits: fc.constantFrom(0, 0, 0, 0.4, 1.3, 4),
  forgets: fc.nat(9).map((n) => n === 0),
  asked: fc.array(
    fc.record({
      kind: fc.constantFrom<What>('acquire', 'acquire', 'renew', 'release', 'read'),
      view: fc.nat(2),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});
type Batch = (typeof batch extends fc.Arbitrary<infer B> ? B : never) & object;

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

    test('leases: histories are linearizable; one holder a Term, Terms only grow, whatever is forgotten', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(batch, { maxLength: 20 }), async (batches) => {
          await leaseHistory(subject, freshKey(), batches, { ttlMs, isExact: options.realTime !== true });
          await subject.advance(settleMs(ttlMs));
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
      const owners = asked.map((one) => (one.kind === 'unsettled' ? 'nobody' : one.lease.owner));
      expect(new Set(owners).size).toBe(1);
    });

    test('leases: what only expired is its holder’s again; what was released is not', async () => {
      const key = freshKey();
      const [a, b] = subject.views;
      const first = await held(a, key, 'a', ttlMs);
      await subject.advance(ttlMs * 1.3);
      expect(await b.leases.read(key)).toBeUndefined();
      expect(await a.leases.renew(first, ttlMs)).toBe(true);
      expect(await b.leases.read(key)).toMatchObject({ owner: 'a', term: first.term });
      expect(await b.leases.acquire(key, 'b', ttlMs)).toMatchObject({ kind: 'refused', lease: { term: first.term } });
      expect(await a.leases.release(first)).toBe(true);
      expect(await a.leases.renew(first, ttlMs)).toBe(false);
      expect(await b.leases.read(key)).toBeUndefined();
    });

    test('leases: a store that forgot gives its holders time to come back, and to others a greater Term', async () => {
      const [mine, others] = [freshKey(), freshKey()];
      const [a, b] = subject.views;
      const first = await held(a, mine, 'a', ttlMs);
      const gone = await held(a, others, 'a', ttlMs);
      await subject.forget();
      expect(await b.leases.acquire(mine, 'b', ttlMs)).toMatchObject({ kind: 'unsettled' });
      expect(await a.leases.renew(first, ttlMs)).toBe(true);
      expect(await b.leases.acquire(mine, 'b', ttlMs)).toMatchObject({ kind: 'refused', lease: { term: first.term } });
      expect(await b.leases.acquire(others, 'b', ttlMs)).toMatchObject({ kind: 'unsettled' });
      await subject.advance(settleMs(ttlMs));
      const taken = await held(b, others, 'b', ttlMs);
      expect(taken.term).toBeGreaterThan(gone.term);
      expect(await a.leases.renew(gone, ttlMs)).toBe(false);
    });

    test('leases: of two that a store forgot, the later one ends the earlier one', async () => {
      const key = freshKey();
      const [a, b] = subject.views;
      const early = await held(a, key, 'a', ttlMs);
      await subject.advance(ttlMs * 1.3);
      const late = await held(b, key, 'b', ttlMs);
      await subject.forget();
      expect(await a.leases.renew(early, ttlMs)).toBe(true);
      expect(await b.leases.renew(late, ttlMs)).toBe(true);
      expect(await a.leases.renew(early, ttlMs)).toBe(false);
      await subject.advance(settleMs(ttlMs));
    });

    test('leases: an old holder cannot end or prolong its successor', async () => {
      const key = freshKey();
      const [a, b] = subject.views;
      const old = await held(a, key, 'a', ttlMs);
      await subject.advance(ttlMs * 1.3);
      const present = await held(b, key, 'b', ttlMs);
      expect(present.term).toBeGreaterThan(old.term);
      expect(await a.leases.renew(old, ttlMs)).toBe(false);
      expect(await a.leases.release(old)).toBe(false);
      expect(await a.leases.read(key)).toMatchObject({ owner: 'b', term: present.term });
    });

    test('leases: what one held before is not what one holds now', async () => {
      const key = freshKey();
      const [a] = subject.views;
      const old = await held(a, key, 'a', ttlMs);
      await a.leases.release(old);
      const present = await held(a, key, 'a', ttlMs);
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
            await eventually(() => {
              for (const entries of seen) expect(plain(entries)).toEqual(there);
            });
            await subject.advance(ttlMs * 1.3);
            await eventually(() => {
              for (const entries of seen) expect(entries).toEqual([]);
            });
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
      await eventually(() => expect(seen).toEqual([]));
      await b.directory.put(`${prefix}x`, '1', ttlMs);
      await b.directory.put(`elsewhere/${prefix}`, '1', ttlMs);
      await subject.advance(0);
      await eventually(() => expect(plain(seen ?? [])).toEqual([[`${prefix}x`, '1']]));
      stop();
      const before = told;
      await b.directory.put(`${prefix}y`, '1', ttlMs);
      await subject.advance(0);
      expect(told).toBe(before);
    });

    journalContract(() => subject);

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
      await eventually(() => expect(got).toEqual([all, all, all]));
      stops[0]?.();
      await subject.views[1].bus.publish(topic, Uint8Array.of(99));
      await subject.advance(0);
      await eventually(() => expect(got.map((one) => one.at(-1))).toEqual([49, 99, 99]));
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
      await eventually(() => expect(got).toEqual(['0 entries']));
      await b.directory.put(key, '1', ttlMs);
      await b.bus.publish(key, Uint8Array.of(1));
      await subject.advance(0);
      await eventually(() => expect(got.toSorted()).toEqual(['0 entries', '1 entries', 'message']));
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
      expect([a.reachable(), b.reachable()]).toEqual([false, true]);
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

async function held(one: Coordination, key: string, owner: string, ttlMs: number): Promise<Lease> {
  const answer = await one.leases.acquire(key, owner, ttlMs);
  if (answer.kind !== 'held') throw new Error(`${answer.kind}, and not held`);
  return answer.lease;
}

/** A store over a network takes its time to tell. */
async function eventually(holds: () => void): Promise<void> {
  await vi.waitFor(holds, { timeout: 10_000, interval: 5 });
}

async function leaseHistory(
  subject: CoordinationSubject,
  key: string,
  batches: readonly Batch[],
  pace: Pace,
): Promise<void> {
  const { ttlMs } = pace;
  let notes: LeaseNote[] = [NOTHING_NOTED];
  /** The last Lease each view was given, right or stale. */
  const given = new Map<number, Lease>();
  const ofTerm = new Map<number, string>();
  const ask = async (kind: What, by: number): Promise<Asked | undefined> => {
    const { leases } = view(subject, by);
    const owner = `owner-${by}`;
    const mine = given.get(by);
    if (kind === 'acquire') {
      const answer = await leases.acquire(key, owner, ttlMs);
      if (answer.kind === 'held') {
        given.set(by, answer.lease);
        expect(ofTerm.get(answer.lease.term) ?? owner).toBe(owner);
        ofTerm.set(answer.lease.term, owner);
      }
      return { kind, owner, answer };
    }
    if (kind === 'read') return { kind, answer: await leases.read(key) };
    if (mine === undefined) return undefined;
    if (kind === 'renew') return { kind, mine, answer: await leases.renew(mine, ttlMs) };
    // A holder that has released is one no more, and asks for nothing under that Lease.
    given.delete(by);
    return { kind, mine, answer: await leases.release(mine) };
  };
  for (const { waits, forgets, asked } of batches) {
    if (waits > 0) {
      await subject.advance(ttlMs * waits);
      notes = notes.map((note) => later(note, ttlMs * waits));
    }
    if (forgets) {
      await subject.forget();
      notes = notes.map((note) => forgotten(note, ttlMs));
    }
    const answers = await Promise.all(asked.map(({ kind, view: by }) => ask(kind, by)));
    const told = answers.filter((answer) => answer !== undefined);
    const after = notedTogether(notes, told, pace);
    if (after.length === 0) throw new Error(`no order explains ${JSON.stringify({ notes, told })}`);
    notes = after;
  }
}

function bug(): void {
  throw new Error('a bug of a listener');
}
