/**
 * The SFrame header (RFC 9605 §4.3): one config byte `X|K(3)|Y|C(3)`, then KID and CTR, big-endian and as short as
 * possible. Integers are 64 bits, so they are BigInt here; a longer encoding of the same number is refused.
 */
import type { KeyId } from './model.ts';

/** Longest header: config byte and two 8-byte integers. */
export const HEADER_MAX = 17;
const UINT64_MAX = (1n << 64n) - 1n;

export interface Header {
  readonly kid: bigint;
  readonly ctr: bigint;
  /** Bytes that the header took. */
  readonly length: number;
}

/** @throws RangeError for what does not fit 64 bits: that is a bug of the caller. */
export function encodeHeader(kid: bigint, ctr: bigint): Uint8Array<ArrayBuffer> {
  const kidBytes = sizeOf(kid);
  const ctrBytes = sizeOf(ctr);
  const header = new Uint8Array(1 + kidBytes + ctrBytes);
  header[0] = (field(kid, kidBytes) << 4) | field(ctr, ctrBytes);
  write(header, 1, kid, kidBytes);
  write(header, 1 + kidBytes, ctr, ctrBytes);
  return header;
}

/** Undefined for anything but one whole, shortest header at the start of `bytes`. Never throws. */
export function decodeHeader(bytes: Uint8Array): Header | undefined {
  const config = bytes[0];
  if (config === undefined) return undefined;
  const kid = read(bytes, 1, config >> 4);
  if (kid === undefined) return undefined;
  const ctr = read(bytes, 1 + kid.size, config & 15);
  if (ctr === undefined) return undefined;
  return { kid: kid.value, ctr: ctr.value, length: 1 + kid.size + ctr.size };
}

/** Bytes that follow the config byte: none for 0 to 7, which fit into it. */
function sizeOf(value: bigint): number {
  if (value < 0n || value > UINT64_MAX) throw new RangeError('not an unsigned 64-bit integer');
  if (value < 8n) return 0;
  let size = 1;
  for (let rest = value >> 8n; rest > 0n; rest >>= 8n) size++;
  return size;
}

function field(value: bigint, size: number): number {
  return size === 0 ? Number(value) : 8 | (size - 1);
}

function write(into: Uint8Array, at: number, value: bigint, size: number): void {
  let rest = value;
  for (let i = at + size - 1; i >= at; i--) {
    into[i] = Number(rest & 255n);
    rest >>= 8n;
  }
}

function read(bytes: Uint8Array, at: number, nibble: number): { value: bigint; size: number } | undefined {
  if (nibble < 8) return { value: BigInt(nibble), size: 0 };
  const size = (nibble & 7) + 1;
  if (at + size > bytes.length) return undefined;
  let value = 0n;
  for (let i = at; i < at + size; i++) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return sizeOf(value) === size ? { value, size } : undefined;
}

/** The four fields as one KID. Each is masked to its width. */
export function packKeyId(key: KeyId): number {
  return (((key.step & 255) << 24) | ((key.stream & 15) << 20) | ((key.leaf & 0xfff) << 8) | (key.epoch & 255)) >>> 0;
}

export function unpackKeyId(kid: number): KeyId {
  return { step: kid >>> 24, stream: (kid >>> 20) & 15, leaf: (kid >>> 8) & 0xfff, epoch: kid & 255 };
}
