/**
 * Which bytes of a frame stay clear, by codec: what mediasoup and the browser's packetizer must read and no more
 * (ADR 0007). VP8: the first byte (its P bit tells key frames) and on key frames the ten bytes with the size.
 * H.264 and AV1 need their units parsed and are refused until they are.
 */
import type { Codec, FrameContext } from './model.ts';

/** What the AAD says of a frame besides its bytes. The receiver takes `kind` from `length`, never from the network. */
export interface ClearRange {
  readonly codecId: number;
  readonly kind: number;
  /** Clear bytes at the front. */
  readonly length: number;
}

const RANGES: Readonly<Record<Codec, readonly ClearRange[]>> = {
  opus: [{ codecId: 1, kind: 0, length: 0 }],
  vp8: [
    { codecId: 2, kind: 1, length: 1 },
    { codecId: 2, kind: 2, length: 10 },
  ],
  vp9: [{ codecId: 3, kind: 0, length: 0 }],
  h264: [],
  av1: [],
};

/** Clear bytes of a frame, or undefined where the codec is not supported yet. */
export function clearLength(codec: Codec, keyFrame: boolean): number | undefined {
  return clearRange({ codec, keyFrame })?.length;
}

export function clearRange(context: FrameContext): ClearRange | undefined {
  const ranges = RANGES[context.codec];
  return (context.keyFrame ? ranges[1] : undefined) ?? ranges[0];
}

/** The range of this length if the codec has one: the receiver's check of what the trailer claims. */
export function legalRange(codec: Codec, length: number): ClearRange | undefined {
  return RANGES[codec].find((range) => range.length === length);
}
