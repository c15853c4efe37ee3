/** Longest that an owner needs to find a store again that was away, beside its time between two renewals, ms. */
const RETURN_MS = 1_000;

/**
 * How long a store that was away, or has forgotten, gives nothing to others: every owner that lives has renewed once by then.
 * Owners renew every third of their time to live (ADR 0021).
 */
export function settleMs(ttlMs: number): number {
  return Math.ceil(ttlMs / 3) + RETURN_MS;
}
