/**
 * How a message becomes the bytes of one sealed record: `length(4) ‖ JSON ‖ binary parts`. Where a message has bytes the JSON
 * says `{"$bytes": [offset, length]}` of the parts.
 */
import { ClusterError } from '@veilcast/protocol';

/** Deepest nesting in which bytes are looked for. RTP parameters nest 5 deep. */
const DEPTH_MAX = 32;
const KEY = '$bytes';

/** @throws TypeError for what JSON cannot say */
export function encodeContent(message: unknown): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const json = JSON.stringify(message, function replace(this: Record<string, unknown>, key, shown: unknown) {
    // What was there before a Buffer's `toJSON` made numbers of it.
    const found = this[key];
    const bytes = found instanceof ArrayBuffer ? new Uint8Array(found) : found;
    if (!(bytes instanceof Uint8Array)) return shown;
    parts.push(bytes);
    size += bytes.length;
    return { [KEY]: [size - bytes.length, bytes.length] };
  });
  if (json === undefined) throw new TypeError('not to be said in JSON');
  const text = new TextEncoder().encode(json);
  const content = new Uint8Array(4 + text.length + size);
  new DataView(content.buffer).setUint32(0, text.length);
  content.set(text, 4);
  let at = 4 + text.length;
  for (const part of parts) {
    content.set(part, at);
    at += part.length;
  }
  return content;
}

/** Any JSON with bytes in it; nothing is said of its shape. @throws ClusterError MALFORMED */
export function decodeContent(content: Uint8Array): unknown {
  const length = content.length < 4 ? -1 : new DataView(content.buffer, content.byteOffset).getUint32(0);
  if (length < 0 || 4 + length > content.length) throw new ClusterError('MALFORMED');
  const message = parse(content.subarray(4, 4 + length));
  const parts = content.subarray(4 + length);
  return withBytes(message, parts, 0);
}

function parse(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text));
  } catch {
    throw new ClusterError('MALFORMED', 'not JSON');
  }
}

function withBytes(value: unknown, parts: Uint8Array, depth: number): unknown {
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => withBytes(each, parts, depth + 1));
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only?.[0] === KEY) return bytesAt(only[1], parts);
  // Not by assignment: `__proto__` is a name like any other here.
  return Object.fromEntries(entries.map(([key, each]) => [key, withBytes(each, parts, depth + 1)]));
}

/** A copy: what comes of one record must not keep all of it. */
function bytesAt(place: unknown, parts: Uint8Array): Uint8Array {
  const [offset, length, ...more]: unknown[] = Array.isArray(place) ? place : [];
  if (!isSize(offset) || !isSize(length) || more.length > 0 || offset + length > parts.length) {
    throw new ClusterError('MALFORMED', 'bytes that are not there');
  }
  return parts.slice(offset, offset + length);
}

function isSize(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
