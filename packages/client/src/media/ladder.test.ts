import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { simulcastLadder } from './ladder.ts';

const size = fc.record({ width: fc.integer({ min: 16, max: 7680 }), height: fc.integer({ min: 16, max: 4320 }) });

function activeScales(width: number, height: number): number[] {
  return simulcastLadder({ width, height }, 'camera')
    .filter(({ active }) => active)
    .map((layer) => layer.scaleResolutionDownBy);
}

describe('the simulcast ladder', () => {
  it('has as many encodings for every capture, and the active ones are the lower ones', () => {
    fc.assert(
      fc.property(size, fc.constantFrom('camera' as const, 'screen' as const), (capture, source) => {
        const layers = simulcastLadder(capture, source);
        const active = layers.filter((layer) => layer.active);
        expect(layers).toHaveLength(source === 'camera' ? 3 : 2);
        expect(layers.slice(0, active.length)).toEqual(active);
        expect(active.at(-1)?.scaleResolutionDownBy).toBe(1);
      }),
    );
  });

  it('rises: each active layer is twice as large as the one below and has more bits', () => {
    fc.assert(
      fc.property(size, fc.constantFrom('camera' as const, 'screen' as const), (capture, source) => {
        const active = simulcastLadder(capture, source).filter((layer) => layer.active);
        for (const [index, layer] of active.slice(1).entries()) {
          expect(active[index].scaleResolutionDownBy).toBe(layer.scaleResolutionDownBy * 2);
          expect(active[index].maxBitrate).toBeLessThan(layer.maxBitrate);
        }
      }),
    );
  });

  it('is wider from layer to layer as the server takes it to be: 320, 640, 1280', () => {
    expect(activeScales(1280, 720)).toEqual([4, 2, 1]);
    expect(activeScales(640, 360)).toEqual([2, 1]);
    expect(activeScales(360, 640)).toEqual([2, 1]);
    expect(activeScales(320, 240)).toEqual([1]);
  });
});
