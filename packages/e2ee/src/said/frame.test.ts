import { readFileSync } from 'node:fs';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupOf, library, newAuthority } from '../fixture.ts';
import { decodeFrame, encodeFrame, FRAME_BYTES_MAX, NUMBER_MAX, PIECE_BYTES, type SaidFrame } from './frame.ts';
import { cut, Gathering } from './pieces.ts';

interface Vector {
  readonly frame: Omit<SaidFrame, 'payload'> & { readonly payload: string };
  readonly bytes: string;
}

const vectors = JSON.parse(readFileSync(new URL('../../vectors/said.json', import.meta.url), 'utf8')) as Vector[];

const FRAME: SaidFrame = {
  stream: '0123456789abcdef'.repeat(2),
  way: 'ordered',
  number: 1,
  clock: 1,
  piece: 0,
  pieces: 1,
  kind: 'chat',
  payload: Uint8Array.of(1, 2, 3),
};

const frame: fc.Arbitrary<SaidFrame> = fc
  .record({
    stream: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytesToHex),
    way: fc.constantFrom('ordered' as const, 'loose' as const),
    number: fc.integer({ min: 65, max: NUMBER_MAX }),
    clock: fc.integer({ min: 1, max: NUMBER_MAX }),
    piece: fc.nat(63),
    pieces: fc.integer({ min: 1, max: 64 }),
    kind: fc.stringMatching(/^[a-z][A-Za-z0-9]{0,31}$/),
    payload: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  })
  .map((made) => {
    const piece = made.piece % made.pieces;
    const full = piece < made.pieces - 1;
    return { ...made, piece, payload: full ? new Uint8Array(PIECE_BYTES).fill(7) : made.payload };
  });

describe('a frame', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(frame, (one) => {
        expect(decodeFrame(encodeFrame(one))).toEqual(one);
      }),
    );
  });

  it.each(vectors)('is written as in the vectors: $frame.kind $frame.number', ({ frame: written, bytes }) => {
    const one = { ...written, payload: hexToBytes(written.payload) };
    expect(bytesToHex(encodeFrame(one))).toBe(bytes);
    expect(decodeFrame(hexToBytes(bytes))).toEqual(one);
  });

  it('has one way to be written: what is read is written the same again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), frame, fc.nat(79), fc.nat(255), (noise, one, place, value) => {
        for (const bytes of [noise, encodeFrame(one).with(place % encodeFrame(one).length, value)]) {
          const read = decodeFrame(bytes);
          if (read) expect(encodeFrame(read)).toEqual(bytes);
        }
      }),
    );
  });

  it.each([
    ['no number', { number: 0 }],
    ['no clock', { clock: 0 }],
    ['a piece too many', { piece: 1 }],
    ['no piece', { pieces: 0 }],
    ['more pieces than a thing may have', { pieces: 65 }],
    ['a place before the first', { number: 1, piece: 1, pieces: 2 }],
    ['a piece that is not full before the last', { pieces: 2 }],
    ['an empty last piece', { number: 2, piece: 1, pieces: 2, payload: new Uint8Array() }],
    ['a piece that is too long', { payload: new Uint8Array(PIECE_BYTES + 1) }],
    ['a kind without a name', { kind: '' }],
    ['a kind with a strange name', { kind: 'Chat!' }],
    ['a kind with a long name', { kind: 'k'.repeat(33) }],
    ['a stream that is too short', { stream: 'ab' }],
  ])('is refused with %s', (_, change) => {
    expect(() => encodeFrame({ ...FRAME, ...change })).toThrow(RangeError);
  });

  it.each([
    ['version', 0, 2],
    ['way', 1, 2],
    ['number', 23, 0],
    ['clock', 29, 0],
    ['piece', 31, 1],
    ['pieces', 33, 0],
    ['length of the kind', 34, 200],
    ['kind', 35, 0x41],
  ])('is refused with a wrong %s', (_, place, value) => {
    const bytes = encodeFrame(FRAME);
    expect(decodeFrame(bytes)).toEqual(FRAME);
    expect(decodeFrame(bytes.with(place, value))).toBeUndefined();
  });

  it('is refused when it is longer than any frame', () => {
    expect(decodeFrame(new Uint8Array(FRAME_BYTES_MAX + 1).fill(1))).toBeUndefined();
  });
});

describe('pieces', () => {
  it('give the whole in whatever order they come, and twice too', () => {
    const payload = Uint8Array.from({ length: 3 * PIECE_BYTES + 5 }, (_, i) => i % 251);
    const [a, b, c, d] = piecesOf(payload);
    const gathering = new Gathering();
    for (const piece of [c, a, a, d, c]) expect(gathering.add(piece, 1e6).outcome).toBe('more');
    expect(gathering.add(b, 1e6)).toEqual({ outcome: 'whole', payload });
    expect(gathering.bytes).toBe(0);
  });

  it('are refused when they contradict each other or exceed their kind', () => {
    const [a, b] = piecesOf(new Uint8Array(2 * PIECE_BYTES));
    expect(new Gathering().add(a, PIECE_BYTES).outcome).toBe('refused');
    expect(new Gathering().add({ ...FRAME, payload: new Uint8Array(9) }, 8).outcome).toBe('refused');
    const gathering = new Gathering();
    gathering.add(a, 1e6);
    expect(gathering.add({ ...b, kind: 'hand' }, 1e6).outcome).toBe('refused');
    expect(gathering.bytes).toBe(0);
  });

  it('that never become whole cost a bounded number of bytes', () => {
    const gathering = new Gathering();
    const long = piecesOf(new Uint8Array(60 * PIECE_BYTES));
    for (let thing = 0; thing < 20; thing++) {
      for (const piece of long.slice(1)) gathering.add({ ...piece, number: piece.number + thing * 64 }, 2e6);
    }
    expect(gathering.bytes).toBeLessThanOrEqual(128 * PIECE_BYTES);
    expect(() => cut(new Uint8Array(64 * PIECE_BYTES + 1))).toThrow(RangeError);
  });
});

describe('what the server sees of a frame', () => {
  it('is one of four lengths, a bucket each', async () => {
    const authority = await newAuthority();
    const { states } = await groupOf(authority, ['ada', 'bob']);
    const lengths = new Map<number, number>();
    const payloads = [0, 1, 60, 149, 150, 400, 900, 917, 918, 3_000, 3_990, 9_000, PIECE_BYTES];
    for (const length of payloads) {
      const kind = length === PIECE_BYTES ? 'k'.repeat(32) : 'chat';
      const { sealed } = await library.seal(
        states[0],
        encodeFrame({ ...FRAME, kind, payload: new Uint8Array(length) }),
      );
      lengths.set(sealed.length, (lengths.get(sealed.length) ?? 0) + 1);
    }
    const seen = [...lengths.keys()].sort((a, b) => a - b);
    expect(seen).toHaveLength(4);
    // The framing around the padded content is the same for all, but for the bytes of a longer length.
    const around = seen.map((length, i) => length - [256, 1_024, 4_096, 16_384][i]);
    expect(Math.max(...around) - Math.min(...around)).toBeLessThanOrEqual(2);
  });
});

function piecesOf(payload: Uint8Array, number = 1): SaidFrame[] {
  return cut(payload).map((part, piece, all) => ({
    ...FRAME,
    number: number + piece,
    piece,
    pieces: all.length,
    payload: part,
  }));
}
