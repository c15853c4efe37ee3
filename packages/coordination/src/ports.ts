/**
 * What processes share: Leases (who owns a key), a Directory (who is there) and a Bus (what happened).
 * All times are the store's; no process compares its clock with another's. Adapters: memory, Redis; one contract suite.
 */

export interface Lease {
  readonly key: string;
  readonly owner: string;
  /** Grows with every change of owner, and never goes back while anybody can remember the old one. */
  readonly term: number;
  /** Of the store's clock, ms. */
  readonly expiresAt: number;
}

export type Acquired =
  | { readonly kind: 'held'; readonly lease: Lease }
  /** Somebody else holds it. */
  | { readonly kind: 'refused'; readonly lease: Lease };

export interface LeaseStore {
  /** Compare-and-set: takes a free or expired key with a new Term; one's own key is renewed with its Term kept. */
  acquire(key: string, owner: string, ttlMs: number): Promise<Acquired>;
  /** False: the Lease was lost (expired and taken, or released). */
  renew(lease: Lease, ttlMs: number): Promise<boolean>;
  /** Ends it only if this Term still holds it; the Term is remembered. */
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

export interface Bus {
  publish(topic: string, message: Uint8Array): Promise<void>;
  subscribe(topic: string, listener: (message: Uint8Array) => void): () => void;
}

export interface Coordination {
  readonly leases: LeaseStore;
  readonly directory: Directory;
  readonly bus: Bus;
  close(): Promise<void>;
}
