/**
 * Whose device is at the door, and what is shown to the others for it. A device proves its key with the statement that it signed
 * over its leaf key and its token; it then gets a bundle, which is put into the log before anybody sees it (ADR 0011, 0012).
 */
import type { LeaseStore } from '@veilcast/coordination';
import {
  CLOCK_SLACK_MS,
  decodeProof,
  decodeStatement,
  encodeAttestation,
  type LoggedKey,
  nameOf,
  tokenBinding,
  verifySelfRevocation,
  verifyStatement,
  hexNameOf,
} from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { ClusterError, type Admission, type Clock, type RequestBody } from '@veilcast/protocol';
import type { Authority } from './authority.ts';
import { BundleLog } from './bundle-log.ts';
import { base64Url, sameBytes } from './bytes.ts';
import type { KeptStore } from './kept-list.ts';
import { RevokedDevices } from './revoked-devices.ts';
import type { JoinClaims } from './tokens.ts';
import { vouchedBundle, type BundleHolder } from './vouching.ts';

/** Furthest end of a statement. Devices' clocks are off, some by a day. */
const STATEMENT_AHEAD_MS = 7 * 24 * 3_600_000;
/** Bundles kept to be given out again. */
const BUNDLES_MAX = 10_000;
/** Invitations whose device is remembered here besides in the store. */
const INVITATIONS_MAX = 10_000;

/** A device that has shown its key, and the bundle that it was given. */
export interface Proven {
  readonly key: Uint8Array;
  readonly statement: Uint8Array;
  readonly bundle: Uint8Array;
  /** SHA-256 of the bundle, base64url. */
  readonly bundleName: string;
  /** Place of the bundle in the log. */
  readonly index: number;
}

export interface Entrant extends JoinClaims {
  readonly proven: Proven;
}

/** What Rooms need of it. */
export interface Identities {
  /** @throws ClusterError UNAUTHORIZED, BAD_DEVICE, WRONG_DEVICE, REVOKED */
  admit(body: RequestBody<'join'>): Promise<Entrant>;
  attested(proven: Proven): Promise<Admission['attested']>;
  /** All of them under one head, in their order. */
  attestations(list: readonly Proven[]): Promise<{ head: Uint8Array; attestations: Uint8Array[] }>;
  isRevoked(key: Uint8Array): boolean;
}

export interface IdentitiesOptions {
  readonly authority: Authority;
  readonly clock: Clock;
  /** Where an invitation is bound to the first device that uses it. */
  readonly leases: LeaseStore;
  readonly bundleTtlMs: number;
  readonly logStore: KeptStore;
  readonly revocationStore: KeptStore;
}

interface Issued {
  readonly bundle: Uint8Array;
  readonly bundleName: string;
  readonly index: number;
  readonly renewAt: number;
}

export class LoggedIdentities implements Identities {
  readonly log: BundleLog;
  readonly revoked: RevokedDevices;
  readonly #options: IdentitiesOptions;
  readonly #issued = new Map<string, Promise<Issued>>();
  /** Invitations and the names of the devices that they are bound to. */
  readonly #bound = new Map<string, string>();

  private constructor(options: IdentitiesOptions, log: BundleLog, revoked: RevokedDevices) {
    this.#options = options;
    this.log = log;
    this.revoked = revoked;
  }

  static async open(options: IdentitiesOptions): Promise<LoggedIdentities> {
    const { logStore, revocationStore } = options;
    const log = await BundleLog.open({ ...options, store: logStore });
    return new LoggedIdentities(options, log, await RevokedDevices.open({ ...options, store: revocationStore }));
  }

  async admit(body: RequestBody<'join'>): Promise<Entrant> {
    const claims = await this.#options.authority.verifyToken(body.token);
    const { key, statement, device } = await this.#provenKey(body, claims);
    if (this.revoked.has(key)) throw new ClusterError('REVOKED');
    await this.#ownToken(claims, key);
    const holder = { user: claims.sub, device, key };
    const { bundle, bundleName, index } = claims.voucher
      ? await this.#bring(claims.voucher, holder, body.bundle)
      : await this.#bundleFor(holder, body.bundle);
    return { ...claims, proven: { key, statement, bundle, bundleName, index } };
  }

  async attested(proven: Proven): Promise<Admission['attested']> {
    const { head, attestations } = await this.attestations([proven]);
    return { attestation: attestations[0] ?? new Uint8Array(), head };
  }

  async attestations(list: readonly Proven[]): Promise<{ head: Uint8Array; attestations: Uint8Array[] }> {
    await this.log.reach(Math.max(0, ...list.map(({ index }) => index + 1)));
    const { size } = this.log;
    const attestations = list.map(({ bundle, statement, index }) =>
      encodeAttestation({ bundle, statement, index, path: this.log.inclusion(index, size) }),
    );
    return { head: await this.log.head(size), attestations };
  }

  async close(): Promise<void> {
    await Promise.all([this.log.close(), this.revoked.close()]);
  }

  isRevoked(key: Uint8Array): boolean {
    return this.revoked.has(key);
  }

  /** A device takes back its own key. @throws ClusterError BAD_DEVICE, OVERLOADED */
  async revokeItself(said: Uint8Array): Promise<void> {
    const key = await verifySelfRevocation(said, signatures, this.#options.clock.now());
    if (key === undefined) throw new ClusterError('BAD_DEVICE');
    await this.revoked.revoke(hexNameOf(key));
  }

  /** An operator's word: keys that the log knows. Resolves to how many they are. @throws ClusterError NOT_FOUND, OVERLOADED */
  async revokeLogged(wanted: LoggedKey): Promise<number> {
    const keys = await this.log.keysOf(wanted);
    if (keys.length === 0) throw new ClusterError('NOT_FOUND', 'no such device in the log');
    for (const key of keys) await this.revoked.revoke(key);
    return keys.length;
  }

  /** @throws ClusterError BAD_DEVICE */
  async #provenKey({ device: bytes, leafKey, token }: RequestBody<'join'>, { room }: JoinClaims) {
    const now = this.#options.clock.now();
    const proof = decodeProof(bytes);
    const statement = proof && decodeStatement(proof.statement);
    if (proof === undefined || statement === undefined) throw new ClusterError('BAD_DEVICE');
    const { device, leaf, binding, expiresAt } = statement;
    const fits =
      statement.room === room &&
      sameBytes(leaf, Buffer.from(leafKey, 'base64url')) &&
      sameBytes(binding, tokenBinding(token)) &&
      expiresAt > now - CLOCK_SLACK_MS &&
      expiresAt <= now + STATEMENT_AHEAD_MS;
    if (!fits || !(await verifyStatement(statement, proof.key, signatures))) throw new ClusterError('BAD_DEVICE');
    // Each by itself: what is kept of a proof is its statement.
    return { key: proof.key, statement: proof.statement.slice(), device: device.slice() };
  }

  /** The device that the token names, or the first one that came with it. @throws ClusterError WRONG_DEVICE, or what the store throws */
  async #ownToken({ device, tokenId, expiresAt }: JoinClaims, key: Uint8Array): Promise<void> {
    const name = base64Url(nameOf(key));
    if (device !== undefined) {
      if (device !== name) throw new ClusterError('WRONG_DEVICE');
      return;
    }
    // Bound here already: who comes back must not need the store for it.
    if (this.#bound.get(tokenId) === name) return;
    const ttlMs = Math.max(1, expiresAt - this.#options.clock.now());
    const bound = await this.#options.leases.acquire(`invitation/${tokenId}`, name, ttlMs);
    if (bound.kind === 'refused') throw new ClusterError('WRONG_DEVICE');
    if (bound.kind === 'unsettled')
      throw new ClusterError('STORE_UNAVAILABLE', undefined, { retryMs: Math.ceil(bound.retryMs) });
    this.#bound.set(tokenId, name);
    const [oldest] = this.#bound.keys();
    if (this.#bound.size > INVITATIONS_MAX && oldest !== undefined) this.#bound.delete(oldest);
  }

  /** Ours. @throws ClusterError BAD_DEVICE where another brings one: nobody vouches in our place unasked */
  async #bundleFor(holder: BundleHolder, brought: Uint8Array | undefined): Promise<Issued> {
    if (brought !== undefined) throw new ClusterError('BAD_DEVICE');
    const { user, device, key } = holder;
    return this.#once(`${user} ${base64Url(device)} ${base64Url(nameOf(key))}`, () => this.#issue(holder));
  }

  /** Of the customer's Authentication Service. @throws ClusterError BAD_DEVICE */
  async #bring(voucher: Uint8Array, holder: BundleHolder, brought: Uint8Array | undefined): Promise<Issued> {
    const { clock } = this.#options;
    const bundle = brought && (await vouchedBundle(brought, holder, voucher, clock.now()));
    if (brought === undefined || bundle === undefined) throw new ClusterError('BAD_DEVICE');
    const name = nameOf(brought);
    return this.#once(base64Url(name), async () => {
      const index = await this.log.append(holder.user, holder.key, brought);
      return { bundle: brought, bundleName: base64Url(name), index, renewAt: bundle.expiresAt };
    });
  }

  async #once(name: string, make: () => Promise<Issued>): Promise<Issued> {
    const present = await this.#issued.get(name);
    if (present !== undefined && present.renewAt > this.#options.clock.now()) return present;
    const issued = make();
    this.#issued.delete(name);
    this.#issued.set(name, issued);
    issued.catch(() => this.#issued.delete(name));
    const [oldest] = this.#issued.keys();
    if (this.#issued.size > BUNDLES_MAX && oldest !== undefined) this.#issued.delete(oldest);
    return issued;
  }

  async #issue({ user, device, key }: BundleHolder): Promise<Issued> {
    const { authority, clock, bundleTtlMs } = this.#options;
    const issuedAt = clock.now();
    const bundle = await authority.signBundle({ user, device, key, issuedAt, expiresAt: issuedAt + bundleTtlMs });
    const index = await this.log.append(user, key, bundle);
    // Half of its life is left for the call that begins with it.
    return { bundle, bundleName: base64Url(nameOf(bundle)), index, renewAt: issuedAt + bundleTtlMs / 2 };
  }
}
