/**
 * Coordination inside one process: several views over one store stand for several processes over one Redis.
 * Every time is that of the store's Clock. All queues and maps are bounded.
 */
import { ClusterError, type Clock } from '@veilcast/protocol';
import { memoryJournals, type MemoryJournal } from './memory-journals.ts';
import type { Bus, Coordination, Directory, Entry, Lease, LeaseStore } from './ports.ts';
import { settleMs } from './settle.ts';

export interface MemoryLimits {
  /** Leases, held or remembered. Above it the oldest that nobody holds is forgotten into the floor of all Terms. */
  readonly leases: number;
  readonly entries: number;
  readonly valueBytes: number;
}

const LIMITS: MemoryLimits = { leases: 10_000, entries: 20_000, valueBytes: 64 * 1024 };

/** Shared by the views; opaque to everybody else. */
export class MemoryStore {
  readonly clock: Clock;
  readonly limits: MemoryLimits;
  readonly leases = new Map<string, Lease>();
  /** When it last forgot everything. */
  forgotAt = -Infinity;
  readonly entries = new Map<string, Entry & { readonly expiresAt: number }>();
  readonly journals = new Map<string, MemoryJournal>();
  readonly watchers = new Set<Watcher>();
  readonly subscribers = new Map<string, Set<(message: Uint8Array) => void>>();
  /** No forgotten Lease had a Term above it. */
  termFloor = 0;
  /** The same of those alone that were forgotten one by one, when nobody held them any more. */
  endedFloor = 0;
  version = 0;
  /** No entry expires before it. */
  nextExpiry = Infinity;
  stopExpiry: (() => void) | undefined;

  constructor(clock: Clock, limits: Partial<MemoryLimits> = {}) {
    this.clock = clock;
    this.limits = { ...LIMITS, ...limits };
  }

  /** Loses all that it held, as a store that is flushed or comes back empty. Terms grow all the same. */
  forget(): void {
    for (const { term } of this.leases.values()) this.termFloor = Math.max(this.termFloor, term);
    this.leases.clear();
    this.entries.clear();
    this.journals.clear();
    this.forgotAt = this.clock.now();
    tell(this);
  }
}

interface Watcher {
  readonly report: (error: unknown) => void;
  readonly prefix: string;
  readonly listener: (entries: readonly Entry[]) => void;
  told: string | undefined;
  scheduled: boolean;
}

export interface MemoryViewOptions {
  /** Told what a listener threw. When not given it is thrown where nobody catches it, and ends the process. */
  readonly report?: ((error: unknown) => void) | undefined;
}

/** One process's view of a store. */
export function memoryCoordination(store: MemoryStore, options: MemoryViewOptions = {}): Coordination {
  const report = options.report ?? throwLater;
  const ends = new Set<() => void>();
  let closed = false;
  const alive = (): void => {
    if (closed) throw new ClusterError('CLOSED', 'this view of the store is closed');
  };
  const owned = (end: () => void): (() => void) => {
    const stop = (): void => {
      if (ends.delete(stop)) end();
    };
    ends.add(stop);
    return stop;
  };
  return {
    leases: leasesOf(store, alive),
    directory: directoryOf(store, { alive, owned, report }),
    bus: busOf(store, { alive, owned, report }),
    journals: memoryJournals(store, alive),
    reachable: () => !closed,
    close: async () => {
      closed = true;
      for (const end of ends) end();
    },
  };
}

/** Of a Lease that was released. */
const RELEASED = -Infinity;

function leasesOf(store: MemoryStore, alive: () => void): LeaseStore {
  const { leases, clock } = store;
  const held = (key: string): Lease | undefined => {
    const lease = leases.get(key);
    return lease !== undefined && lease.expiresAt > clock.now() ? lease : undefined;
  };
  const write = (lease: Lease): Lease => {
    // Written last, remembered longest.
    leases.delete(lease.key);
    leases.set(lease.key, lease);
    return lease;
  };
  /** Nobody has taken it: the one there is this or an older one. */
  const isLatest = (lease: Lease): boolean => {
    const known = leases.get(lease.key);
    if (known === undefined) return lease.term > store.endedFloor;
    if (known.term !== lease.term) return known.term < lease.term;
    return known.owner === lease.owner && known.expiresAt !== RELEASED;
  };
  return {
    acquire: async (key, owner, ttlMs) => {
      alive();
      const present = held(key);
      if (present !== undefined && present.owner !== owner) return { kind: 'refused', lease: present };
      const known = leases.get(key);
      if (known === undefined) {
        const retryMs = store.forgotAt + settleMs(ttlMs) - clock.now();
        if (retryMs > 0) return { kind: 'unsettled', retryMs };
        makeRoom(store);
      }
      const term = present?.term ?? Math.max(known?.term ?? 0, store.termFloor) + 1;
      const lease = write({ key, owner, term, expiresAt: clock.now() + ttlMs });
      return { kind: 'held', lease, isFirst: known === undefined };
    },
    renew: async (lease, ttlMs) => {
      alive();
      if (!isLatest(lease)) return false;
      if (!leases.has(lease.key)) makeRoom(store);
      write({ ...lease, expiresAt: clock.now() + ttlMs });
      return true;
    },
    release: async (lease) => {
      alive();
      const known = leases.get(lease.key);
      if (known?.term !== lease.term || !isLatest(lease)) return false;
      write({ ...lease, expiresAt: RELEASED });
      return true;
    },
    read: async (key) => {
      alive();
      return held(key);
    },
  };
}

/** @throws ClusterError OVERLOADED when every Lease is held */
function makeRoom(store: MemoryStore): void {
  if (store.leases.size < store.limits.leases) return;
  for (const [key, lease] of store.leases) {
    if (lease.expiresAt > store.clock.now()) continue;
    store.termFloor = Math.max(store.termFloor, lease.term);
    store.endedFloor = Math.max(store.endedFloor, lease.term);
    store.leases.delete(key);
    return;
  }
  throw new ClusterError('OVERLOADED', 'too many leases');
}

/** What ties listeners to the view that they came by. */
interface View {
  /** @throws ClusterError CLOSED */
  readonly alive: () => void;
  /** Makes an end that happens once, at the latest with the view. */
  readonly owned: (end: () => void) => () => void;
  readonly report: (error: unknown) => void;
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

function directoryOf(store: MemoryStore, { alive, owned, report }: View): Directory {
  return {
    put: async (key, value, ttlMs) => {
      alive();
      if (value.length > store.limits.valueBytes) throw new ClusterError('OVERSIZE');
      expire(store);
      if (!store.entries.has(key) && store.entries.size >= store.limits.entries) throw new ClusterError('OVERLOADED');
      store.version += 1;
      const entry = { key, value, version: store.version };
      // A renewal is no change.
      const changed = store.entries.get(key)?.value !== value;
      const expiresAt = store.clock.now() + ttlMs;
      store.entries.set(key, { ...entry, expiresAt });
      if (expiresAt < store.nextExpiry) scheduleExpiry(store, expiresAt);
      if (changed) tell(store);
      return entry;
    },
    remove: async (entry) => {
      alive();
      expire(store);
      if (store.entries.get(entry.key)?.version !== entry.version) return false;
      store.entries.delete(entry.key);
      tell(store);
      return true;
    },
    list: async (prefix) => {
      alive();
      return listed(store, prefix);
    },
    watch: (prefix, listener) => {
      alive();
      const watcher: Watcher = { prefix, listener, report, told: undefined, scheduled: false };
      store.watchers.add(watcher);
      tell(store);
      scheduleExpiry(store, store.nextExpiry);
      return owned(() => {
        store.watchers.delete(watcher);
        if (store.watchers.size === 0) store.stopExpiry?.();
      });
    },
  };
}

function listed(store: MemoryStore, prefix: string): readonly Entry[] {
  expire(store);
  return [...store.entries.values()]
    .filter((entry) => entry.key.startsWith(prefix))
    .map(({ key, value, version }) => ({ key, value, version }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function expire(store: MemoryStore): void {
  const now = store.clock.now();
  if (now < store.nextExpiry) return;
  let next = Infinity;
  for (const [key, { expiresAt }] of store.entries) {
    if (expiresAt <= now) store.entries.delete(key);
    else next = Math.min(next, expiresAt);
  }
  scheduleExpiry(store, next);
  tell(store);
}

/** Notes when to look again; a timer does it, but only while somebody watches. */
function scheduleExpiry(store: MemoryStore, at: number): void {
  store.stopExpiry?.();
  store.stopExpiry = undefined;
  store.nextExpiry = at;
  if (store.watchers.size === 0 || at === Infinity) return;
  store.stopExpiry = store.clock.after(Math.max(0, at - store.clock.now()), () => expire(store));
}

/** Tells each watcher what it has not been told yet, soon, and once for all changes until then. */
function tell(store: MemoryStore): void {
  for (const watcher of store.watchers) {
    if (watcher.scheduled) continue;
    watcher.scheduled = true;
    queueMicrotask(() => {
      watcher.scheduled = false;
      if (store.watchers.has(watcher)) tellOne(store, watcher);
    });
  }
}

function tellOne(store: MemoryStore, watcher: Watcher): void {
  const entries = listed(store, watcher.prefix);
  const telling = JSON.stringify(entries.map(({ key, value }) => [key, value]));
  if (telling === watcher.told) return;
  watcher.told = telling;
  try {
    watcher.listener(entries);
  } catch (error) {
    watcher.report(error);
  }
}

function busOf(store: MemoryStore, { alive, owned, report }: View): Bus {
  return {
    publish: async (topic, message) => {
      alive();
      for (const listener of store.subscribers.get(topic) ?? []) {
        const copy = message.slice();
        queueMicrotask(() => {
          if (store.subscribers.get(topic)?.has(listener) === true) listener(copy);
        });
      }
    },
    subscribe: (topic, listener) => {
      alive();
      // A function of its own, so that one listener given twice is two subscriptions.
      const own = (message: Uint8Array): void => {
        try {
          listener(message);
        } catch (error) {
          report(error);
        }
      };
      const present = store.subscribers.get(topic) ?? new Set();
      store.subscribers.set(topic, present.add(own));
      return owned(() => {
        present.delete(own);
        if (present.size === 0) store.subscribers.delete(topic);
      });
    },
  };
}
