/** Laws of what a publisher is told to encode. */
import type { ProducerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { everyStep } from '../test/histories.ts';
import { keepLayers, LAYER_HOLD_MS, NOTHING_KEPT, watchedLayers } from './watched.ts';

const CAMERA = 'camera' as ProducerId;

const history = fc.array(fc.record({ after: fc.nat(LAYER_HOLD_MS), highest: fc.integer({ min: -1, max: 2 }) }), {
  maxLength: 40,
});

describe('what a publisher is told', () => {
  test('is the highest layer that anybody watched in the last five seconds, and everything at first', () => {
    fc.assert(
      fc.property(history, (moments) => {
        let kept = NOTHING_KEPT;
        let told: number | null = 7;
        let now = 0;
        let before = 7;
        const past: { at: number; highest: number }[] = [];
        for (const { after, highest } of moments) {
          now += after;
          // What was watched before was watched until this moment.
          past.push({ at: now, highest: before }, { at: now, highest });
          before = highest;
          const step = keepLayers(kept, new Map([[CAMERA, highest]]), now);
          kept = step.kept;
          for (const { spatial } of step.tell) told = spatial;
          expect(told ?? -1).toBeGreaterThanOrEqual(highest);
          const recent = past.filter(({ at }) => now - at < LAYER_HOLD_MS).map((one) => one.highest);
          expect(told ?? -1).toBe(Math.max(...recent));
          expect(step.wakeAt === undefined).toBe((told ?? -1) === highest);
          if (step.wakeAt !== undefined) expect(step.wakeAt).toBeGreaterThan(now);
        }
      }),
    );
  });

  test('comes down by itself when it is looked at again at the time that was said', () => {
    const nobody = new Map([[CAMERA, -1]]);
    let { kept, wakeAt } = keepLayers(NOTHING_KEPT, nobody, 0);
    const step = keepLayers(kept, nobody, wakeAt!);
    expect(step.tell).toEqual([{ producerId: CAMERA, spatial: null }]);
    expect(step.wakeAt).toBeUndefined();
    ({ kept, wakeAt } = keepLayers(step.kept, new Map([[CAMERA, 2]]), wakeAt! + 1));
    expect(keepLayers(step.kept, new Map([[CAMERA, 2]]), 9_999).tell).toEqual([{ producerId: CAMERA, spatial: 2 }]);
    expect(wakeAt).toBeUndefined();
    expect(keepLayers(kept, new Map(), 10_000).kept.size).toBe(0);
  });

  test('is never less than what runs, for any Peer', () => {
    everyStep(({ step: { state } }) => {
      const watched = watchedLayers(state);
      const sent = [...state.peers.values()].flatMap((peer) => [...peer.producers.values()]);
      expect([...watched.keys()].sort()).toEqual(
        sent.flatMap(({ kind, producerId }) => (kind === 'video' ? [producerId] : [])).sort(),
      );
      for (const { consumers } of state.peers.values()) {
        for (const { producerId, paused, spatial } of consumers.values()) {
          const highest = watched.get(producerId);
          if (!paused && highest !== undefined) expect(highest).toBeGreaterThanOrEqual(spatial);
        }
      }
    });
  });
});
