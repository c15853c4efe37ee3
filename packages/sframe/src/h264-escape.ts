/**
 * Emulation prevention (ITU-T H.264 §7.4.1): after two zero bytes a 03 goes in front of every byte up to 3. `zeros` is how
 * many zero bytes the NAL unit ends with where these bytes are joined to it.
 */

const ESCAPE = 3;

/** Zero bytes at the end, 2 at most: more make no difference. */
export function zerosAtEnd(bytes: Uint8Array): number {
  if (bytes.at(-1) !== 0) return 0;
  return bytes.at(-2) === 0 ? 2 : 1;
}

/** Where an escape goes in: before each of these indices. */
function escapePoints(bytes: Uint8Array, zeros: number): number[] {
  const points: number[] = [];
  let run = zeros;
  let at = 0;
  while (at < bytes.length) {
    if (run === 0) {
      // Most bytes are no zeros; the search for the next one is native.
      const zero = bytes.indexOf(0, at);
      if (zero < 0) break;
      at = zero + 1;
      run = 1;
      continue;
    }
    const byte = bytes[at] ?? 0;
    if (run === 2 && byte <= ESCAPE) {
      points.push(at);
      run = 0;
    }
    run = byte === 0 ? run + 1 : 0;
    at += 1;
  }
  return points;
}

export function escapeNal(bytes: Uint8Array, zeros: number): Uint8Array {
  const points = escapePoints(bytes, zeros);
  if (points.length === 0) return bytes;
  const escaped = new Uint8Array(bytes.length + points.length);
  let from = 0;
  for (const [count, point] of points.entries()) {
    escaped.set(bytes.subarray(from, point), from + count);
    escaped[point + count] = ESCAPE;
    from = point;
  }
  escaped.set(bytes.subarray(from), from + points.length);
  return escaped;
}

/** Undefined for what `escapeNal` does not write. */
export function unescapeNal(bytes: Uint8Array, zeros: number): Uint8Array | undefined {
  const escapes: number[] = [];
  let run = zeros;
  for (let at = 0; at < bytes.length; at++) {
    if (run === 0) {
      const zero = bytes.indexOf(0, at);
      if (zero < 0) break;
      at = zero;
      run = 1;
      continue;
    }
    let byte = bytes[at] ?? 0;
    if (run === 2 && byte <= ESCAPE) {
      const next = bytes[at + 1];
      if (byte !== ESCAPE || next === undefined || next > ESCAPE) return undefined;
      escapes.push(at);
      byte = next;
      at += 1;
      run = 0;
    }
    run = byte === 0 ? run + 1 : 0;
  }
  return escapes.length === 0 ? bytes : without(bytes, escapes);
}

function without(bytes: Uint8Array, indices: readonly number[]): Uint8Array {
  const left = new Uint8Array(bytes.length - indices.length);
  let from = 0;
  for (const [count, index] of indices.entries()) {
    left.set(bytes.subarray(from, index), from - count);
    from = index + 1;
  }
  left.set(bytes.subarray(from), from - indices.length);
  return left;
}
