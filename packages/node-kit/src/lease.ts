/**
 * Holds a Lease: renews it at a third of its time, and says when it is lost. It counts as lost when the store says so,
 * and also when no renewal has succeeded for as long as the store would keep it: a holder that cannot reach the store
 * must stop before another begins.
 */
import type { Lease, LeaseStore } from '@veilcast/coordination';
import type { Clock } from '@veilcast/protocol';

export interface HoldOptions {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  readonly key: string;
  /** Names a process in one of its lives: another life must not take over its Term. */
  readonly owner: string;
  readonly ttlMs: number;
  /** Called once, and never after `release`. */
  readonly onLost: () => void;
  /** A renewal that failed and will be tried again. */
  readonly report?: ((error: unknown) => void) | undefined;
}

export interface HeldLease {
  readonly kind: 'held';
  readonly lease: Lease;
  readonly lost: boolean;
  /** Ends it, so that another need not wait for its expiry. */
  release(): Promise<void>;
}

export type Holding = HeldLease | { readonly kind: 'refused'; readonly lease: Lease };

/** @throws what the store throws when it cannot be reached */
export async function holdLease(options: HoldOptions): Promise<Holding> {
  const { leases, clock, key, owner, ttlMs } = options;
  // From before the question, so that this process stops before the store forgets it.
  const askedAt = clock.now();
  const acquired = await leases.acquire(key, owner, ttlMs);
  if (acquired.kind === 'refused') return acquired;
  return new RenewedLease(options, acquired.lease, askedAt);
}

class RenewedLease implements HeldLease {
  readonly kind = 'held';
  readonly lease: Lease;
  readonly #options: HoldOptions;
  readonly #stopRenewals: () => void;
  #stopDeadline: () => void = () => undefined;
  #over: 'lost' | 'released' | undefined;
  #renewing = false;

  constructor(options: HoldOptions, lease: Lease, askedAt: number) {
    this.#options = options;
    this.lease = lease;
    this.#stopRenewals = options.clock.every(options.ttlMs / 3, () => void this.#renew());
    this.#mustRenewFrom(askedAt);
  }

  get lost(): boolean {
    return this.#over === 'lost';
  }

  async release(): Promise<void> {
    if (this.#over !== undefined) return;
    this.#end('released');
    await this.#options.leases.release(this.lease);
  }

  #mustRenewFrom(askedAt: number): void {
    const { clock, ttlMs } = this.#options;
    this.#stopDeadline();
    this.#stopDeadline = clock.after(askedAt + ttlMs - clock.now(), () => this.#end('lost'));
  }

  async #renew(): Promise<void> {
    if (this.#renewing || this.#over !== undefined) return;
    this.#renewing = true;
    const askedAt = this.#options.clock.now();
    try {
      const held = await this.#options.leases.renew(this.lease, this.#options.ttlMs);
      if (this.#over !== undefined) return;
      if (held) this.#mustRenewFrom(askedAt);
      else this.#end('lost');
    } catch (error) {
      this.#options.report?.(error);
    } finally {
      this.#renewing = false;
    }
  }

  #end(how: 'lost' | 'released'): void {
    if (this.#over !== undefined) return;
    this.#over = how;
    this.#stopRenewals();
    this.#stopDeadline();
    if (how === 'lost') this.#options.onLost();
  }
}
