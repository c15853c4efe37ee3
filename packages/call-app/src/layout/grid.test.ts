import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bestGrid, gridBoxes, type Box } from './grid.ts';

const GAP = 8;
const cases = fc.record({
  count: fc.integer({ min: 1, max: 25 }),
  width: fc.integer({ min: 280, max: 3840 }),
  height: fc.integer({ min: 280, max: 2160 }),
  ratio: fc.constantFrom({ min: 16 / 9, max: 16 / 9 }, { min: 4 / 3, max: 4 / 3 }, { min: 0.75, max: 16 / 9 }),
});

function overlap(a: Box, b: Box): boolean {
  const slack = 1e-6;
  return (
    a.x + a.width > b.x + slack &&
    b.x + b.width > a.x + slack &&
    a.y + a.height > b.y + slack &&
    b.y + b.height > a.y + slack
  );
}

describe('the grid', () => {
  it('keeps every tile inside, apart from every other, of one size and of the wanted shape', () => {
    fc.assert(
      fc.property(cases, ({ count, width, height, ratio }) => {
        const boxes = gridBoxes(count, { width, height }, ratio, GAP);
        expect(boxes).toHaveLength(count);
        for (const [i, box] of boxes.entries()) {
          expect(box.x).toBeGreaterThanOrEqual(-1e-6);
          expect(box.y).toBeGreaterThanOrEqual(-1e-6);
          expect(box.x + box.width).toBeLessThanOrEqual(width + 1e-6);
          expect(box.y + box.height).toBeLessThanOrEqual(height + 1e-6);
          expect(box.width / box.height).toBeGreaterThan(ratio.min - 1e-6);
          expect(box.width / box.height).toBeLessThan(ratio.max + 1e-6);
          for (const other of boxes.slice(i + 1)) expect(overlap(box, other)).toBe(false);
        }
      }),
    );
  });

  it('has the largest tiles of all numbers of columns', () => {
    fc.assert(
      fc.property(cases, ({ count, width, height, ratio }) => {
        const best = bestGrid(count, { width, height }, ratio, GAP);
        for (let columns = 1; columns <= count; columns++) {
          const rows = Math.ceil(count / columns);
          const cellWidth = (width - GAP * (columns - 1)) / columns;
          const cellHeight = (height - GAP * (rows - 1)) / rows;
          const tileWidth = Math.min(cellWidth, cellHeight * ratio.max);
          const tileHeight = Math.min(cellHeight, cellWidth / ratio.min);
          // Half a square pixel decides for the fuller grid; over the tries that adds up to at most one each.
          expect(best.width * best.height).toBeGreaterThanOrEqual(tileWidth * tileHeight - count);
        }
      }),
    );
  });

  it('centres the last row and never uses more columns than allowed', () => {
    const boxes = gridBoxes(3, { width: 1000, height: 1000 }, { min: 1, max: 1 }, 0, 2);
    expect(boxes.map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [500, 0],
      [250, 500],
    ]);
  });
});
