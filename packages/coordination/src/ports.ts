/**
 * What processes share: Leases (who owns a key), a Directory (who is there), a Bus (what happened) and Journals (in which order).
 * All times are the store's; no process compares its clock with another's. Adapters: memory, Redis; one contract suite.
 */

export interface Lease {
  readonly key: string;
  readonly owner: string;
  /** Grows with every life of the ownership, and never goes back; how far an adapter can promise that, it says. */
  readonly term: number;
  /** Of the store's clock, ms. */
  readonly expiresAt: number;
}

export type Acquired =
  /** `isFirst`: the store remembers no owner before this one. */
  | { readonly kind: 'held'; readonly lease: Lease; readonly isFirst: boolean }
  /** Somebody else holds it. */
  | { readonly kind: 'refused'; readonly lease: Lease }
  /** The store was away or has forgotten: for so long its owners, if any live, have the right to come back first (ADR 0021). */
  | { readonly kind: 'unsettled'; readonly retryMs: number };

export interface LeaseStore {
  /** Compare-and-set: takes a free or expired key with a new Term; one's own key is renewed with its Term kept. */
  acquire(key: string, owner: string, ttlMs: number): Promise<Acquired>;
  /**
   * False: the Lease was lost, that is, released or taken by another. One that only expired, or that the store forgot, is its
   * holder's again under the same Term: nobody can have acted under it meanwhile, and a greater Term would be known (ADR 0021).
   */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Ends it if nobody has taken it; the Term is remembered. */
  release(lease: Lease): Promise<boolean>;
  read(key: string): Promise<Lease | undefined>;
}

export interface Entry {
  readonly key: string;
  /** A JSON text. */
  readonly value: string;
  /** Grows with every write of this key. */
  readonly version: number;
}

export interface Directory {
  /** Writes an entry that is gone after ttlMs unless written again. */
  put(key: string, value: string, ttlMs: number): Promise<Entry>;
  /** Deletes only this version. */
  remove(entry: Entry): Promise<boolean>;
  list(prefix: string): Promise<readonly Entry[]>;
  /** The present entries at once, then the whole list again after each change or expiry. */
  watch(prefix: string, listener: (entries: readonly Entry[]) => void): () => void;
}

/**
 * Hints, not a log: at most once, in the order in which one process published to one topic. Who was cut off has missed what was
 * said meanwhile, and must look at what is there (DESIGN §3.3).
 */
export interface Bus {
  publish(topic: string, message: Uint8Array): Promise<void>;
  subscribe(topic: string, listener: (message: Uint8Array) => void): () => void;
}

/** How an `append` went: where the journal ends now. Refused: it ended elsewhere than the writer thought. */
export interface Appended {
  readonly kind: 'appended' | 'refused';
  readonly size: number;
}

/**
 * Lists of texts that only grow. A writer says where it thinks that the list ends, so that two who write agree on one order, and whoever
 * closes a journal by an entry of its own shuts out the writer before (ADR 0029).
 */
export interface Journals {
  /** All of the entries, or none. `ttlMs`: after so long without another the journal is gone; undefined: never. */
  append(key: string, at: number, entries: readonly string[], ttlMs?: number): Promise<Appended>;
  /** From there to the end. */
  read(key: string, from: number): Promise<readonly string[]>;
  remove(key: string): Promise<void>;
}

export interface Coordination {
  readonly leases: LeaseStore;
  readonly directory: Directory;
  readonly bus: Bus;
  readonly journals: Journals;
  /** The store answers and takes writes, as far as was seen lately. */
  reachable(): boolean;
  close(): Promise<void>;
}
