/**
 * Runs what a step of a Room asks of the world, in the order of the steps: an effect that causes another step has that
 * one's effects run after its own, never in between, so that every Peer is told things in the order in which they became true.
 */
export class EffectQueue {
  readonly #bug: (error: unknown) => void;
  #waiting: (() => void)[] = [];
  #running = false;

  /** `bug` is told what an effect threw; the others run all the same. */
  constructor(bug: (error: unknown) => void) {
    this.#bug = bug;
  }

  /** Runs them now, or after those that run already. */
  run(effects: Iterable<() => void>): void {
    this.#waiting.push(...effects);
    if (this.#running) return;
    this.#running = true;
    while (this.#waiting.length > 0) {
      for (const effect of this.#waiting.splice(0)) {
        try {
          effect();
        } catch (error) {
          this.#bug(error);
        }
      }
    }
    this.#running = false;
  }
}
