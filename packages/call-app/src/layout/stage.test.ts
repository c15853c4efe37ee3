import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { gridLayout, pageSize, spotlightLayout } from './stage.ts';

const area = fc.record({ width: fc.integer({ min: 300, max: 2600 }), height: fc.integer({ min: 300, max: 1600 }) });

it('keeps the large tile and the strip inside the stage and apart', () => {
  fc.assert(
    fc.property(area, fc.integer({ min: 0, max: 60 }), (size, others) => {
      const { main, tiles, hidden } = spotlightLayout(others, size, { min: 0.5, max: 3 });
      expect(tiles.length + hidden).toBe(others);
      expect(main).toBeDefined();
      const { more } = spotlightLayout(others, size, { min: 0.5, max: 3 });
      expect(more !== undefined).toBe(hidden > 0);
      for (const box of [main!, ...tiles]) {
        expect(box.width).toBeGreaterThan(0);
        expect(box.x).toBeGreaterThanOrEqual(-1e-6);
        expect(box.y).toBeGreaterThanOrEqual(-1e-6);
        expect(box.x + box.width).toBeLessThanOrEqual(size.width + 1e-6);
        expect(box.y + box.height).toBeLessThanOrEqual(size.height + 1e-6);
      }
      for (const tile of tiles) {
        const apart = tile.x >= main!.x + main!.width - 1e-6 || tile.y >= main!.y + main!.height - 1e-6;
        expect(apart).toBe(true);
      }
    }),
  );
});

it('shows at most a page in the grid and counts the rest', () => {
  fc.assert(
    fc.property(area, fc.integer({ min: 1, max: 99 }), (size, count) => {
      const { tiles, hidden } = gridLayout(count, size, true);
      expect(tiles.length).toBeLessThanOrEqual(pageSize(size));
      expect(tiles.length + hidden).toBe(count);
    }),
  );
});
