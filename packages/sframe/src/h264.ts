/**
 * H.264 by NAL units (ITU-T H.264 Annex B). Slices (types 1 and 5) keep their NAL header and the front of the slice header
 * up to the id of the picture parameters, which browsers look up before they hand a frame on; the rest is sealed. Parameter
 * sets, SEI and delimiters stay clear. What could hold a picture and is no slice is refused.
 *
 * A sealed slice is escaped again, so that no start code can appear in it, and never ends in 00, which readers would strip:
 * the carrier ends in the trailer, whose last byte is never 0, every other slice in a byte of its own.
 */
import { escapeNal, unescapeNal, zerosAtEnd } from './h264-escape.ts';
import { sliceFrontLength } from './h264-slice.ts';
import { carrierOf, type Unit, type UnitCodec, UNITS_MAX } from './units.ts';

const START_CODE = Uint8Array.of(0, 0, 0, 1);
const SLICE_TYPES: ReadonlySet<number> = new Set([1, 5]);
/** SEI, SPS, PPS, delimiter, ends of sequence and stream, filler, SPS extension, prefix, subset SPS. */
const CLEAR_TYPES: ReadonlySet<number> = new Set([6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
/** Ends every sealed slice but the carrier. */
const SLICE_END = 0x80;

export const h264: UnitCodec = {
  readPlain: (frame) => readUnits(frame, (nal) => split(nal)),

  readSealed(frame) {
    const nals = nalUnits(frame);
    const last = nals?.findLastIndex((nal) => SLICE_TYPES.has(typeOf(nal)));
    const units = nals?.map((nal, index) => {
      const unit = split(nal);
      if (unit?.secret === undefined) return unit;
      const secret = unescapeNal(unit.secret, zerosAtEnd(unit.clear));
      if (secret === undefined || index === last) return secret && { clear: unit.clear, secret };
      if (secret.at(-1) !== SLICE_END) return undefined;
      return { clear: unit.clear, secret: secret.subarray(0, -1) };
    });
    return whole(units);
  },

  writePlain: (units) => join(units.map(({ clear, secret }) => [clear, secret ?? new Uint8Array()])),

  writeSealed(units) {
    const carrier = carrierOf(units);
    return join(
      units.map(({ clear, secret }, index) => {
        if (secret === undefined) return [clear, new Uint8Array()];
        const escaped = escapeNal(secret, zerosAtEnd(clear));
        return index === carrier ? [clear, escaped] : [clear, escaped, Uint8Array.of(SLICE_END)];
      }),
    );
  },
};

function readUnits(frame: Uint8Array, read: (nal: Uint8Array) => Unit | undefined): Unit[] | undefined {
  return whole(nalUnits(frame)?.map(read));
}

function whole(units: readonly (Unit | undefined)[] | undefined): Unit[] | undefined {
  if (units === undefined) return undefined;
  const known = units.filter((unit) => unit !== undefined);
  return known.length === units.length ? known : undefined;
}

function typeOf(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 31;
}

function split(nal: Uint8Array): Unit | undefined {
  if ((nal[0] ?? 0x80) & 0x80) return undefined; // forbidden_zero_bit
  const type = typeOf(nal);
  if (CLEAR_TYPES.has(type)) return { clear: nal, secret: undefined };
  if (!SLICE_TYPES.has(type)) return undefined;
  const front = sliceFrontLength(nal.subarray(1));
  if (front === undefined) return undefined;
  return { clear: nal.subarray(0, 1 + front), secret: nal.subarray(1 + front) };
}

/** What lies between start codes, without the zeros that may stand before one or at the end (Annex B, B.1.1). */
function nalUnits(frame: Uint8Array): Uint8Array[] | undefined {
  const units: Uint8Array[] = [];
  let begin = -1;
  for (let at = 0; at <= frame.length;) {
    const found = nextStartCode(frame, at);
    if (begin < 0 && !isZero(frame, 0, found)) return undefined;
    if (begin >= 0) {
      let end = found;
      while (end > begin && frame[end - 1] === 0) end--;
      if (end === begin || units.length === UNITS_MAX) return undefined;
      units.push(frame.subarray(begin, end));
    }
    if (found === frame.length) break;
    begin = found + 3;
    at = begin;
  }
  return units.length > 0 ? units : undefined;
}

/** Where 00 00 01 stands next; the frame's length when nowhere. */
function nextStartCode(frame: Uint8Array, from: number): number {
  for (let at = from; at + 2 < frame.length;) {
    const third = frame[at + 2] ?? 0;
    if (third > 1) at += 3;
    else if (third === 1 && frame[at] === 0 && frame[at + 1] === 0) return at;
    else at += 1;
  }
  return frame.length;
}

function isZero(frame: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (frame[at] !== 0) return false;
  return true;
}

function join(units: readonly (readonly Uint8Array[])[]): Uint8Array<ArrayBuffer> {
  const parts = units.flatMap((each) => [START_CODE, ...each]);
  const frame = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}
