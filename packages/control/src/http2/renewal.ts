/** When a link must make room for another: its other side's certificate ends, or our own credentials were renewed (ADR 0023). */
import { ClusterError, type Clock, type Random } from '@veilcast/protocol';
import type { CredentialSource } from './credentials.ts';
import type { Http2Link } from './link.ts';
import type { OpenedLink } from './shared.ts';

export interface RenewalOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly credentials: CredentialSource;
  readonly renewWithinMs: number;
}

/** Watches over a link until it is gone. */
export function keepRenewed(link: Http2Link, opened: OpenedLink, options: RenewalOptions): void {
  const { clock, random, credentials, renewWithinMs } = options;
  const { dialled, proved, askToRenew } = opened;
  const stops: (() => void)[] = [];
  const ask = (): void => {
    if (dialled) link.grewStale();
    else askToRenew?.();
  };
  const begun = clock.now();
  const left = proved.expiresAt - begun;
  // In the second half of a short rest: a process that has no newer certificate yet must not be dialled over and over.
  stops.push(until(clock, begun + Math.max(left - renewWithinMs, left / 2), ask));
  stops.push(
    until(clock, proved.expiresAt, () => link.end(new ClusterError('UNAUTHORIZED', 'the certificate has expired'))),
  );
  stops.push(
    credentials.onRenew(() => {
      stops.push(clock.after(renewWithinMs * random.float(), ask));
      const made = new ClusterError('UNAUTHORIZED', 'made under old certificates');
      stops.push(clock.after(2 * renewWithinMs, () => link.end(made)));
    }),
  );
  void link.over().then(() => {
    for (const stop of stops) stop();
  });
}

/** Longest single wait; the runtime cuts a timer of weeks short. */
const WAIT_MAX_MS = 3_600_000;

function until(clock: Clock, when: number, run: () => void): () => void {
  const wait = (): (() => void) => {
    const left = when - clock.now();
    return left > WAIT_MAX_MS
      ? clock.after(WAIT_MAX_MS, () => {
          stop = wait();
        })
      : clock.after(Math.max(0, left), run);
  };
  let stop = wait();
  return () => stop();
}
