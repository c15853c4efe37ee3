/** Numbers, text and lengths in the formats of the channel. */
import { ClusterError, type ErrorCode } from '@veilcast/protocol';
import type { z } from 'zod';
import { decodeText } from '../bytes.ts';

export const EMPTY = new Uint8Array();

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Eight bytes, big-endian. */
export function u64(number: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

/** Eight bytes at `at`, which are there; undefined for a number that is no safe integer. */
export function safeU64(bytes: Uint8Array, at: number): number | undefined {
  const number = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(at));
  return Number.isSafeInteger(number) ? number : undefined;
}

/** @throws ClusterError OVERSIZE above `max`, `code` below `min` */
export function requireSize(bytes: Uint8Array, min: number, max: number, code: ErrorCode): void {
  if (bytes.length > max) throw new ClusterError('OVERSIZE');
  if (bytes.length < min) throw new ClusterError(code, 'cut short');
}

export function encodeJson(value: unknown): Uint8Array<ArrayBuffer> {
  return utf8(JSON.stringify(value));
}

/** UTF-8 JSON of a schema. @throws ClusterError `code`, and never quotes what was found */
export function readJson<T extends z.ZodType>(schema: T, bytes: Uint8Array, code: ErrorCode): z.output<T> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decodeText(bytes) ?? '');
  } catch {
    throw new ClusterError(code, 'not JSON');
  }
  const read = schema.safeParse(parsed);
  if (!read.success) throw new ClusterError(code, 'not of its schema');
  return read.data;
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @throws RangeError */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 > 0 || /[^0-9a-f]/.test(text)) throw new RangeError('not hexadecimal');
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}
