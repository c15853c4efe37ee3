/**
 * Frames that a packetizer takes apart: NAL units of H.264, OBUs of AV1. Each unit has clear bytes in front, and the secret
 * bytes of all units together are one plaintext. A unit ends where it ended before: only the last that carries something
 * secret is longer by the tag and the trailer.
 */
import { concat } from './suite.ts';

/** Units of one frame. More: parsing garbage costs more. Fewer: large pictures of many slices or tiles are refused. */
export const UNITS_MAX = 512;

export interface Unit {
  /** Bytes that stay as they are, in the form in which they are authenticated. */
  readonly clear: Uint8Array;
  /** What is sealed; undefined for a unit that has nothing to seal. */
  readonly secret: Uint8Array | undefined;
}

/** How a codec's frames are read and written. Readers never throw and give undefined for what they do not know. */
export interface UnitCodec {
  readPlain(frame: Uint8Array): Unit[] | undefined;
  readSealed(frame: Uint8Array): Unit[] | undefined;
  writePlain(units: readonly Unit[]): Uint8Array<ArrayBuffer>;
  writeSealed(units: readonly Unit[]): Uint8Array<ArrayBuffer>;
}

/** Index of the last unit with secret bytes, which carries tag and trailer; -1 without one. */
export function carrierOf(units: readonly Unit[]): number {
  return units.findLastIndex((unit) => unit.secret !== undefined);
}

export function secretOf(units: readonly Unit[]): Uint8Array<ArrayBuffer> {
  return concat(...units.flatMap(({ secret }) => secret ?? []));
}

/**
 * What is authenticated of the units: for each the length of its clear bytes (4 bytes, big-endian), those bytes, and the
 * length of its secret ones plus one, or 0 without any. `overhead` is what the carrier has more than its plaintext.
 */
export function canonicalOf(units: readonly Unit[], overhead = 0): Uint8Array<ArrayBuffer> {
  const carrier = carrierOf(units);
  const canonical = new Uint8Array(units.reduce((sum, { clear }) => sum + clear.length + 8, 0));
  const view = new DataView(canonical.buffer);
  let at = 0;
  for (const [index, { clear, secret }] of units.entries()) {
    view.setUint32(at, clear.length);
    canonical.set(clear, at + 4);
    at += 4 + clear.length;
    view.setUint32(at, secret === undefined ? 0 : secret.length - (index === carrier ? overhead : 0) + 1);
    at += 4;
  }
  return canonical;
}

/** The same units with other secret bytes: as long as theirs each, and the carrier takes what is left. */
export function withSecrets(units: readonly Unit[], bytes: Uint8Array): Unit[] {
  const carrier = carrierOf(units);
  let at = 0;
  return units.map(({ clear, secret }, index) => {
    if (secret === undefined) return { clear, secret };
    const end = index === carrier ? bytes.length : at + secret.length;
    const share = bytes.subarray(at, end);
    at = end;
    return { clear, secret: share };
  });
}
