/** The devices that are no longer believed, as one signed list with a number that only grows (packages/e2ee, identity/revocations.ts). */
import { hexNameOf, REVOKED_MAX, type Revocation, type RevocationClaims } from '@veilcast/e2ee/identity';
import { ClusterError, type Clock } from '@veilcast/protocol';
import type { Authority } from './authority.ts';
import type { RevocationStore } from './revocation-store.ts';

export interface RevokedDevicesOptions {
  readonly authority: Pick<Authority, 'signRevocations'>;
  readonly clock: Clock;
  /** The longest that a bundle of a revoked key can still live. */
  readonly bundleTtlMs: number;
  /** What is kept from before; and where every change is kept. */
  readonly store: RevocationStore;
}

export class RevokedDevices {
  readonly #options: RevokedDevicesOptions;
  readonly #listeners = new Set<(list: Uint8Array) => void>();
  /** Every key ever, as `hexNameOf`: none of them is given a bundle again. */
  readonly #keys: Set<string>;
  /** Those that bundles may still be out for. */
  #listed: readonly Revocation[];
  #number: number;
  #signed: Promise<Uint8Array> | undefined;

  private constructor(options: RevokedDevicesOptions, number: number, keys: readonly string[]) {
    this.#options = options;
    this.#keys = new Set(keys);
    this.#number = number;
    const until = options.clock.now() + options.bundleTtlMs;
    this.#listed = keys.slice(-REVOKED_MAX).map((key) => ({ key, until }));
  }

  static async open(options: RevokedDevicesOptions): Promise<RevokedDevices> {
    const { number, keys } = await options.store.read();
    return new RevokedDevices(options, number, keys);
  }

  has(key: Uint8Array): boolean {
    return this.#keys.has(hexNameOf(key));
  }

  /** By the name of the key. @throws ClusterError OVERLOADED when the list is full */
  async revoke(name: string): Promise<void> {
    if (this.#keys.has(name)) return;
    const { clock, bundleTtlMs, store } = this.#options;
    const now = clock.now();
    const live = this.#listed.filter(({ until }) => until > now);
    if (live.length >= REVOKED_MAX) throw new ClusterError('OVERLOADED', undefined, { retryMs: 60_000 });
    this.#keys.add(name);
    this.#number += 1;
    this.#listed = [...live, { key: name, until: now + bundleTtlMs }];
    this.#signed = undefined;
    await store.write({ number: this.#number, keys: [...this.#keys] });
    const list = await this.list();
    for (const listener of this.#listeners) listener(list);
  }

  /** Signed once for each number. */
  list(): Promise<Uint8Array> {
    const claims: RevocationClaims = {
      number: this.#number,
      issuedAt: this.#options.clock.now(),
      revoked: this.#listed,
    };
    this.#signed ??= this.#options.authority.signRevocations(claims);
    return this.#signed;
  }

  /** Told the new list after every change. */
  onChange(listener: (list: Uint8Array) => void): void {
    this.#listeners.add(listener);
  }
}
