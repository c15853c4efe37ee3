import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FROZEN_AFTER_MS, Liveness } from './liveness.ts';

describe('the state of a video', () => {
  it('waits until the first frame, lives with frames, freezes without', () => {
    const liveness = new Liveness(0);
    expect(liveness.observe(5_000, 0, false, true)).toBe('waiting');
    expect(liveness.observe(5_100, 1, false, true)).toBe('live');
    expect(liveness.observe(5_100 + FROZEN_AFTER_MS, 1, false, true)).toBe('live');
    expect(liveness.observe(5_101 + FROZEN_AFTER_MS, 1, false, true)).toBe('frozen');
    expect(liveness.observe(9_000, 2, false, true)).toBe('live');
  });

  it('does not freeze while muted or unseen, nor in the moment after', () => {
    const liveness = new Liveness(0);
    liveness.observe(0, 10, false, true);
    expect(liveness.observe(10_000, 10, true, true)).toBe('muted');
    expect(liveness.observe(10_500, 10, false, true)).toBe('live');
    expect(liveness.observe(30_000, 10, false, false)).toBe('live');
    expect(liveness.observe(31_000, 10, false, true)).toBe('live');
  });

  it('has stood still only for as long as somebody wanted to see it move', () => {
    const liveness = new Liveness(0);
    const look = (now: number, frames: number, total: number, shown: boolean) => {
      const frozen = liveness.frozenMs(total, false, shown);
      liveness.observe(now, frames, false, shown);
      return frozen;
    };
    expect(look(0, 10, 0, true)).toBe(0);
    expect(look(500, 12, 200, true)).toBe(200);
    expect(look(1_000, 12, 200, false)).toBe(200);
    expect(look(9_000, 12, 200, true)).toBe(200);
    // The browser adds the pause when the first frame ends it.
    expect(look(9_500, 13, 8_500, true)).toBe(200);
    expect(look(10_000, 14, 8_800, true)).toBe(500);
  });

  it('is never frozen when every look finds new frames', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1 }), (waits) => {
        const liveness = new Liveness(0);
        let now = 0;
        for (const [index, wait] of waits.entries()) {
          now += wait;
          expect(liveness.observe(now, index + 1, false, true)).toBe('live');
        }
      }),
    );
  });
});
