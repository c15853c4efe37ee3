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

/** The input while it is made: in one piece of memory, because two hundred thousand of some kilobytes each are garbage otherwise. */
const draft = new Uint8Array(LENGTH_MAX);
let length = 0;

/** Changes the draft. */
type Change = (draw: Draw, other: Uint8Array) => void;

const place = (draw: Draw): number => {
  if (length === 0) return 0;
  // Most of what is looked at stands at the ends.
  const near = Math.min(length, 40);
  const where = draw(4);
  if (where === 0) return draw(near);
  return where === 1 ? length - 1 - draw(near) : draw(length);
};

/** Puts `bytes` where `remove` others were; what does not fit any more falls off the end. */
function replace(at: number, remove: number, bytes: ArrayLike<number>): void {
  const from = Math.min(at + remove, length);
  draft.copyWithin(at + bytes.length, from, length);
  length = Math.min(at + bytes.length + length - from, LENGTH_MAX);
  draft.set(bytes.length > LENGTH_MAX - at ? Array.from(bytes).slice(0, LENGTH_MAX - at) : bytes, at);
}

const flip: Change = (draw) => {
  if (length === 0) return;
  const at = place(draw);
  draft[at] = (draft[at] ?? 0) ^ (1 << draw(8));
};
const overwrite: Change = (draw) => {
  const at = place(draw);
  const telling = draw(2) === 0 ? (TELLING[draw(TELLING.length)] ?? []) : [draw(256)];
  for (let i = 0; i < telling.length && at + i < length; i++) draft[at + i] = telling[i] ?? 0;
};
const insert: Change = (draw) => replace(place(draw), 0, TELLING[draw(TELLING.length)] ?? []);
const truncate: Change = (draw) => {
  length = draw(length + 1);
};
const behead: Change = (draw) => replace(0, draw(Math.min(length, 40) + 1), []);
const remove: Change = (draw) => replace(place(draw), 1 + draw(16), []);
const extend: Change = (draw) =>
  replace(
    length,
    0,
    Array.from({ length: 1 + draw(32) }, () => draw(256)),
  );
const splice: Change = (draw, other) => replace(draw(length + 1), length, other.subarray(draw(other.length + 1)));
const repeat: Change = (draw) => {
  const at = place(draw);
  const part = draft.slice(at, Math.min(at + 1 + draw(64), length));
  for (let times = 1 + draw(8); times > 0; times--) replace(at, 0, part);
};
/** A length, or what may be one, a little larger or smaller, in one to four bytes. */
const nudge: Change = (draw) => {
  const width = [1, 2, 4][draw(3)] ?? 1;
  const at = Math.min(place(draw), Math.max(0, length - width));
  if (length < width) return;
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (draft[at + i] ?? 0);
  value += [1, -1, 16, -16, 255, 65_536][draw(6)] ?? 1;
  for (let i = width - 1; i >= 0; i--) {
    draft[at + i] = value & 255;
    value = Math.floor(value / 256);
  }
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

/** One input, until the next is made: nearly always some valid message changed in one to four ways, sometimes nothing but noise. */
export function makeInput(seeds: readonly Uint8Array[], draw: Draw): Uint8Array {
  if (draw(50) === 0) {
    length = draw(600);
    for (let i = 0; i < length; i++) draft[i] = draw(256);
  } else {
    const seed = pick(seeds, draw);
    length = Math.min(seed.length, LENGTH_MAX);
    draft.set(seed.subarray(0, length));
    for (let times = 1 + draw(4); times > 0; times--) {
      (CHANGES[draw(CHANGES.length)] ?? flip)(draw, pick(seeds, draw));
    }
  }
  return draft.subarray(0, length);
}

function pick(seeds: readonly Uint8Array[], draw: Draw): Uint8Array {
  return seeds[draw(seeds.length)] ?? new Uint8Array();
}

export function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
