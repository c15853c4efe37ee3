/** One connection: everything arrives, late and in order, until it is cut. A closed lid holds both ways up. */
import type { SeededRandom, VirtualClock } from '@veilcast/testkit';

/** Longest way of one message, ms, unless said otherwise. */
const DELAY_MAX = 150;

export class Link {
  open = true;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #delayMax: number;
  readonly #queues = { up: [] as (() => void)[], down: [] as (() => void)[] };
  #frozenUntil = 0;

  constructor(clock: VirtualClock, random: SeededRandom, delayMax = DELAY_MAX) {
    this.#clock = clock;
    this.#random = random;
    this.#delayMax = delayMax;
  }

  send(way: 'up' | 'down', run: () => void): void {
    if (!this.open) return;
    const queue = this.#queues[way];
    queue.push(run);
    if (queue.length === 1) this.#pump(way);
  }

  freeze(ms: number): void {
    this.#frozenUntil = Math.max(this.#frozenUntil, this.#clock.now() + ms);
  }

  cut(): void {
    this.open = false;
    this.#queues.up.length = 0;
    this.#queues.down.length = 0;
  }

  #pump(way: 'up' | 'down'): void {
    const asleep = Math.max(0, this.#frozenUntil - this.#clock.now());
    this.#clock.after(asleep + 1 + this.#random.int(this.#delayMax), () => {
      if (!this.open) return;
      if (this.#clock.now() < this.#frozenUntil) return this.#pump(way);
      this.#queues[way].shift()?.();
      if (this.#queues[way].length > 0) this.#pump(way);
    });
  }
}
