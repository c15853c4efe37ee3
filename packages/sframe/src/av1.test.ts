/** AV1 by OBUs: what is dropped on the way, what is refused, and that sizes are always right. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { av1 } from './av1.ts';
import { av1Frame, awkward, ENCODED, encodedFrames, hex } from './units.fixture.ts';
import { secretOf, UNITS_MAX, withSecrets } from './units.ts';

const rewritten = (text: string): string | undefined => {
  const units = av1.readPlain(hex(text.replaceAll(' ', '')));
  return units && Buffer.from(av1.writePlain(units)).toString('hex');
};

describe('reading', () => {
  it('drops delimiters, tile lists and padding, and writes every size', () => {
    expect(rewritten('1200 0a02aabb 4201cc 7a0105 30ddee')).toBe('0a02aabb3202ddee');
  });

  it('keeps layers and reserved bits of headers', () => {
    expect(rewritten('3528ddee')).toBe('372802ddee');
  });

  it('takes sizes that are written long, and writes them short', () => {
    expect(rewritten('32828000ddee')).toBe('3202ddee');
  });

  it.each([
    ['nothing', ''],
    ['only a delimiter', '1200'],
    ['the forbidden bit', 'b202ddee'],
    ['a header without its extension', '36'],
    ['an extension without a size', '3628'],
    ['a size that goes on beyond the end', '3282'],
    ['more than is there', '3203ddee'],
    ['a size of nine bytes', '32828080808080808000ddee'],
    ['a size beyond 2^31', '32ffffffffff01ddee'],
  ])('refuses %s', (_, text) => {
    expect(av1.readPlain(hex(text))).toBeUndefined();
    expect(av1.readSealed(hex(text))).toBeUndefined();
  });

  it('refuses more units than a picture has', () => {
    expect(av1.readPlain(hex('3200'.repeat(UNITS_MAX)))).toHaveLength(UNITS_MAX);
    expect(av1.readPlain(hex('3200'.repeat(UNITS_MAX + 1)))).toBeUndefined();
  });

  it('never throws, whatever the bytes, and what it read it writes the same', () => {
    fc.assert(
      fc.property(awkward(80), (bytes) => {
        const units = av1.readPlain(bytes);
        if (units === undefined) return;
        expect(av1.readPlain(av1.writePlain(units))).toEqual(units);
      }),
      { numRuns: 5000 },
    );
  });

  it('finds the canonical form of every temporal unit', () => {
    fc.assert(
      fc.property(av1Frame, ({ frame, canonical }) => {
        expect(av1.writePlain(av1.readPlain(frame) ?? [])).toEqual(canonical);
      }),
      { numRuns: 300 },
    );
  });
});

describe('writing sealed', () => {
  it('makes sizes consistent when the last unit grows', () => {
    fc.assert(
      fc.property(av1Frame, awkward(300), ({ frame }, more) => {
        const units = av1.readPlain(frame) ?? [];
        const sealed = withSecrets(units, Uint8Array.of(...secretOf(units), ...more));
        expect(av1.readSealed(av1.writeSealed(sealed))).toEqual(sealed);
      }),
      { numRuns: 300 },
    );
  });

  it('reads what libaom made', () => {
    for (const frame of encodedFrames(readFileSync(ENCODED, 'utf8'), 'av1')) {
      const units = av1.readPlain(frame) ?? [];
      // The delimiter, two bytes, stays away.
      expect(av1.writePlain(units)).toEqual(frame.subarray(2));
    }
  });
});
