/** Randomness that a seed repeats. Not for keys, and not outside tests and simulations. */
import type { Random } from '@veilcast/protocol';

export interface SeededRandom extends Random {
  /** 0 ≤ n < below. */
  int(below: number): number;
  pick<T>(from: readonly T[]): T;
  /** A generator of its own, so that one part's draws do not move another's. */
  fork(): SeededRandom;
}

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz';

/** mulberry32: 32 bits of state, good enough to choose faults. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const bits = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const float = (): number => bits() / 2 ** 32;
  const int = (below: number): number => Math.floor(float() * below);
  return {
    float,
    int,
    id: (prefix) => `${prefix}_${Array.from({ length: 16 }, () => ALPHABET[int(ALPHABET.length)]).join('')}`,
    pick: (from) => {
      const picked = from[int(from.length)];
      if (picked === undefined) throw new RangeError('nothing to pick from');
      return picked;
    },
    fork: () => seededRandom(bits()),
  };
}
