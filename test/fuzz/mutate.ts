/** Inputs near to valid ones: what a stranger makes of a message that they have seen. The same seed makes the same inputs. */

/** A number below `below`. */
export type Draw = (below: number) => number;

/** Mulberry32: small, and good enough to choose with. */
export function drawFrom(seed: number): Draw {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Bytes that mean something in many formats: ends of ranges, lengths, varints, start codes. */
const TELLING: readonly (readonly number[])[] = [
  [0],
  [1],
  [0x7f],
  [0x80],
  [0xff],
  [0, 0, 1],
  [0, 0, 3],
  [0, 0, 0, 1],
  [0x3f, 0xff],
  [0x7f, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0xff],
  [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
  [0xbf, 0xff, 0xff, 0xff],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80],
];

/** No input is longer: what is longer is refused by its length, which the targets' own tests show. */
const LENGTH_MAX = 40_000;

type Change = (bytes: Uint8Array, draw: Draw, other: Uint8Array) => Uint8Array;

const place = (bytes: Uint8Array, draw: Draw): number => {
  if (bytes.length === 0) return 0;
  // Most of what is looked at stands at the ends.
  const near = Math.min(bytes.length, 40);
  const where = draw(4);
  if (where === 0) return draw(near);
  return where === 1 ? bytes.length - 1 - draw(near) : draw(bytes.length);
};

const flip: Change = (bytes, draw) => {
  const at = place(bytes, draw);
  const changed = bytes.slice();
  changed[at] = (changed[at] ?? 0) ^ (1 << draw(8));
  return changed;
};
const overwrite: Change = (bytes, draw) => {
  const changed = bytes.slice();
  const at = place(bytes, draw);
  const telling = draw(2) === 0 ? TELLING[draw(TELLING.length)] : [draw(256)];
  changed.set((telling ?? []).slice(0, Math.max(0, changed.length - at)), at);
  return changed;
};
const insert: Change = (bytes, draw) => {
  const at = place(bytes, draw);
  return join(bytes.subarray(0, at), Uint8Array.from(TELLING[draw(TELLING.length)] ?? []), bytes.subarray(at));
};
const truncate: Change = (bytes, draw) => bytes.slice(0, draw(bytes.length + 1));
const behead: Change = (bytes, draw) => bytes.slice(draw(Math.min(bytes.length, 40) + 1));
const remove: Change = (bytes, draw) => {
  const at = place(bytes, draw);
  return join(bytes.subarray(0, at), bytes.subarray(at + 1 + draw(16)));
};
const extend: Change = (bytes, draw) =>
  join(
    bytes,
    Uint8Array.from({ length: 1 + draw(32) }, () => draw(256)),
  );
const splice: Change = (bytes, draw, other) =>
  join(bytes.subarray(0, draw(bytes.length + 1)), other.subarray(draw(other.length + 1)));
const repeat: Change = (bytes, draw) => {
  const at = place(bytes, draw);
  const part = bytes.subarray(at, at + 1 + draw(64));
  return join(bytes.subarray(0, at), ...Array.from({ length: 1 + draw(8) }, () => part), bytes.subarray(at));
};
/** A length, or what may be one, a little larger or smaller, in one to four bytes. */
const nudge: Change = (bytes, draw) => {
  const changed = bytes.slice();
  const width = [1, 2, 4][draw(3)] ?? 1;
  const at = Math.min(place(bytes, draw), Math.max(0, bytes.length - width));
  if (changed.length < width) return changed;
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (changed[at + i] ?? 0);
  value += [1, -1, 16, -16, 255, 65_536][draw(6)] ?? 1;
  for (let i = width - 1; i >= 0; i--) {
    changed[at + i] = value & 255;
    value = Math.floor(value / 256);
  }
  return changed;
};

const CHANGES: readonly Change[] = [
  flip,
  flip,
  overwrite,
  insert,
  truncate,
  behead,
  remove,
  extend,
  splice,
  repeat,
  nudge,
];

/** One input: nearly always some valid message changed in one to four ways, sometimes nothing but noise. */
export function makeInput(seeds: readonly Uint8Array[], draw: Draw): Uint8Array {
  if (draw(50) === 0) return Uint8Array.from({ length: draw(600) }, () => draw(256));
  let input = pick(seeds, draw);
  for (let times = 1 + draw(4); times > 0; times--) {
    const change = CHANGES[draw(CHANGES.length)] ?? flip;
    input = change(input, draw, pick(seeds, draw));
  }
  return input.length > LENGTH_MAX ? input.slice(0, LENGTH_MAX) : input;
}

function pick(seeds: readonly Uint8Array[], draw: Draw): Uint8Array {
  return seeds[draw(seeds.length)] ?? new Uint8Array();
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
