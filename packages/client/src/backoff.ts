/** How long to wait before the next try to come in or back, and whether there is one. Pure. */
import type { ClusterError, ErrorCode } from '@veilcast/protocol';

/** The first try is at once: most losses are a restart of one process. */
const FIRST_MS = 250;
/** Longer: whoever was cut off sits there after the cut has healed. Shorter: a cluster in trouble is asked more often. */
const MOST_MS = 4_000;
/** After this long without success the call ends: who comes back from lunch expects to join again. */
export const GIVE_UP_MS = 10 * 60_000;

/** Tries of the first join when the cluster says that another one may work. */
const FIRST_TRIES = 3;
/** So long it is tried where the cluster is changing hands: longer than it takes to find who owns what, and a store to be back. */
const PASSING_MS = 15_000;
const PASSING: ReadonlySet<ErrorCode> = new Set(['NOT_OWNER', 'STORE_UNAVAILABLE', 'NODE_UNREACHABLE', 'WORKER_DIED']);

/** Whether a first join that failed is tried again. */
export function mayJoinAgain({ code, retry, retryMs }: ClusterError, tries: number, sinceMs: number): boolean {
  if (PASSING.has(code)) return sinceMs < PASSING_MS;
  return tries < FIRST_TRIES && (retry === 'elsewhere' || retryMs !== undefined);
}

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
