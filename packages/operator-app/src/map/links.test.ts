import type { PipePicture } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { dashOf, linksOf, widthOf } from './links.ts';

const node = fc.constantFrom('a', 'b', 'c');
const pipe: fc.Arbitrary<PipePicture> = fc.record({
  pipeId: fc.string(),
  roomId: fc.constant('demo'),
  fromNode: node,
  toNode: node,
  fromWorker: node,
  toWorker: node,
  producers: fc.nat(9),
  packetsPerSecond: fc.nat(9_999),
  bitsPerSecond: fc.nat(9_999_999),
  rttMs: fc.option(fc.nat(400)),
  lossRatio: fc.double({ min: 0, max: 1, noNaN: true }),
});

function total(all: readonly { packetsPerSecond: number }[]): number {
  return all.reduce((sum, one) => sum + one.packetsPerSecond, 0);
}

it('no packet is lost in adding up, and no two links are the same', () => {
  fc.assert(
    fc.property(fc.array(pipe, { maxLength: 30 }), (pipes) => {
      const links = linksOf(pipes);
      expect(total(links)).toBe(total(pipes));
      expect(new Set(links.map(({ from, to }) => `${from}>${to}`)).size).toBe(links.length);
    }),
  );
});

it('more packets make a wider line and more loss longer gaps', () => {
  fc.assert(
    fc.property(fc.nat(100_000), fc.nat(100_000), (a, b) => {
      expect(Math.sign(widthOf(a) - widthOf(b)) * Math.sign(a - b)).toBeGreaterThanOrEqual(0);
    }),
  );
  expect(dashOf(0)).toBeUndefined();
  expect(dashOf(0.01)).toBe('12 4');
  expect(dashOf(0.5)).toBe('4 16');
});
