/** The last requests of one Peer and what became of them: the same id again is answered, and done once (ADR 0029). */
import { ClusterError } from '@veilcast/protocol';

/** More than a client may have unanswered (`pendingMax`). */
const ANSWERS_MAX = 256;

export class Answers {
  readonly #asked = new Map<number, Promise<unknown>>();

  /** Runs it, unless it ran. `reply` is called as soon as there is a result. @throws as `run` */
  async once(
    id: number,
    run: (reply: (result: unknown) => void) => Promise<void>,
    reply: (result: unknown) => void,
  ): Promise<void> {
    const known = this.#asked.get(id);
    if (known !== undefined) return reply(await known);
    let replied: (result: unknown) => void = reply;
    const answer = new Promise<unknown>((resolve) => {
      replied = (result) => {
        resolve(result);
        reply(result);
      };
    });
    const done = run(replied);
    const outcome = Promise.race([answer, done.then(() => answer)]);
    outcome.catch(() => undefined);
    this.#asked.set(id, outcome);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > ANSWERS_MAX && oldest !== undefined) this.#asked.delete(oldest);
    try {
      await done;
    } catch (thrown) {
      // Not done here, and to be tried at the next owner.
      if (ClusterError.of(thrown).code === 'NOT_OWNER') this.#asked.delete(id);
      throw thrown;
    }
  }
}
