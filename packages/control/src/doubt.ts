/**
 * A doubt about a process whose Channel is quiet: two Pings and nothing came back. It is looked for by other ways, and others are asked
 * whether they hear it. Ends when anything is heard on the Channel again, or with a verdict.
 *
 * | what is seen                                         | verdict | after                                      |
 * | ---------------------------------------------------- | ------- | ------------------------------------------ |
 * | nobody listens there any more, or another life does  | dead    | one knock                                  |
 * | its host answers, it does not, and nobody hears it   | hung    | `PROBE_MS`                                 |
 * | nothing answers, and nobody hears it                 | lost    | `PROBE_MS`                                 |
 * | it answers a new dial, or others hear it             | none    | when the Channel itself ends: `broken`      |
 *
 * The last row is a link that is cut: media goes on meanwhile, and the process may yet be heard.
 */
import { ClusterError, type Clock } from '@veilcast/protocol';
import { Unreachable, type Sight } from './carrier.ts';
import type { Channel } from './channel.ts';
import type { ChannelLimits } from './limits.ts';

/** broken: the connection ended, which says nothing about the process. */
export type Verdict = 'dead' | 'hung' | 'lost' | 'broken';

/** What a probe has. Longer: people look at frozen pictures. Shorter: a busy or far process does not answer in time. */
const PROBE_MS = 750;
/** What others have to say what they hear. */
export const WITNESS_MS = 250;

export interface DoubtOptions {
  readonly clock: Clock;
  readonly limits: Pick<ChannelLimits, 'pingMs' | 'quietPings'>;
  readonly channel: Pick<Channel, 'closed' | 'silentMs'>;
  /** Dials anew. @throws ClusterError */
  readonly probe: () => Promise<void>;
  /** Undefined: this carrier cannot. */
  readonly knock: () => Promise<Sight | undefined>;
  readonly isHeardElsewhere: () => Promise<boolean>;
  /** Once, and not at all when the process is heard. */
  readonly verdict: (verdict: Verdict) => void;
}

export class Doubt {
  readonly #options: DoubtOptions;
  #sight: Sight = 'nothing';
  #isThere = false;
  #isOver = false;

  constructor(options: DoubtOptions) {
    this.#options = options;
  }

  begin(): void {
    const { clock, probe, knock } = this.#options;
    probe().then(
      () => (this.#isThere = true),
      (error: unknown) => this.#failed(error),
    );
    knock().then(
      (sight) => sight !== undefined && this.#saw(sight),
      () => undefined,
    );
    clock.after(PROBE_MS, () => void this.#weigh());
  }

  #failed(error: unknown): void {
    // What answers there is another life of it.
    const isOther = error instanceof ClusterError && error.code === 'STALE_INCARNATION';
    if (isOther || (error instanceof Unreachable && error.sight === 'refused')) this.#end('dead');
  }

  #saw(sight: Sight): void {
    if (sight === 'refused') this.#end('dead');
    else this.#sight = sight;
  }

  async #weigh(): Promise<void> {
    if (this.#isHeard()) return;
    if (await this.#isHeardElsewhere()) return;
    if (!this.#isHeard()) this.#end(this.#sight === 'hung' ? 'hung' : 'lost');
  }

  #isHeard(): boolean {
    const { channel, limits } = this.#options;
    return this.#isOver || this.#isThere || channel.closed || channel.silentMs <= limits.pingMs * limits.quietPings;
  }

  async #isHeardElsewhere(): Promise<boolean> {
    const { clock, isHeardElsewhere } = this.#options;
    return new Promise<boolean>((resolve) => {
      const stop = clock.after(WITNESS_MS, () => resolve(false));
      const end = (isHeard: boolean): void => {
        stop();
        resolve(isHeard);
      };
      isHeardElsewhere().then(end, () => end(false));
    });
  }

  #end(verdict: Verdict): void {
    if (this.#isOver || this.#options.channel.closed) return;
    this.#isOver = true;
    this.#options.verdict(verdict);
  }
}
