/** Hashes of RFC 9162 §2.1.1 with SHA-256: a leaf is never taken for a node. */
import { sha256 } from '@noble/hashes/sha2.js';

export const HASH_BYTES = 32;
const LEAF = 0;
const NODE = 1;

/** Root of a log of nothing. */
export function emptyRoot(): Uint8Array {
  return sha256(new Uint8Array());
}

export function leafHash(entry: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + entry.length);
  bytes[0] = LEAF;
  bytes.set(entry, 1);
  return sha256(bytes);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + left.length + right.length);
  bytes[0] = NODE;
  bytes.set(left, 1);
  bytes.set(right, 1 + left.length);
  return sha256(bytes);
}

/** The largest power of two below `size`, which is at least 2. */
export function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}
