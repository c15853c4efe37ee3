/**
 * The right edge of a log: the roots of its whole subtrees, largest first, as many as its size has binary ones. Enough to append
 * to and to know the root, for a reader who follows all entries and keeps none.
 */
import { emptyRoot, nodeHash } from './hash.ts';

export interface Frontier {
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] };

export function extendFrontier({ size, hashes }: Frontier, leaf: Uint8Array): Frontier {
  const kept = [...hashes];
  let hash = leaf;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) hash = nodeHash(kept.pop() ?? hash, hash);
  return { size: size + 1, hashes: [...kept, hash] };
}

export function frontierRoot({ hashes }: Frontier): Uint8Array {
  return (
    hashes.reduceRight<Uint8Array | undefined>(
      (right, left) => (right === undefined ? left : nodeHash(left, right)),
      undefined,
    ) ?? emptyRoot()
  );
}
