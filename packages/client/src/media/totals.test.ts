import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { NO_AUDIO, NO_VIDEO } from './stats.ts';
import { Totals } from './totals.ts';

const figures = (framesDecoded: number, frozenMs = 0) => ({
  ...NO_VIDEO,
  ...NO_AUDIO,
  framesDecoded,
  frozenMs,
  packetsReceived: framesDecoded * 2,
});

it('counts what each way brought while it was shown, and the pause before it came back as nothing', () => {
  const way = fc.record({ to: fc.constantFrom('a', 'b'), frames: fc.integer({ min: 0, max: 90 }), freezes: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(way, { maxLength: 40 }), (looks) => {
      const totals = new Totals();
      const counted = { a: { frames: 0, frozen: 0 }, b: { frames: 0, frozen: 0 } };
      let shown: 'a' | 'b' = 'a';
      let [frames, frozen] = [0, 0];
      const look = (): void => {
        const both = new Map(
          (['a', 'b'] as const).map((name) => [name, figures(counted[name].frames, counted[name].frozen)]),
        );
        totals.look(new Map([['film', shown]]), both);
      };
      look();
      for (const { to, frames: more, freezes } of looks) {
        const isTurn = to !== shown;
        shown = to;
        counted[shown].frames += more;
        counted[shown].frozen += freezes * 100;
        frames += more;
        if (!isTurn) frozen += freezes * 100;
        look();
        expect(totals.get('film')).toMatchObject({
          framesDecoded: frames,
          frozenMs: frozen,
          packetsReceived: frames * 2,
        });
      }
    }),
    { numRuns: 200 },
  );
});

it('stands still while a way says nothing, and forgets what is not shown any more', () => {
  const totals = new Totals();
  totals.look(new Map([['film', 'a']]), new Map([['a', figures(10)]]));
  totals.look(new Map([['film', 'a']]), new Map());
  expect(totals.get('film')?.framesDecoded).toBe(10);
  totals.look(new Map([['film', 'a']]), new Map([['a', figures(12)]]));
  expect(totals.get('film')?.framesDecoded).toBe(12);
  totals.look(new Map(), new Map([['a', figures(20)]]));
  expect(totals.get('film')).toBeUndefined();
});
