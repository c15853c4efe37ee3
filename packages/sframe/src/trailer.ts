/**
 * Where the parts of a sealed frame are: `[clear p][ciphertext][tag 16][SFrame header h][p:u8][h:u8]`.
 * A trailer and not a header, so that the codec's bytes stay in front. The top three bits of the last byte are the
 * version of this form, 0. Frames of units have it at the end of the last sealed unit, with p = 0.
 */
import type { ClearRange } from './clear.ts';
import { decodeHeader, HEADER_MAX, type Header } from './header.ts';
import { TAG_BYTES } from './suite.ts';

export const TRAILER_BYTES = 2;

export interface SealedParts {
  /** The clear bytes in front. */
  readonly front: Uint8Array;
  /** Ciphertext and tag. */
  readonly sealed: Uint8Array;
  readonly headerBytes: Uint8Array;
  readonly header: Header;
}

export function joinTrailer(front: Uint8Array, sealed: Uint8Array, header: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(front.length + sealed.length + header.length + TRAILER_BYTES);
  frame.set(front);
  frame.set(sealed, front.length);
  frame.set(header, front.length + sealed.length);
  frame[frame.length - 2] = front.length;
  frame[frame.length - 1] = header.length;
  return frame;
}

/** Undefined for what is not such a frame. Never throws. */
export function splitTrailer(frame: Uint8Array): SealedParts | undefined {
  const frontLength = frame.at(-2);
  const headerLength = frame.at(-1);
  if (frontLength === undefined || headerLength === undefined || headerLength > HEADER_MAX) return undefined;
  const headerAt = frame.length - TRAILER_BYTES - headerLength;
  if (headerAt < frontLength + TAG_BYTES) return undefined;
  const headerBytes = frame.subarray(headerAt, headerAt + headerLength);
  const header = decodeHeader(headerBytes);
  if (header === undefined || header.length !== headerLength) return undefined;
  return { front: frame.subarray(0, frontLength), sealed: frame.subarray(frontLength, headerAt), headerBytes, header };
}

/** SFrame header, clear bytes, codec, kind, p: everything outside the ciphertext that must not change. */
export function frameAad(header: Uint8Array, clear: Uint8Array, range: ClearRange): Uint8Array<ArrayBuffer> {
  const aad = new Uint8Array(header.length + clear.length + 3);
  aad.set(header);
  aad.set(clear, header.length);
  aad[aad.length - 3] = range.codecId;
  aad[aad.length - 2] = range.kind;
  aad[aad.length - 1] = range.length;
  return aad;
}
