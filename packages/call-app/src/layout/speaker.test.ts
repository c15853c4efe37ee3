import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { nextSpotlight, type Spotlight } from './speaker.ts';

const step = fc.record({
  wait: fc.integer({ min: 20, max: 900 }),
  levels: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 6 }),
});

it('shows somebody who is there, and changes only after the one in view was silent for a while', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let now = 0;
      let current: Spotlight | undefined;
      let lastHeard = 0;
      for (const { wait, levels } of steps) {
        now += wait;
        const voices = levels.map((level, i) => ({ id: String(i), level }));
        const next = nextSpotlight(current, voices, now);
        expect(voices.some(({ id }) => id === next?.id)).toBe(true);
        const stillHere = voices.find(({ id }) => id === current?.id);
        if (current && stillHere && next?.id !== current.id) {
          expect(now - lastHeard).toBeGreaterThanOrEqual(1_250);
          expect(stillHere.level).toBeLessThan(0.12);
        }
        if (next?.id !== current?.id || (stillHere && stillHere.level >= 0.12)) lastHeard = now;
        current = next;
      }
    }),
  );
});
