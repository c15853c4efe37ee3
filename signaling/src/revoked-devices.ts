/** The devices that are no longer believed, as one signed list with a number that only grows (packages/e2ee, identity/revocations.ts). */
import { hexNameOf, REVOKED_MAX, type Revocation, type RevocationClaims } from '@veilcast/e2ee/identity';
import { ClusterError, type Clock } from '@veilcast/protocol';
import type { Authority } from './authority.ts';
import { KeptList, type KeptStore } from './kept-list.ts';

export interface RevokedDevicesOptions {
  readonly authority: Pick<Authority, 'signRevocations'>;
  readonly clock: Clock;
  /** The longest that a bundle of a revoked key can still live. */
  readonly bundleTtlMs: number;
  /** The names of all keys ever, oldest first: what is kept from before, and where every change is kept. */
  readonly store: KeptStore;
}

export class RevokedDevices {
  readonly #options: RevokedDevicesOptions;
  readonly #listeners = new Set<(list: Uint8Array) => void>();
  /** Every key ever, as `hexNameOf`: none of them is given a bundle again. */
  readonly #keys = new Set<string>();
  /** Those that bundles may still be out for. */
  #listed: readonly Revocation[] = [];
  #kept: KeptList | undefined;
  #signed: Promise<Uint8Array> | undefined;

  private constructor(options: RevokedDevicesOptions) {
    this.#options = options;
  }

  static async open(options: RevokedDevicesOptions): Promise<RevokedDevices> {
    const devices = new RevokedDevices(options);
    devices.#kept = await KeptList.open(options.store, (key) => devices.#take(key));
    return devices;
  }

  has(key: Uint8Array): boolean {
    return this.#keys.has(hexNameOf(key));
  }

  /** By the name of the key. @throws ClusterError OVERLOADED when the list is full */
  async revoke(name: string): Promise<void> {
    if (this.#keys.has(name)) return;
    if (this.#live().length >= REVOKED_MAX) throw new ClusterError('OVERLOADED', undefined, { retryMs: 60_000 });
    await this.#kept?.append(name, () => this.#keys.has(name));
    await this.list();
  }

  /** Signed once for each number. */
  list(): Promise<Uint8Array> {
    const claims: RevocationClaims = {
      number: this.#keys.size,
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

  async close(): Promise<void> {
    await this.#kept?.close();
  }

  #live(): readonly Revocation[] {
    const now = this.#options.clock.now();
    return this.#listed.filter(({ until }) => until > now);
  }

  /** Revoked here, or at another process. */
  #take(key: string): void {
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    const until = this.#options.clock.now() + this.#options.bundleTtlMs;
    this.#listed = [...this.#live().slice(1 - REVOKED_MAX), { key, until }];
    this.#signed = undefined;
    if (this.#listeners.size === 0) return;
    void this.list().then((list) => {
      for (const listener of this.#listeners) listener(list);
    });
  }
}
