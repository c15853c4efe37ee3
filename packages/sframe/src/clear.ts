/**
 * Which bytes of a frame stay clear, by codec: what mediasoup and the browser's packetizer must read and no more (ADR 0007,
 * ADR 0017). Opus and VP9: none. VP8: the first byte (its P bit tells key frames), on key frames the ten bytes with the size.
 * H.264 and AV1: by units. Everything clear is authenticated.
 */
import { av1 } from './av1.ts';
import { h264 } from './h264.ts';
import type { Codec, FrameContext } from './model.ts';
import { concat, TAG_BYTES } from './suite.ts';
import { joinTrailer, type SealedParts, splitTrailer, TRAILER_BYTES } from './trailer.ts';
import { canonicalOf, carrierOf, secretOf, type Unit, type UnitCodec, withSecrets } from './units.ts';

/** What the AAD says of a frame besides its bytes. The receiver takes `kind` from `length`, never from the network. */
export interface ClearRange {
  readonly codecId: number;
  readonly kind: number;
  /** Clear bytes at the front, the p of the trailer; 0 where clear bytes stand in units. */
  readonly length: number;
}

/** A frame taken apart to be sealed. */
export interface PlainFrame {
  readonly range: ClearRange;
  /** Clear, and authenticated in this form. */
  readonly clear: Uint8Array;
  readonly secret: Uint8Array;
  /** Puts it together again around what was sealed; `sealed` is ciphertext and tag. */
  join(sealed: Uint8Array, header: Uint8Array): Uint8Array<ArrayBuffer>;
}

/** A sealed frame taken apart to be opened. */
export interface SealedFrame extends Omit<SealedParts, 'front'> {
  readonly range: ClearRange;
  readonly clear: Uint8Array;
  join(secret: Uint8Array): Uint8Array<ArrayBuffer>;
}

const RANGES: Readonly<Record<Codec, readonly ClearRange[]>> = {
  opus: [{ codecId: 1, kind: 0, length: 0 }],
  vp8: [
    { codecId: 2, kind: 1, length: 1 },
    { codecId: 2, kind: 2, length: 10 },
  ],
  vp9: [{ codecId: 3, kind: 0, length: 0 }],
  h264: [{ codecId: 4, kind: 0, length: 0 }],
  av1: [{ codecId: 5, kind: 0, length: 0 }],
};

const UNIT_CODECS: Readonly<Partial<Record<Codec, UnitCodec>>> = { h264, av1 };

/** `short`: shorter than what must stay clear. `layout`: no units of this codec, or none with anything to seal. */
export function takeApart(frame: Uint8Array, context: FrameContext): PlainFrame | 'short' | 'layout' {
  const range = clearRange(context);
  const units = UNIT_CODECS[context.codec];
  if (units !== undefined) return unitsApart(units, range, frame);
  if (frame.length < range.length) return 'short';
  const clear = frame.subarray(0, range.length);
  const join = (sealed: Uint8Array, header: Uint8Array) => joinTrailer(clear, sealed, header);
  return { range, clear, secret: frame.subarray(range.length), join };
}

/** `malformed`: not a sealed frame. `clear-range`: one of a form that this codec does not have. Never throws. */
export function takeSealedApart(frame: Uint8Array, codec: Codec): SealedFrame | 'malformed' | 'clear-range' {
  const unitCodec = UNIT_CODECS[codec];
  const units = unitCodec?.readSealed(frame);
  if (unitCodec !== undefined && units === undefined) return 'clear-range';
  const carrier = units?.[carrierOf(units)]?.secret;
  const parts = splitTrailer(units === undefined ? frame : (carrier ?? new Uint8Array()));
  if (parts === undefined) return 'malformed';
  const range = RANGES[codec].find(({ length }) => length === parts.front.length);
  if (range === undefined) return 'clear-range';
  if (unitCodec !== undefined && units !== undefined) return unitsSealed(unitCodec, units, range, parts);
  const { front, ...rest } = parts;
  return { ...rest, range, clear: front, join: (secret) => concat(front, secret) };
}

function clearRange({ codec, keyFrame }: FrameContext): ClearRange {
  const ranges = RANGES[codec];
  return (keyFrame ? ranges[1] : undefined) ?? ranges[0]!;
}

function unitsApart(codec: UnitCodec, range: ClearRange, frame: Uint8Array): PlainFrame | 'layout' {
  const units = codec.readPlain(frame);
  if (units === undefined || carrierOf(units) < 0) return 'layout';
  return {
    range,
    clear: canonicalOf(units),
    secret: secretOf(units),
    join: (sealed, header) => codec.writeSealed(withSecrets(units, joinTrailer(new Uint8Array(), sealed, header))),
  };
}

/** `parts` are the carrier's. */
function unitsSealed(codec: UnitCodec, units: readonly Unit[], range: ClearRange, parts: SealedParts): SealedFrame {
  const { headerBytes, header } = parts;
  const carrier = carrierOf(units);
  const before = units.map((unit, index) => (index === carrier ? { ...unit, secret: parts.sealed } : unit));
  const trailer = headerBytes.length + TRAILER_BYTES;
  return {
    header,
    headerBytes,
    sealed: secretOf(before),
    range,
    clear: canonicalOf(units, trailer + TAG_BYTES),
    join: (secret) => codec.writePlain(withSecrets(units, secret)),
  };
}
