/**
 * The highest Term seen of each authority over each Room (DESIGN §3.2): an effect under a lower one is refused, so that a
 * process which lost its Lease and does not know it yet can do no harm. Bounded; forgets what nobody has used for long.
 */
import { ClusterError } from '@veilcast/protocol';

/** `room`: signaling's Lease. `plan`: the cascade-router's. */
export type AuthorityKind = 'room' | 'plan';

/** Far longer than any Lease lives: who lost one this long ago is gone. Longer: memory. Shorter: an old owner may act again. */
export const TERM_EXPIRY_MS = 600_000;
/** Pairs of Room and authority. A node serves hundreds of Rooms at a time, a cascade-router thousands; ten minutes of them fit. */
export const TERMS_MAX = 20_000;

export class TermMemory {
  /** In order of last use, the oldest first. */
  readonly #seen = new Map<string, { term: number; at: number }>();

  get size(): number {
    return this.#seen.size;
  }

  /** Accepts an effect, and remembers its Term. @throws ClusterError STALE_TERM, or OVERLOADED with no place to remember */
  accept(kind: AuthorityKind, roomId: string, term: number, now: number): void {
    const key = `${kind} ${roomId}`;
    const known = this.#seen.get(key);
    if (known && now - known.at < TERM_EXPIRY_MS && term < known.term) throw new ClusterError('STALE_TERM');
    if (!known) this.#makeRoom(now);
    this.#seen.delete(key);
    this.#seen.set(key, { term, at: now });
  }

  #makeRoom(now: number): void {
    for (const [key, { at }] of this.#seen) {
      if (now - at < TERM_EXPIRY_MS) break;
      this.#seen.delete(key);
    }
    if (this.#seen.size >= TERMS_MAX) throw new ClusterError('OVERLOADED', 'too many Rooms to remember');
  }
}
