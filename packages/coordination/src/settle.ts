/** Longest between two renewals, ms. Longer: a store that comes back empty keeps new Rooms waiting for longer. */
const RENEW_EVERY_MAX_MS = 2_000;
/** Longest that an owner needs to find a store again that was away, ms. */
const RETURN_MS = 1_000;

/** How often whoever holds a Lease must renew it, to have it again from a store that was away or has forgotten (ADR 0021). */
export function renewEveryMs(ttlMs: number): number {
  return Math.min(ttlMs / 3, RENEW_EVERY_MAX_MS);
}

/** How long such a store gives nothing to others: every owner that lives has renewed once by then. */
export function settleMs(ttlMs: number): number {
  return Math.ceil(renewEveryMs(ttlMs)) + RETURN_MS;
}
