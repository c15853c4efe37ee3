/**
 * An append-only Merkle log (RFC 9162 §2.1). Only hashes are kept: those of every whole subtree, so that a proof costs a walk of
 * the tree's height and no hash is computed twice.
 */
import type { Frontier } from './frontier.ts';
import { emptyRoot, nodeHash, split } from './hash.ts';

export class MerkleLog {
  /** By level: the leaves, then each two joined, and so on; whole subtrees only. */
  readonly #levels: Uint8Array[][] = [[]];

  get size(): number {
    return this.#levels[0]?.length ?? 0;
  }

  /** Takes the `leafHash` of an entry and returns its index. */
  append(leaf: Uint8Array): number {
    const index = this.size;
    let hash = leaf;
    for (let level = 0, at = index; ; level++, at = (at - 1) / 2) {
      const row = (this.#levels[level] ??= []);
      row.push(hash);
      if (at % 2 === 0) return index;
      hash = nodeHash(row[at - 1] ?? hash, hash);
    }
  }

  /** Of the first `size` entries. @throws RangeError */
  root(size = this.size): Uint8Array {
    this.#require(size <= this.size);
    return size === 0 ? emptyRoot() : this.#hash(0, size);
  }

  /** Shows that entry `index` is in the first `size` (§2.1.3.1), lowest first. @throws RangeError */
  inclusion(index: number, size = this.size): Uint8Array[] {
    this.#require(size <= this.size && index < size);
    return this.#path(index, 0, size);
  }

  /** Shows that the first `from` entries are the beginning of the first `to` (§2.1.4.1). @throws RangeError */
  consistency(from: number, to = this.size): Uint8Array[] {
    this.#require(to <= this.size && from <= to);
    return from === 0 || from === to ? [] : this.#since(from, 0, to, true);
  }

  /** The right edge of the first `size`. @throws RangeError */
  frontier(size = this.size): Frontier {
    this.#require(size <= this.size);
    const hashes: Uint8Array[] = [];
    for (let start = 0; start < size;) {
      let whole = 1;
      while (start + whole * 2 <= size) whole *= 2;
      hashes.push(this.#hash(start, whole));
      start += whole;
    }
    return { size, hashes };
  }

  #path(index: number, start: number, size: number): Uint8Array[] {
    if (size === 1) return [];
    const k = split(size);
    return index < k
      ? [...this.#path(index, start, k), this.#hash(start + k, size - k)]
      : [...this.#path(index - k, start + k, size - k), this.#hash(start, k)];
  }

  #since(from: number, start: number, size: number, whole: boolean): Uint8Array[] {
    if (from === size) return whole ? [] : [this.#hash(start, size)];
    const k = split(size);
    return from <= k
      ? [...this.#since(from, start, k, whole), this.#hash(start + k, size - k)]
      : [...this.#since(from - k, start + k, size - k, false), this.#hash(start, k)];
  }

  /** `start` is a multiple of the power of two that `size` fits in. */
  #hash(start: number, size: number): Uint8Array {
    const level = Math.log2(size);
    const known = Number.isInteger(level) ? this.#levels[level]?.[start / size] : undefined;
    if (known !== undefined) return known;
    const k = split(size);
    return nodeHash(this.#hash(start, k), this.#hash(start + k, size - k));
  }

  #require(holds: boolean): void {
    if (!holds) throw new RangeError('not that long yet');
  }
}
