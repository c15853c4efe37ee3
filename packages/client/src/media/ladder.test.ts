import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodingsOf, fittingLayer, simulcastLadder } from './ladder.ts';

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

const scalability = (codec: 'vp8' | 'h264' | 'vp9' | 'av1', source: 'camera' | 'screen', spatialLayers = true) =>
  encodingsOf(codec, { width: 1280, height: 720 }, source, spatialLayers).map((layer) => layer.scalabilityMode);

describe('the encodings of a codec', () => {
  it('are a stream a layer for VP8 and H.264, and one stream for VP9 and AV1', () => {
    expect(scalability('vp8', 'camera')).toEqual(['L1T3', 'L1T3', 'L1T3']);
    expect(scalability('h264', 'camera')).toEqual(['L1T1', 'L1T1', 'L1T1']);
    for (const codec of ['vp9', 'av1'] as const) {
      expect(scalability(codec, 'camera')).toEqual(['L3T3_KEY']);
      expect(scalability(codec, 'screen')).toEqual(['L1T3']);
      expect(scalability(codec, 'camera', false)).toEqual(['L1T1']);
    }
  });

  it('in one stream are of full size, always on, and take fewer bits than apart', () => {
    fc.assert(
      fc.property(size, fc.boolean(), (capture, spatialLayers) => {
        const [one] = encodingsOf('av1', capture, 'camera', spatialLayers);
        const bits = simulcastLadder(capture, 'camera').reduce(
          (sum, layer) => sum + (layer.active ? layer.maxBitrate : 0),
          0,
        );
        expect(one).toMatchObject({ active: true, scaleResolutionDownBy: 1 });
        expect(one?.maxBitrate).toBeLessThanOrEqual(bits);
      }),
    );
  });
});

describe('one stream for one viewer', () => {
  it('is as small as its tile allows and no softer, and nothing where nobody looks', () => {
    fc.assert(
      fc.property(size, size, (capture, tile) => {
        const { active, scaleResolutionDownBy: scale, maxBitrate } = fittingLayer(capture, 'camera', tile);
        const shown = Math.max(tile.width, (tile.height * capture.width) / capture.height);
        expect(active).toBe(true);
        if (scale > 1) expect(capture.width / scale).toBeGreaterThanOrEqual(0.8 * shown);
        expect(capture.width / (scale * 2)).toBeLessThan(0.8 * shown);
        expect(maxBitrate).toBeLessThanOrEqual(fittingLayer(capture, 'camera', undefined).maxBitrate);
      }),
    );
    expect(fittingLayer({ width: 1280, height: 720 }, 'camera', { width: 0, height: 0 }).active).toBe(false);
  });

  it('has every pixel of a screen', () => {
    const layer = fittingLayer({ width: 1920, height: 1080 }, 'screen', { width: 320, height: 180 });
    expect(layer).toMatchObject({ active: true, scaleResolutionDownBy: 1, maxFramerate: 15 });
  });
});
