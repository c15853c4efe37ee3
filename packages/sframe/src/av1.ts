/**
 * AV1 by OBUs (AV1 bitstream specification §5.3, RTP payload format §4). OBU headers stay clear, payloads are sealed.
 * Packetizers drop temporal delimiters, tile lists, padding and the sizes, and receivers write sizes anew: so do we, and what is authenticated
 * is the form without them. Each spatial layer comes as a frame of its own.
 */
import { type Unit, type UnitCodec, UNITS_MAX } from './units.ts';

const FORBIDDEN_BIT = 0x80;
const EXTENSION_BIT = 0x04;
const SIZE_BIT = 0x02;
/** Temporal delimiter, tile list, padding. */
const DROPPED_TYPES: ReadonlySet<number> = new Set([2, 8, 15]);
const LEB128_MAX_BYTES = 8;
const SIZE_MAX = 2 ** 31;

export const av1: UnitCodec = { readPlain: read, readSealed: read, writePlain: write, writeSealed: write };

function read(frame: Uint8Array): Unit[] | undefined {
  const units: Unit[] = [];
  for (let at = 0; at < frame.length;) {
    const header = frame[at] ?? FORBIDDEN_BIT;
    if (header & FORBIDDEN_BIT) return undefined;
    const headerLength = header & EXTENSION_BIT ? 2 : 1;
    const from = at + headerLength;
    const size = header & SIZE_BIT ? leb128(frame, from) : { value: frame.length - from, length: 0 };
    if (size === undefined) return undefined;
    const payloadAt = from + size.length;
    at = payloadAt + size.value;
    if (from > frame.length || at > frame.length) return undefined;
    if (DROPPED_TYPES.has((header >> 3) & 15)) continue;
    if (units.length === UNITS_MAX) return undefined;
    const clear = frame.slice(from - headerLength, from);
    clear[0] = header | SIZE_BIT;
    units.push({ clear, secret: frame.subarray(payloadAt, at) });
  }
  return units.length > 0 ? units : undefined;
}

/** Every OBU with its size. */
function write(units: readonly Unit[]): Uint8Array<ArrayBuffer> {
  const payloads = units.map(({ secret }) => secret ?? new Uint8Array());
  const sizes = payloads.map(({ length }) => leb128Length(length));
  const total = units.reduce(
    (sum, { clear }, index) => sum + clear.length + (sizes[index] ?? 0) + (payloads[index]?.length ?? 0),
    0,
  );
  const frame = new Uint8Array(total);
  let at = 0;
  for (const [index, { clear }] of units.entries()) {
    const payload = payloads[index] ?? new Uint8Array();
    frame.set(clear, at);
    at = writeLeb128(frame, at + clear.length, payload.length);
    frame.set(payload, at);
    at += payload.length;
  }
  return frame;
}

/** leb128() of the specification's §4.10.5; undefined past the end and for sizes that no OBU has. */
function leb128(bytes: Uint8Array, from: number): { value: number; length: number } | undefined {
  let value = 0;
  for (let index = 0; index < LEB128_MAX_BYTES; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    value += (byte & 127) * 128 ** index;
    if (value > SIZE_MAX) return undefined;
    if (byte < 128) return { value, length: index + 1 };
  }
  return undefined;
}

function leb128Length(value: number): number {
  let length = 1;
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
  return length;
}

/** Returns where it ends. */
function writeLeb128(into: Uint8Array, from: number, value: number): number {
  let at = from;
  let rest = value;
  for (; rest >= 128; rest >>>= 7) into[at++] = (rest & 127) | 128;
  into[at++] = rest;
  return at;
}
