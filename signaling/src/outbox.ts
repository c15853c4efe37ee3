/**
 * What a Room tells one Peer: numbered, and kept for a while, so that a client whose socket broke gets by the next one what it has
 * missed, in order and once (ADR 0029).
 */
import type { Admission, AnyEvent, Clock, ClusterError } from '@veilcast/protocol';
import type { PeerLink, Shared } from './seat.ts';

/** How long a Peer without a socket is waited for. Longer: who vanished stays in the grid. Shorter: tunnels end calls. */
export const AWAY_MS = 15_000;
/** How long events are kept; at most twice that, while there are new ones. A Commit in a large group is 100 kB. */
const KEPT_MS = 2 * AWAY_MS;
/** Most events that are kept. What is told to many is kept once and pointed to. More: memory. Fewer: who comes back joins anew. */
export const KEPT_MAX = 512;

interface Kept {
  readonly at: number;
  readonly event: AnyEvent;
}

export class Outbox {
  readonly #clock: Clock;
  #link: PeerLink | undefined;
  #seq = 0;
  /** The last events, oldest first; the newest has the number `#seq`. */
  #kept: Kept[] = [];
  #waited = false;
  #admitted = false;

  constructor(link: PeerLink, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
  }

  /** Undefined: its socket is gone. */
  get link(): PeerLink | undefined {
    return this.#link;
  }

  /** It knows its id, and can come back by it. */
  get isAdmitted(): boolean {
    return this.#admitted;
  }

  waiting(): void {
    this.#waited = true;
    this.#link?.waiting();
  }

  admitted(admission: Admission): void {
    this.#admitted = true;
    if (this.#waited) this.tell({ name: 'admitted', body: { admission } });
    else this.#link?.admitted(admission);
  }

  tell(event: AnyEvent): void {
    this.#keep(event);
    this.#link?.tell(this.#seq, event);
  }

  tellShared(event: AnyEvent, shared: Shared): void {
    this.#keep(event);
    this.#link?.tellShared(this.#seq, shared);
  }

  end(error: ClusterError): void {
    this.#link?.end(error);
    this.#link = undefined;
  }

  /** From here on it is told through this link, from the event after `seq`. False: not all of them are kept. */
  attach(link: PeerLink, seq: number): boolean {
    this.#forget();
    const missed = this.#seq - seq;
    if (missed < 0 || missed > this.#kept.length) return false;
    this.#link = link;
    const first = this.#kept.length - missed;
    for (const [i, { event }] of this.#kept.slice(first).entries()) link.tell(seq + 1 + i, event);
    return true;
  }

  detach(): void {
    this.#link = undefined;
  }

  #keep(event: AnyEvent): void {
    this.#seq += 1;
    const now = this.#clock.now();
    this.#kept.push({ at: now, event });
    const [oldest] = this.#kept;
    // Seldom: each time all of them are looked at.
    if (this.#kept.length > 2 * KEPT_MAX || (oldest?.at ?? now) < now - 2 * KEPT_MS) this.#forget();
  }

  /** Nobody comes back for what is older than the wait for them. */
  #forget(): void {
    const since = this.#clock.now() - KEPT_MS;
    const first = this.#kept.findIndex(({ at }) => at >= since);
    this.#kept = this.#kept.slice(Math.max(first === -1 ? this.#kept.length : first, this.#kept.length - KEPT_MAX));
  }
}
