/**
 * Lamport's clock for the order across speakers: above everything heard, so that an answer never stands before what it
 * answers. A speaker that runs ahead is ordered by when it came, and takes nobody along.
 */
import { NUMBER_MAX } from './frame.ts';

/** How far above everything heard a clock may be. More than was ever said while one was away is a lie. */
export const JUMP_MAX = 65_536;

export class LamportClock {
  #highest = 0;

  /** For the next thing that we say. */
  tick(): number {
    this.#highest = Math.min(NUMBER_MAX, this.#highest + 1);
    return this.#highest;
  }

  /** What a frame's clock counts as. `last` is what the same stream's frame before counted as: it never goes back. */
  observe(claimed: number, last: number): number {
    const far = this.#highest > 0 && claimed > this.#highest + JUMP_MAX;
    const counts = Math.max(last, far ? Math.min(NUMBER_MAX, this.#highest + 1) : claimed);
    this.#highest = Math.max(this.#highest, counts);
    return counts;
  }
}
