import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulcastLadder } from './ladder.ts';

const size = fc.record({ width: fc.integer({ min: 16, max: 7680 }), height: fc.integer({ min: 16, max: 4320 }) });

function scales(width: number, height: number): number[] {
  return simulcastLadder({ width, height }, 'camera').map((layer) => layer.scaleResolutionDownBy);
}

describe('the simulcast ladder', () => {
  it('rises: each layer is twice as large as the one below and has more bits', () => {
    fc.assert(
      fc.property(size, fc.constantFrom('camera' as const, 'screen' as const), (capture, source) => {
        const layers = simulcastLadder(capture, source);
        expect(layers.length).toBeGreaterThanOrEqual(1);
        expect(layers.length).toBeLessThanOrEqual(3);
        expect(layers.at(-1)?.scaleResolutionDownBy).toBe(1);
        for (const [index, layer] of layers.slice(1).entries()) {
          expect(layers[index].scaleResolutionDownBy).toBe(layer.scaleResolutionDownBy * 2);
          expect(layers[index].maxBitrate).toBeLessThan(layer.maxBitrate);
        }
      }),
    );
  });

  it('gives a larger capture no fewer bits', () => {
    fc.assert(
      fc.property(size, size, (a, b) => {
        const [small, large] = a.width * a.height <= b.width * b.height ? [a, b] : [b, a];
        const top = (capture: typeof a) => simulcastLadder(capture, 'camera').at(-1)!.maxBitrate;
        expect(top(small)).toBeLessThanOrEqual(top(large));
      }),
    );
  });

  it('has three layers from 360 lines up and leaves out those nobody could recognize', () => {
    expect(scales(1280, 720)).toEqual([4, 2, 1]);
    expect(scales(640, 360)).toEqual([4, 2, 1]);
    expect(scales(360, 640)).toEqual([4, 2, 1]);
    expect(scales(320, 180)).toEqual([2, 1]);
    expect(scales(160, 120)).toEqual([1]);
  });
});
