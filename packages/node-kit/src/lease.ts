/**
 * Holds Leases for a process: renews each at a third of its time, or every 2 s, and says when it is lost. Lost is what the store says so of. A
 * store that does not answer says nothing: the holder goes on, since nobody else gets the key from that store either, and one
 * that is cut off alone is refused by the receivers of its effects, who have seen a greater Term (ADR 0021).
 */
import { renewEveryMs, type Lease, type LeaseStore } from '@veilcast/coordination';
import { ClusterError, type Clock } from '@veilcast/protocol';

export interface HolderOptions {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  /** Names a process in one of its lives. */
  readonly owner: string;
  readonly ttlMs: number;
  /** The store failed at a renewal, which will be tried again; told once until one succeeds. */
  readonly report?: ((error: unknown) => void) | undefined;
}

export interface HeldLease {
  readonly kind: 'held';
  readonly lease: Lease;
  /** The store remembers no owner before this one. */
  readonly isFirst: boolean;
  readonly lost: boolean;
  /** Ends it, so that another need not wait for its expiry. @throws what the store throws; it expires then */
  release(): Promise<void>;
}

export type Holding = HeldLease | { readonly kind: 'refused'; readonly lease: Lease };

/** Longest that `hold` waits for a store which gives former owners time to come back. Longer: whoever asks has given up. */
const UNSETTLED_MAX_MS = 4_000;
/** Keys of which it is not known what the store did. More: the oldest block themselves until they expire. */
const UNKNOWN_MAX = 1_000;

export class LeaseHolder {
  readonly options: HolderOptions;
  /** Under which name a key was asked for, where no answer came: it may be held. */
  readonly #asked = new Map<string, string>();
  /** Leases that are over here, and that the store did not hear of. */
  readonly #left = new Map<string, Lease>();
  #lives = 0;
  #isFailing = false;

  constructor(options: HolderOptions) {
    this.options = options;
  }

  /**
   * Each time is a life of its own, with a Term of its own, also after a release that the store did not hear of: what an earlier
   * life of the key still does must not pass for what this one does. `onLost` is called once, and never after `release`.
   * @throws what the store throws when it cannot be reached; ClusterError STORE_UNAVAILABLE while it gives nothing to anybody
   */
  async hold(key: string, onLost: () => void): Promise<Holding> {
    const { leases, ttlMs } = this.options;
    const left = this.#left.get(key);
    if (left !== undefined) {
      await leases.release(left);
      this.#left.delete(key);
    }
    const owner = this.#asked.get(key) ?? `${this.options.owner}/${(this.#lives += 1)}`;
    // Whoever asks at the same time is another life.
    this.#asked.delete(key);
    try {
      let waited = 0;
      for (;;) {
        const acquired = await leases.acquire(key, owner, ttlMs);
        if (acquired.kind === 'refused') return acquired;
        if (acquired.kind === 'held') return new RenewedLease(this, acquired.lease, acquired.isFirst, onLost);
        waited += acquired.retryMs;
        if (waited > UNSETTLED_MAX_MS)
          throw new ClusterError('STORE_UNAVAILABLE', 'the store waits for former owners', {
            retryMs: acquired.retryMs,
          });
        await new Promise<void>((resolve) => void this.options.clock.after(acquired.retryMs, resolve));
      }
    } catch (thrown) {
      keep(this.#asked, key, owner);
      throw thrown;
    }
  }

  /** For a Lease of this holder: it is over, and the store does not know. */
  leave(lease: Lease): void {
    keep(this.#left, lease.key, lease);
  }

  /** How a renewal went. */
  renewed(failure?: unknown): void {
    if (failure !== undefined && !this.#isFailing) this.options.report?.(failure);
    this.#isFailing = failure !== undefined;
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  for (const oldest of map.keys()) {
    if (map.size <= UNKNOWN_MAX) break;
    map.delete(oldest);
  }
}

class RenewedLease implements HeldLease {
  readonly kind = 'held';
  readonly lease: Lease;
  readonly isFirst: boolean;
  readonly #holder: LeaseHolder;
  readonly #onLost: () => void;
  #stopTimer: () => void;
  #over: 'lost' | 'released' | undefined;

  constructor(holder: LeaseHolder, lease: Lease, isFirst: boolean, onLost: () => void) {
    this.#holder = holder;
    this.lease = lease;
    this.isFirst = isFirst;
    this.#onLost = onLost;
    const { clock, ttlMs } = holder.options;
    this.#stopTimer = clock.after(renewEveryMs(ttlMs), () => void this.#renew());
  }

  get lost(): boolean {
    return this.#over === 'lost';
  }

  async release(): Promise<void> {
    if (this.#over !== undefined) return;
    this.#over = 'released';
    this.#stopTimer();
    try {
      await this.#holder.options.leases.release(this.lease);
    } catch (thrown) {
      this.#holder.leave(this.lease);
      throw thrown;
    }
  }

  async #renew(): Promise<void> {
    const { leases, clock, ttlMs } = this.#holder.options;
    let failed = false;
    try {
      const held = await leases.renew(this.lease, ttlMs);
      this.#holder.renewed();
      if (!held) return this.#lose();
    } catch (thrown) {
      failed = true;
      this.#holder.renewed(thrown);
    }
    if (this.#over !== undefined) return;
    // A store that is back is asked soon: whoever comes first gets what expired meanwhile.
    this.#stopTimer = clock.after(renewEveryMs(ttlMs) / (failed ? 2 : 1), () => void this.#renew());
  }

  #lose(): void {
    if (this.#over !== undefined) return;
    this.#over = 'lost';
    this.#onLost();
  }
}
