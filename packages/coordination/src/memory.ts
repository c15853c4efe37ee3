/**
 * Coordination inside one process: several views over one store stand for several processes over one Redis.
 * Every time is that of the store's Clock. All queues and maps are bounded.
 */
import { ClusterError, type Clock } from '@veilcast/protocol';
import type { Bus, Coordination, Directory, Entry, Lease, LeaseStore } from './ports.ts';

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
  readonly entries = new Map<string, Entry & { readonly expiresAt: number }>();
  readonly watchers = new Set<Watcher>();
  readonly subscribers = new Map<string, Set<(message: Uint8Array) => void>>();
  /** No forgotten Lease had a Term above it. */
  termFloor = 0;
  version = 0;
  stopExpiry: (() => void) | undefined;
  nextExpiry = Infinity;

  constructor(clock: Clock, limits: Partial<MemoryLimits> = {}) {
    this.clock = clock;
    this.limits = { ...LIMITS, ...limits };
  }
}

interface Watcher {
  readonly prefix: string;
  readonly listener: (entries: readonly Entry[]) => void;
  told: string | undefined;
  scheduled: boolean;
}

/** One process's view of a store. */
export function memoryCoordination(store: MemoryStore): Coordination {
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
    directory: directoryOf(store, alive, owned),
    bus: busOf(store, alive, owned),
    close: async () => {
      closed = true;
      for (const end of ends) end();
    },
  };
}

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
  const isHeld = (lease: Lease): boolean => {
    const present = held(lease.key);
    return present?.owner === lease.owner && present.term === lease.term;
  };
  return {
    acquire: async (key, owner, ttlMs) => {
      alive();
      const present = held(key);
      if (present !== undefined && present.owner !== owner) return { kind: 'refused', lease: present };
      if (present === undefined && !leases.has(key)) makeRoom(store);
      const term = present?.term ?? (leases.get(key)?.term ?? store.termFloor) + 1;
      return { kind: 'held', lease: write({ key, owner, term, expiresAt: clock.now() + ttlMs }) };
    },
    renew: async (lease, ttlMs) => {
      alive();
      if (!isHeld(lease)) return false;
      write({ ...lease, expiresAt: clock.now() + ttlMs });
      return true;
    },
    release: async (lease) => {
      alive();
      if (!isHeld(lease)) return false;
      write({ ...lease, expiresAt: -Infinity });
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
    store.leases.delete(key);
    return;
  }
  throw new ClusterError('OVERLOADED', 'too many leases');
}

function directoryOf(store: MemoryStore, alive: () => void, owned: (end: () => void) => () => void): Directory {
  return {
    put: async (key, value, ttlMs) => {
      alive();
      if (value.length > store.limits.valueBytes) throw new ClusterError('OVERSIZE');
      expire(store);
      if (!store.entries.has(key) && store.entries.size >= store.limits.entries) throw new ClusterError('OVERLOADED');
      store.version += 1;
      const entry = { key, value, version: store.version };
      store.entries.set(key, { ...entry, expiresAt: store.clock.now() + ttlMs });
      tell(store);
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
      const watcher: Watcher = { prefix, listener, told: undefined, scheduled: false };
      store.watchers.add(watcher);
      tell(store);
      return owned(() => {
        store.watchers.delete(watcher);
        if (store.watchers.size === 0) stopExpiry(store);
      });
    },
  };
}

function listed(store: MemoryStore, prefix: string): readonly Entry[] {
  const now = store.clock.now();
  return [...store.entries.values()]
    .filter((entry) => entry.key.startsWith(prefix) && entry.expiresAt > now)
    .map(({ key, value, version }) => ({ key, value, version }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function expire(store: MemoryStore): void {
  const now = store.clock.now();
  for (const [key, entry] of store.entries) if (entry.expiresAt <= now) store.entries.delete(key);
}

/** Tells each watcher what it has not been told yet, soon and once for all changes until then. */
function tell(store: MemoryStore): void {
  for (const watcher of store.watchers) {
    if (watcher.scheduled) continue;
    watcher.scheduled = true;
    queueMicrotask(() => {
      watcher.scheduled = false;
      if (!store.watchers.has(watcher)) return;
      const entries = listed(store, watcher.prefix);
      // A renewal is no change.
      const telling = JSON.stringify(entries.map(({ key, value }) => [key, value]));
      if (telling === watcher.told) return;
      watcher.told = telling;
      watcher.listener(entries);
    });
  }
  scheduleExpiry(store);
}

/** One timer for the entry that is gone first, and only while somebody watches. */
function scheduleExpiry(store: MemoryStore): void {
  let first = Infinity;
  for (const { expiresAt } of store.entries.values()) first = Math.min(first, expiresAt);
  if (store.watchers.size === 0 || first === Infinity) return stopExpiry(store);
  if (first === store.nextExpiry) return;
  stopExpiry(store);
  store.nextExpiry = first;
  store.stopExpiry = store.clock.after(Math.max(0, first - store.clock.now()), () => {
    store.nextExpiry = Infinity;
    store.stopExpiry = undefined;
    expire(store);
    tell(store);
  });
}

function stopExpiry(store: MemoryStore): void {
  store.stopExpiry?.();
  store.stopExpiry = undefined;
  store.nextExpiry = Infinity;
}

function busOf(store: MemoryStore, alive: () => void, owned: (end: () => void) => () => void): Bus {
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
      const own = (message: Uint8Array): void => listener(message);
      const present = store.subscribers.get(topic) ?? new Set();
      store.subscribers.set(topic, present.add(own));
      return owned(() => {
        present.delete(own);
        if (present.size === 0) store.subscribers.delete(topic);
      });
    },
  };
}
