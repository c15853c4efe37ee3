/**
 * Runs what a step of a Room asks of the world, in the order of the steps: an effect that causes another step has that
 * one's effects run after its own, never in between, so that every Peer is told things in the order in which they became true.
 */
export class EffectQueue {
  #waiting: (() => void)[] = [];
  #running = false;

  /** Runs them now, or after those that run already. Effects must not throw; a bug in one is thrown after the rest ran. */
  run(effects: Iterable<() => void>): void {
    this.#waiting.push(...effects);
    if (this.#running) return;
    this.#running = true;
    const bugs: unknown[] = [];
    try {
      while (this.#waiting.length > 0) {
        for (const effect of this.#waiting.splice(0)) {
          try {
            effect();
          } catch (bug) {
            bugs.push(bug);
          }
        }
      }
    } finally {
      this.#running = false;
    }
    if (bugs.length > 0) throw bugs[0];
  }
}
