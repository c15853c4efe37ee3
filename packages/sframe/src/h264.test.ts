/** H.264 by NAL units: what stays clear, what is refused, and that a sealed frame is still one that a packetizer can take apart. */
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeNal, unescapeNal } from './h264-escape.ts';
import { sliceFrontLength } from './h264-slice.ts';
import { h264 } from './h264.ts';
import { awkward, ENCODED, encodedFrames, h264Frame, hex } from './units.fixture.ts';
import { carrierOf, secretOf, UNITS_MAX, withSecrets } from './units.ts';

const join = (...units: string[]): Uint8Array => hex(units.map((unit) => `00000001${unit}`).join(''));
const SPS = '6742c00ada';
const SLICE = '6588840a1b2c';

describe('emulation prevention', () => {
  it('is undone exactly, and leaves no start code and no 00 00 02 behind', () => {
    fc.assert(
      fc.property(awkward(60), fc.nat(2), (bytes, zeros) => {
        const escaped = escapeNal(bytes, zeros);
        const seen = Buffer.from([...Array.from({ length: zeros }, () => 0), ...escaped]).toString('hex');
        expect(seen).not.toMatch(/^(..)*00000[012]/);
        expect(unescapeNal(escaped, zeros)).toEqual(bytes);
      }),
      { numRuns: 1000 },
    );
  });

  it('has one form: what the writer would not write is refused', () => {
    for (const [text, zeros] of [
      ['000001', 0],
      ['000002', 0],
      ['00000304', 0],
      ['000003', 0],
      ['01', 2],
      ['0002', 1],
    ] as const) {
      expect(unescapeNal(hex(text), zeros), text).toBeUndefined();
    }
    fc.assert(
      fc.property(awkward(40), fc.nat(2), (bytes, zeros) => {
        const plain = unescapeNal(bytes, zeros);
        if (plain !== undefined) expect(escapeNal(plain, zeros)).toEqual(bytes);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('the front of a slice', () => {
  it('is as long as its three fields', () => {
    // first_mb 0, type 7, pps 0: 1 0001000 1.
    expect(sliceFrontLength(hex('8884'))).toBe(2);
    // first_mb 0, type 5 (1 00110) and pps 0 (1) fit into one byte.
    expect(sliceFrontLength(hex('9b'))).toBe(1);
    // first_mb 3599 in 23 bits, type 7, pps 0.
    expect(sliceFrontLength(hex('001c2022ff'))).toBe(4);
    // The largest of each: first_mb 139,264 in 35 bits, type 9 in 7, pps 255 in 17.
    expect(sliceFrontLength(hex('0000440022802000ff'))).toBe(8);
  });

  it('is undefined where the fields end early or make no sense', () => {
    expect(sliceFrontLength(hex(''))).toBeUndefined();
    expect(sliceFrontLength(hex('88'))).toBeUndefined();
    expect(sliceFrontLength(hex('0000000000000000000000'))).toBeUndefined();
    // An escape, which only absurd values would need.
    expect(sliceFrontLength(hex('00000300ffff'))).toBeUndefined();
    // Each field one above its bound: first_mb 139,265, type 10, pps 256.
    expect(sliceFrontLength(hex('0000440058ffff'))).toBeUndefined();
    expect(sliceFrontLength(hex('8b80'))).toBeUndefined();
    expect(sliceFrontLength(hex('c02020'))).toBeUndefined();
  });

  it('reads no byte beyond what it says, whatever comes', () => {
    fc.assert(
      fc.property(awkward(12), (bytes) => {
        const length = sliceFrontLength(bytes);
        if (length === undefined) return;
        expect(length).toBeLessThanOrEqual(bytes.length);
        expect(sliceFrontLength(bytes.subarray(0, length))).toBe(length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('reading', () => {
  it('seals slices behind the ids that receivers look up, and nothing else', () => {
    const units = h264.readPlain(join('0910', SPS, '68ce039c80', '0605aabb', SLICE)) ?? [];
    expect(units.map(({ secret }) => secret?.length)).toEqual([undefined, undefined, undefined, undefined, 3]);
    expect(Buffer.from(units[4]?.clear ?? []).toString('hex')).toBe('658884');
  });

  it('takes start codes of three and four bytes and zeros before and after, and writes four', () => {
    const frame = hex(`000000000001${SPS}0000000001${SLICE}000000`);
    expect(h264.writePlain(h264.readPlain(frame) ?? [])).toEqual(join(SPS, SLICE));
  });

  it.each([
    ['nothing', ''],
    ['no start code', SLICE],
    ['something before the first start code', `05000001${SLICE}`],
    ['an empty unit', `00000001000001${SLICE}`],
    ['the forbidden bit', `00000001e58884aa`],
    ['a data partition', `00000001428884aa`],
    ['an auxiliary slice', `00000001738884aa`],
    ['a slice of another extension', `00000001748884aa`],
    ['an unspecified unit', `00000001788884aa`],
    ['a slice without ids', `0000000165`],
  ])('refuses %s', (_, text) => {
    expect(h264.readPlain(hex(text))).toBeUndefined();
    expect(h264.readSealed(hex(text))).toBeUndefined();
  });

  it('refuses more units than a picture has', () => {
    expect(h264.readPlain(hex('0000010910'.repeat(UNITS_MAX)))).toHaveLength(UNITS_MAX);
    expect(h264.readPlain(hex('0000010910'.repeat(UNITS_MAX + 1)))).toBeUndefined();
  });

  it('refuses a sealed slice before the last that does not end as one', () => {
    expect(h264.readSealed(join(`${SLICE}80`, SLICE))).toHaveLength(2);
    expect(h264.readSealed(join(SLICE, SLICE))).toBeUndefined();
  });

  it('never throws, whatever the bytes, and what it read it writes the same', () => {
    fc.assert(
      fc.property(awkward(80), (bytes) => {
        for (const units of [h264.readPlain(bytes), h264.readPlain(Uint8Array.of(0, 0, 1, ...bytes))]) {
          if (units === undefined) continue;
          expect(h264.readPlain(h264.writePlain(units))).toEqual(units);
        }
        h264.readSealed(bytes);
        const sealed = h264.readSealed(Uint8Array.of(0, 0, 0, 1, ...bytes));
        if (sealed) expect(h264.readSealed(h264.writeSealed(sealed))).toEqual(sealed);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('writing sealed', () => {
  const cipher = fc.tuple(h264Frame, awkward(400), fc.integer({ min: 1, max: 17 }));

  it('gives back any ciphertext, ends in no zero, and keeps every unit and its front', () => {
    fc.assert(
      fc.property(cipher, ([{ frame }, noise, last]) => {
        const units = h264.readPlain(frame) ?? [];
        const secret = secretOf(units);
        const bytes = Uint8Array.from([...secret].map((_, i) => noise[i % Math.max(1, noise.length)] ?? 0));
        const sealed = withSecrets(units, Uint8Array.of(...bytes, ...noise, last));
        const written = h264.writeSealed(sealed);
        expect(written.at(-1)).not.toBe(0);
        expect(h264.readSealed(written)).toEqual(sealed);
        expect(carrierOf(sealed)).toBe(carrierOf(units));
      }),
      { numRuns: 500 },
    );
  });

  it('reads what libx264 made', () => {
    const frames = encodedFrames(readFileSync(ENCODED, 'utf8'), 'h264');
    expect(frames.map((frame) => h264.readPlain(frame)?.length)).toEqual([5, 3, 3]);
    for (const frame of frames) {
      const units = h264.readPlain(frame) ?? [];
      expect(units.filter(({ secret }) => secret !== undefined)).toHaveLength(2);
      const text = Buffer.from(h264.writePlain(units)).toString('hex');
      expect(text).toBe(
        Buffer.from(frame)
          .toString('hex')
          .replaceAll(/(?<!00)000001/g, '00000001'),
      );
    }
  });
});
