import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hue, initials } from './identity.ts';

describe('initials', () => {
  it.each([
    ['Ada', 'A'],
    ['Ada Lovelace', 'AL'],
    ['  grace  brewster hopper ', 'GH'],
    ['ليلى حداد', 'لح'],
    ['👩‍🚀 Mae', '👩‍🚀M'],
    ['', ''],
  ])('of %j are %j', (name, letters) => expect(initials(name)).toBe(letters));

  it('are never longer than two graphemes', () => {
    const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
    fc.assert(
      // ß and its like become two letters in upper case.
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (name) => {
        expect([...segmenter.segment(initials(name))].length).toBeLessThanOrEqual(2);
      }),
    );
  });
});

describe('hue', () => {
  it('is the same each time, on the wheel, and uses all of it', () => {
    fc.assert(fc.property(fc.string(), (id) => hue(id) === hue(id) && hue(id) >= 0 && hue(id) < 360));
    const seen = new Set(Array.from({ length: 500 }, (_, i) => hue(`peer-${i}`)));
    expect(seen.size).toBe(24);
  });
});
