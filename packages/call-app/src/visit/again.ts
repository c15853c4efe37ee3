/** When a join that the servers could not take now is tried again without a click, and for how long. */
import type { ClusterError } from '@veilcast/protocol';
import { ACTS } from '../words/acts.ts';

/** The waits double from here, whatever less the servers said. Shorter: a full cluster is asked all the time. */
const FIRST_MS = 2_000;
const MOST_MS = 30_000;
/** Who has waited for so long may have left the room: no camera goes on by itself any more. */
const UNATTENDED_MS = 5 * 60_000;

/**
 * @param tries how many have failed since the person asked, this one among them
 * @param waitedMs since then
 * @param jitter 0 ≤ jitter < 1, so that those whom one moment refused do not come back in one moment
 * @returns ms until the next; undefined: the servers named no time, or the person must ask again
 */
export function againAfterMs(
  { code, retryMs }: Pick<ClusterError, 'code' | 'retryMs'>,
  tries: number,
  waitedMs: number,
  jitter: number,
): number | undefined {
  if (retryMs === undefined || ACTS[code] !== 'again') return undefined;
  const wait = Math.max(retryMs, Math.min(MOST_MS, FIRST_MS * 2 ** (tries - 1)) * (0.75 + jitter / 2));
  return waitedMs + wait > UNATTENDED_MS ? undefined : Math.round(wait);
}

/** The tries since the person last asked. */
export class Again {
  #tries = 0;
  #since: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Runs `join` when it is time. Ms since the Unix epoch; undefined: nothing happens by itself. */
  failed(error: ClusterError, join: () => void): number | undefined {
    const now = Date.now();
    this.#since ??= now;
    this.#tries += 1;
    const wait = againAfterMs(error, this.#tries, now - this.#since, Math.random());
    if (wait === undefined) return undefined;
    this.#timer = setTimeout(join, wait);
    return now + wait;
  }

  /** It is being tried, or nobody wants it any more. */
  stop(): void {
    clearTimeout(this.#timer);
  }

  /** The person asked, or is in. */
  begin(): void {
    this.stop();
    this.#tries = 0;
    this.#since = undefined;
  }
}
