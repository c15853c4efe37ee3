/** Acts of all Rooms that wait to be tried again. They outlive their Room, so that a Node that was away forgets it too. */
import type { Clock } from '@veilcast/protocol';

const EVERY_MS = 1_000;
/** More: memory while a big Node is away. Above it acts are dropped; the Node gives back by itself what carries nothing. */
const REPEATS_MAX = 5_000;

export class Repeats {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  later(run: () => void): void {
    if (this.#waiting.size >= REPEATS_MAX) return;
    const cancel = this.#clock.after(EVERY_MS, () => {
      this.#waiting.delete(cancel);
      run();
    });
    this.#waiting.add(cancel);
  }

  close(): void {
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
  }
}
