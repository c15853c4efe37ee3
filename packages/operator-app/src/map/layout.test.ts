import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arc, inOrder, MAP, placeNodes, placeRegions, segment } from './layout.ts';

const regions = fc.uniqueArray(fc.stringMatching(/^[a-z]{2,6}(-[a-z]{1,5}-[0-9])?$/), { minLength: 1, maxLength: 9 });

describe('the map', () => {
  it('keeps every region inside and apart from the others, at the same place whatever order they come in', () => {
    fc.assert(
      fc.property(regions, (names) => {
        const spots = placeRegions(names);
        expect(placeRegions(names.toReversed())).toEqual(spots);
        for (const [i, a] of spots.entries()) {
          expect(a.x - a.radius).toBeGreaterThanOrEqual(-1e-6);
          expect(a.x + a.radius).toBeLessThanOrEqual(MAP.width + 1e-6);
          expect(a.y - a.radius).toBeGreaterThanOrEqual(-1e-6);
          expect(a.y + a.radius).toBeLessThanOrEqual(MAP.height + 1e-6);
          for (const b of spots.slice(i + 1)) {
            expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThanOrEqual(a.radius + b.radius - 1e-6);
          }
        }
      }),
    );
  });

  it('keeps nodes in their region and apart', () => {
    fc.assert(
      fc.property(regions, fc.integer({ min: 1, max: 12 }), (names, count) => {
        for (const region of placeRegions(names)) {
          const nodes = placeNodes(
            region,
            Array.from({ length: count }, (_, i) => `node-${i}`),
          );
          for (const [i, a] of nodes.entries()) {
            expect(Math.hypot(a.x - region.x, a.y - region.y) + a.radius).toBeLessThanOrEqual(region.radius + 1e-6);
            for (const b of nodes.slice(i + 1)) {
              expect(Math.hypot(a.x - b.x, a.y - b.y)).toBeGreaterThan(a.radius + b.radius - 1e-6);
            }
          }
        }
      }),
    );
  });

  it('draws a segment of the ring for every worker, also for a single one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 6, max: 46 }), (count, radius) => {
        for (let place = 0; place < count; place++) {
          const [, from, to] = /^M(\S+ \S+) A.* 1 (\S+ \S+)$/.exec(segment({ x: 0, y: 0 }, radius, place, count)) ?? [];
          expect(from).toBeDefined();
          expect(to).not.toBe(from);
        }
      }),
    );
  });

  it('puts west on the left and bends the two directions of a pair apart', () => {
    expect(inOrder(['ap', 'eu', 'us', 'xy'])).toEqual(['us', 'eu', 'ap', 'xy']);
    const [us, eu] = placeRegions(['us', 'eu']).flatMap((region) => placeNodes(region, [region.region]));
    if (!us || !eu) throw new Error('no spots');
    const there = arc(us, eu).label;
    const back = arc(eu, us).label;
    expect(Math.abs(there.y - back.y)).toBeGreaterThan(60);
  });
});
