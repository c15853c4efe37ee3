import type { ProducerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodingsOf, simulcastLadder } from '../media/ladder.ts';
import type { SendCeiling } from './adapt.ts';
import { layersUnder, tilesUnder } from './ceiling.ts';
import { SEND_RUNGS } from './rungs.ts';

const CAMERA = simulcastLadder({ width: 1280, height: 720 }, 'camera');
const ceilings: SendCeiling[] = SEND_RUNGS.map(({ layersMax, framesPerSecond, soundBps, packetMs }) => ({
  layersMax,
  framesPerSecond,
  soundBps,
  packetMs,
}));

describe('layers under a ceiling', () => {
  it.each(ceilings)('are never more than without it: $layersMax, $framesPerSecond', (ceiling) => {
    for (const layers of [CAMERA, encodingsOf('vp9', { width: 1280, height: 720 }, 'camera', true)]) {
      const under = layersUnder(layers, ceiling);
      expect(under).toHaveLength(layers.length);
      for (const [index, layer] of under.entries()) {
        expect(layer.maxBitrate).toBeLessThanOrEqual(layers[index].maxBitrate);
        expect(layer.active && !layers[index].active).toBe(false);
      }
    }
  });

  it('are off above it, one stream is thinner as a whole, and nothing is left of none', () => {
    const activeOf = (ceiling: SendCeiling) => layersUnder(CAMERA, ceiling).map(({ active }) => active);
    expect(ceilings.map(activeOf)).toEqual([
      [false, false, false],
      [true, false, false],
      [true, false, false],
      [true, true, false],
      [true, true, true],
    ]);
    const [stream] = layersUnder(encodingsOf('av1', { width: 1280, height: 720 }, 'camera', true), ceilings[2]);
    expect(stream).toMatchObject({ active: true, maxBitrate: 200_000 });
    expect(layersUnder(CAMERA, undefined)).toEqual(CAMERA);
  });
});

describe('tiles under a ceiling', () => {
  it('never grow, and keep their form', () => {
    const size = fc.integer({ min: 1, max: 4_000 });
    const tile = fc.record({
      producerId: fc.constant('p' as ProducerId),
      width: size,
      height: size,
      visible: fc.boolean(),
    });
    fc.assert(
      fc.property(tile, fc.constantFrom(null, 0, 1, 7), (one, layersMax) => {
        const [under] = tilesUnder([one], layersMax);
        expect(under.width).toBeLessThanOrEqual(one.width);
        expect(under.height).toBeLessThanOrEqual(one.height);
        expect(under.visible).toBe(one.visible && layersMax !== null);
        if (layersMax !== null)
          expect(Math.abs(under.width * one.height - under.height * one.width)).toBeLessThanOrEqual(
            one.width + one.height,
          );
      }),
    );
  });
});
