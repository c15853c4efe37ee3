/**
 * A doubt about one process: its Channel broke or is quiet, and another was dialled. Weighs what the dials see and what others hear,
 * and ends in a verdict, or by being dropped when the process is there after all.
 *
 * | what is seen                                        | verdict | after                            |
 * | --------------------------------------------------- | ------- | -------------------------------- |
 * | nobody listens there any more, or another life does | dead    | one dial                         |
 * | the host answers, the process does not              | hung    | `PROBE_MS`, if nobody hears it   |
 * | nothing answers                                     | lost    | `PROBE_MS`, if nobody hears it   |
 * | nothing answers us, others hear it                  | cut     | `CUT_MS`: media goes on meanwhile |
 */
import { ClusterError, type Clock } from '@veilcast/protocol';
import { Unreachable, type Sight } from './carrier.ts';

/** `replaced`: another life of it is registered. */
export type Verdict = 'dead' | 'hung' | 'lost' | 'cut' | 'replaced';

/** From the beginning of a doubt until others are asked. Longer: people look at frozen pictures. Shorter: far processes are suspected. */
export const PROBE_MS = 750;
/** How long others may take to say what they hear. */
export const WITNESS_MS = 250;
/** A process that others hear and we do not is given so long. Longer: nobody tells it what to do. Shorter: people move for a flap. */
export const CUT_MS = 6_000;

export interface DoubtOptions {
  readonly clock: Clock;
  readonly isHeardElsewhere: () => Promise<boolean>;
  /** Once. */
  readonly verdict: (verdict: Verdict) => void;
}

export class Doubt {
  readonly #options: DoubtOptions;
  readonly #since: number;
  #sight: Sight = 'nothing';
  #stopTimer: () => void;
  #over = false;

  constructor(options: DoubtOptions) {
    this.#options = options;
    this.#since = options.clock.now();
    this.#stopTimer = options.clock.after(PROBE_MS, () => void this.#weigh());
  }

  /** A dial failed. */
  failed(error: unknown): void {
    if (this.#over) return;
    // What answers there is not this life of it.
    const isOther = error instanceof ClusterError && error.code === 'STALE_INCARNATION';
    if (isOther || (error instanceof Unreachable && error.sight === 'refused')) this.#end('dead');
  }

  /** What a knock was answered. */
  knocked(sight: Sight): void {
    if (this.#over) return;
    if (sight === 'refused') this.#end('dead');
    else this.#sight = sight;
  }

  /** It is dropped. */
  end(): void {
    this.#over = true;
    this.#stopTimer();
  }

  async #weigh(): Promise<void> {
    const { clock } = this.#options;
    const isHeard = await this.#isHeardElsewhere();
    if (this.#over) return;
    if (!isHeard) return this.#end(this.#sight === 'hung' ? 'hung' : 'lost');
    if (clock.now() - this.#since >= CUT_MS) return this.#end('cut');
    this.#stopTimer = clock.after(PROBE_MS, () => void this.#weigh());
  }

  async #isHeardElsewhere(): Promise<boolean> {
    const { clock, isHeardElsewhere } = this.#options;
    return new Promise<boolean>((resolve) => {
      const stop = clock.after(WITNESS_MS, () => resolve(false));
      isHeardElsewhere().then(
        (isHeard) => {
          stop();
          resolve(isHeard);
        },
        () => {
          stop();
          resolve(false);
        },
      );
    });
  }

  #end(verdict: Verdict): void {
    this.end();
    this.#options.verdict(verdict);
  }
}
