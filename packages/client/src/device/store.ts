/** What this browser remembers of identities: its own device, whom people have verified. One IndexedDB database. */
import type { RememberedHead } from '../log-watch.ts';
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';

/**
 * The 32-byte seed of the key, sealed by an AES-GCM key that script can use and not read. Not a CryptoKey of the signing key itself: that
 * could neither be exported nor kept in browsers without native ML-DSA (ADR 0011).
 */
export interface StoredDevice {
  readonly v: 1;
  readonly device: Uint8Array;
  readonly wrap: CryptoKey;
  readonly nonce: Uint8Array<ArrayBuffer>;
  readonly sealed: Uint8Array<ArrayBuffer>;
}

/** Somebody's key, when a person compared safety numbers. */
export interface VerifiedMark {
  readonly user: string;
  /** SHA-256 of the device key, hexadecimal digits. */
  readonly key: string;
  /** ms since the Unix epoch. */
  readonly at: number;
}

interface Schema extends DBSchema {
  device: { key: 'own'; value: StoredDevice };
  /** By the name of the root that signs them. */
  heads: { key: string; value: RememberedHead };
  verified: { key: string; value: VerifiedMark; indexes: { user: string } };
}

export type IdentityDb = IDBPDatabase<Schema>;

let opened: Promise<IdentityDb> | undefined;

/** @throws DOMException where the browser keeps nothing, as in some private windows */
export function identityDb(): Promise<IdentityDb> {
  opened ??= openDB<Schema>('veilcast-identity', 1, {
    upgrade(db) {
      db.createObjectStore('device');
      db.createObjectStore('heads');
      db.createObjectStore('verified').createIndex('user', 'user');
    },
    terminated: () => (opened = undefined),
  });
  opened.catch(() => (opened = undefined));
  return opened;
}
