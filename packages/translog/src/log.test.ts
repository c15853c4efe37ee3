/** Every proof of every size holds, every changed one fails; the tree of RFC 6962's test data has the roots that others compute. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EMPTY_FRONTIER, extendFrontier, frontierRoot } from './frontier.ts';
import { emptyRoot, leafHash } from './hash.ts';
import { MerkleLog } from './log.ts';
import { extendsLog, includes } from './verify.ts';

/** The eight entries and the roots of the certificate-transparency test data, sizes 1 to 8. */
const ENTRIES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

function logOf(size: number): MerkleLog {
  const log = new MerkleLog();
  for (let i = 0; i < size; i++) log.append(leafOf(i));
  return log;
}

function leafOf(index: number): Uint8Array {
  return leafHash(Uint8Array.of(index >> 8, index & 255));
}

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = bytes.slice();
  const at = (bit >> 3) % bytes.length;
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit & 7));
  return changed;
}

test('the roots of the certificate-transparency test data', () => {
  const log = new MerkleLog();
  expect(bytesToHex(log.root())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  let frontier = EMPTY_FRONTIER;
  for (const [index, entry] of ENTRIES.entries()) {
    expect(log.append(leafHash(hexToBytes(entry)))).toBe(index);
    frontier = extendFrontier(frontier, leafHash(hexToBytes(entry)));
    expect(bytesToHex(log.root())).toBe(ROOTS[index]);
    expect(bytesToHex(frontierRoot(frontier))).toBe(ROOTS[index]);
    expect(log.frontier()).toEqual(frontier);
  }
  for (const [index, root] of ROOTS.entries()) expect(bytesToHex(log.root(index + 1))).toBe(root);
});

describe('every proof of every size up to 40', () => {
  const log = logOf(40);

  test('inclusion holds, and for no other index, size or leaf', () => {
    for (let size = 1; size <= 40; size++) {
      const root = log.root(size);
      for (let index = 0; index < size; index++) {
        const path = log.inclusion(index, size);
        const claim = { leaf: leafOf(index), index, size, root };
        expect(includes(claim, path)).toBe(true);
        const other = (index + 1) % size;
        if (other !== index) expect(includes({ ...claim, index: other }, path)).toBe(false);
        expect(includes({ ...claim, leaf: leafOf(index + 100) }, path)).toBe(false);
        expect(includes(claim, [...path, root])).toBe(false);
        if (path.length > 0) expect(includes(claim, path.slice(1))).toBe(false);
      }
    }
  });

  test('consistency holds, and for no other root', () => {
    for (let to = 0; to <= 40; to++) {
      for (let from = 0; from <= to; from++) {
        const path = log.consistency(from, to);
        const older = { size: from, root: log.root(from) };
        const newer = { size: to, root: log.root(to) };
        expect(extendsLog(older, newer, path)).toBe(true);
        expect(extendsLog({ ...older, root: leafOf(99) }, newer, path)).toBe(false);
        if (from > 0) expect(extendsLog(older, { ...newer, root: leafOf(99) }, path)).toBe(false);
        expect(extendsLog(older, newer, [...path, leafOf(0)])).toBe(false);
        if (from !== to) expect(extendsLog(newer, older, path)).toBe(false);
      }
    }
  });
});

test('a changed bit anywhere in a proof fails it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 300 }), fc.nat(), fc.nat(), fc.nat(), (size, a, b, bit) => {
      const log = logOf(size);
      const index = a % size;
      const path = log.inclusion(index);
      const claim = { leaf: leafOf(index), index, size, root: log.root() };
      expect(includes(claim, path)).toBe(true);
      const at = b % path.length;
      expect(includes(claim, path.with(at, flip(path[at] ?? claim.leaf, bit % 256)))).toBe(false);
      const from = 1 + (a % (size - 1));
      const since = log.consistency(from);
      const older = { size: from, root: log.root(from) };
      expect(extendsLog(older, claim, since)).toBe(true);
      const place = b % since.length;
      expect(extendsLog(older, claim, since.with(place, flip(since[place] ?? claim.leaf, bit % 256)))).toBe(false);
    }),
    { numRuns: 150 },
  );
});

test('a log that was rewritten is not an extension of the old one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 60 }), fc.nat(), (before, more, at) => {
      const honest = logOf(before);
      const forked = new MerkleLog();
      for (let i = 0; i < before + more; i++) forked.append(i === at % before ? leafOf(5_000) : leafOf(i));
      const older = { size: before, root: honest.root() };
      const newer = { size: forked.size, root: forked.root() };
      expect(extendsLog(older, newer, forked.consistency(before))).toBe(false);
    }),
    { numRuns: 200 },
  );
});

test('numbers and hashes of a stranger never throw', () => {
  const root = emptyRoot();
  for (const odd of [-1, 0.5, Number.NaN, Infinity, 2 ** 60]) {
    expect(includes({ leaf: root, index: odd, size: 4, root }, [root])).toBe(false);
    expect(includes({ leaf: root, index: 0, size: odd, root }, [root])).toBe(false);
    expect(extendsLog({ size: odd, root }, { size: 4, root }, [root])).toBe(false);
    expect(extendsLog({ size: 1, root }, { size: odd, root }, [root])).toBe(false);
  }
  expect(includes({ leaf: root, index: 0, size: 1, root: new Uint8Array(3) }, [])).toBe(false);
  const log = logOf(3);
  expect(() => log.root(4)).toThrow(RangeError);
  expect(() => log.inclusion(3)).toThrow(RangeError);
  expect(() => log.consistency(2, 4)).toThrow(RangeError);
});
