/** Frames of units for tests: random ones of every structure, and those that encoders made. */
import * as fc from 'fast-check';
import { escapeNal } from './h264-escape.ts';

export const hex = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length: text.length / 2 }, (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));

/** Bytes in which start codes, escapes and sizes are likely. */
export const awkward = (maxLength: number) =>
  fc
    .array(fc.oneof(fc.constantFrom(0, 0, 0, 1, 2, 3, 0x65, 0x41, 0x67, 0x88, 0x12, 0x32, 0x0a, 0x80), fc.nat(255)), {
      maxLength,
    })
    .map((bytes) => Uint8Array.from(bytes));

const startCode = fc.constantFrom([0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0, 1]);

/** A NAL unit as an encoder writes it: escaped, and not ending in 00. */
function nal(front: readonly number[], body: Uint8Array): number[] {
  return [...front, ...escapeNal(body, 0), 0x80];
}

const slice = fc
  .record({ idr: fc.boolean(), front: fc.constantFrom([0x88], [0x9a], [0x00, 0x40, 0x22, 0x10]), body: awkward(60) })
  .map(({ idr, front, body }) => nal([idr ? 0x65 : 0x41, ...front, 0xe0], body));

const other = fc
  .record({ type: fc.constantFrom(6, 7, 8, 9, 12), body: awkward(30) })
  .map(({ type, body }) => nal([type | 0x60], body));

export interface Made {
  readonly frame: Uint8Array;
  /** The same frame in the form in which it is opened. */
  readonly canonical: Uint8Array;
}

/** An access unit with at least one slice. */
export const h264Frame: fc.Arbitrary<Made> = fc
  .tuple(fc.array(fc.tuple(startCode, fc.oneof(slice, other)), { maxLength: 6 }), startCode, slice, fc.boolean())
  .map(([units, code, last, tail]) => {
    const all = [
      ...units,
      [code, last] as const,
      ...(tail ? [[[0, 0, 1], nal([12], Uint8Array.of(255))] as const] : []),
    ];
    return {
      frame: Uint8Array.from(all.flatMap(([start, unit]) => [...start, ...unit])),
      canonical: Uint8Array.from(all.flatMap(([, unit]) => [0, 0, 0, 1, ...unit])),
    };
  });

function leb(value: number, wide: boolean): number[] {
  const bytes = [value & 127, value >> 7];
  return bytes[1] === 0 && !wide ? [value] : [bytes[0]! | 128, bytes[1]!];
}

const obu = fc.record({
  type: fc.constantFrom(1, 3, 4, 5, 6, 7, 9),
  extension: fc.option(fc.nat(255), { nil: undefined }),
  payload: awkward(200),
  wide: fc.boolean(),
});

/** A temporal unit of OBUs, with and without sizes, delimiters and padding. */
export const av1Frame: fc.Arbitrary<Made> = fc
  .tuple(fc.array(obu, { minLength: 1, maxLength: 6 }), fc.boolean(), fc.boolean(), fc.boolean())
  .map(([obus, delimiter, padding, sized]) => {
    const write = (last: boolean, { type, extension, payload, wide }: (typeof obus)[number], canonical: boolean) => {
      const hasSize = canonical || sized || !last || padding;
      const header = (type << 3) | (extension === undefined ? 0 : 4) | (hasSize ? 2 : 0);
      const size = hasSize ? leb(payload.length, wide && !canonical) : [];
      return [header, ...(extension === undefined ? [] : [extension]), ...size, ...payload];
    };
    const all = (canonical: boolean) =>
      obus.flatMap((each, index) => write(index === obus.length - 1, each, canonical));
    return {
      frame: Uint8Array.from([...(delimiter ? [0x12, 0] : []), ...all(false), ...(padding ? [0x7a, 2, 1, 1] : [])]),
      canonical: Uint8Array.from(all(true)),
    };
  });

/** An H.264 picture of so many slices. */
export function slices(count: number): Uint8Array {
  const all = Array.from(
    { length: count },
    (_, i) => `000000016588840a${'1b2c3d4e5f'.repeat(4)}${(i + 16).toString(16)}`,
  );
  return hex(`000000016742c00ada0000000168ce039c80${all.join('')}`);
}

/** An AV1 picture: sequence header, frame header, tile group; all of spatial layer `spatial`. */
export function tiles(spatial = 0): Uint8Array {
  const layer = (spatial << 3).toString(16).padStart(2, '0');
  return hex(`12000a0a00000002aff19b5f20081e${layer}041122334426${layer}08a0a1a2a3a4a5a6a7`);
}

/** Where `encodedFrames` are. */
export const ENCODED = new URL('../vectors/encoded.json', import.meta.url);

/** What encoders made (libx264, libaom, libvpx; 64 × 36): a key frame and what follows it. `text` is what stands in `ENCODED`. */
export function encodedFrames(text: string, codec: 'h264' | 'av1' | 'vp9'): Uint8Array[] {
  return (JSON.parse(text) as Record<string, string[]>)[codec]!.map(hex);
}
