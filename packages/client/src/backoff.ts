/** How long to wait before the next try to come back. Pure. */

/** The first try is at once: most losses are a restart of one process. */
const FIRST_MS = 250;
const MOST_MS = 8_000;
/** After this long without success the call ends: who comes back from lunch expects to join again. */
export const GIVE_UP_MS = 10 * 60_000;

/** Before a new Seat is taken because keys failed: what failed once may fail again. */
export const KEYS_PAUSE_MS = 2_000;

/**
 * @param tries how many have failed
 * @param jitter 0 ≤ jitter < 1, so that a crowd that lost one server does not come back in one instant
 */
export function backoffMs(tries: number, jitter: number, retryMs = 0): number {
  const base = tries === 0 ? 0 : Math.min(MOST_MS, FIRST_MS * 2 ** (tries - 1));
  return Math.max(retryMs, Math.round(base * (0.5 + jitter)));
}
