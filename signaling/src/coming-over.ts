/**
 * When a Room that nobody is in is closed. Of one that was another owner's, people may be on their way: they see each other meanwhile by what
 * the former owner gave them, and closing the Room on the Nodes would end that (ADR 0041).
 */
import type { Clock } from '@veilcast/protocol';

/** Somebody who asked for a Peer of a former owner is here again by then. Longer: a Room that nobody comes back to stays on the Nodes. */
const COMING_MS = 15_000;

export interface ComingOverOptions {
  readonly clock: Clock;
  readonly isEmpty: () => boolean;
  readonly close: () => Promise<void>;
}

export class ComingOver {
  readonly #options: ComingOverOptions;
  #until = 0;
  #stop: (() => void) | undefined;

  constructor(options: ComingOverOptions) {
    this.#options = options;
  }

  /** Somebody asked for a Peer that is not known here: it comes, and others with it. */
  expect(): void {
    this.#until = this.#options.clock.now() + COMING_MS;
  }

  /** Nobody is in the Room: closes it, now or when nobody comes any more. */
  emptied(): void {
    const { clock, close } = this.#options;
    const waitMs = this.#until - clock.now();
    if (waitMs <= 0) return void close();
    this.#stop ??= clock.after(waitMs, () => {
      this.#stop = undefined;
      if (this.#options.isEmpty()) this.emptied();
    });
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }
}
