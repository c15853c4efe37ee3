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
