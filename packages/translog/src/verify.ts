/** What a reader of the log checks, by the algorithms of RFC 9162. Nothing here trusts a length or a number that it is given. */
import { emptyRoot, HASH_BYTES, nodeHash } from './hash.ts';

export interface InclusionClaim {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
}

/** §2.1.3.2. Never throws. */
export function includes({ leaf, index, size, root }: InclusionClaim, path: readonly Uint8Array[]): boolean {
  if (!isCount(index) || !isCount(size) || index >= size || !allHashes([leaf, root, ...path])) return false;
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const other of path) {
    if (last === 0) return false;
    if (odd(node) || node === last) {
      hash = nodeHash(other, hash);
      while (!odd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else hash = nodeHash(hash, other);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equal(hash, root);
}

export interface Seen {
  readonly size: number;
  readonly root: Uint8Array;
}

/** §2.1.4.2: `older` is the beginning of `newer`. Never throws. */
export function extendsLog(older: Seen, newer: Seen, path: readonly Uint8Array[]): boolean {
  const [from, to] = [older.size, newer.size];
  if (!isCount(from) || !isCount(to) || from > to || !allHashes([older.root, newer.root, ...path])) return false;
  if (from === to) return path.length === 0 && equal(older.root, newer.root);
  if (from === 0) return path.length === 0 && equal(older.root, emptyRoot());
  const rest = isPowerOfTwo(from) ? [older.root, ...path] : [...path];
  const first = rest.shift();
  if (first === undefined || path.length === 0) return false;
  let node = from - 1;
  let last = to - 1;
  while (odd(node)) [node, last] = [half(node), half(last)];
  let [hashBefore, hashAfter] = [first, first];
  for (const other of rest) {
    if (last === 0) return false;
    if (odd(node) || node === last) {
      hashBefore = nodeHash(other, hashBefore);
      hashAfter = nodeHash(other, hashAfter);
      while (!odd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else hashAfter = nodeHash(hashAfter, other);
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && equal(hashBefore, older.root) && equal(hashAfter, newer.root);
}

// Numbers above 2³¹ are allowed, so no bit operators.
const odd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function isPowerOfTwo(n: number): boolean {
  let rest = n;
  while (rest > 1 && !odd(rest)) rest = half(rest);
  return rest === 1;
}

function allHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === HASH_BYTES);
}

/** All of it is public: time tells nothing. */
function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
