/**
 * Whether an attestation shows that a leaf is a device of a user. The server asks before it lets somebody in, every member asks
 * again for every other member; each refusal has a name (DESIGN §5, Identity; ADR 0011).
 */
import type { ParticipantId, RoomId } from '@veilcast/protocol';
import { equalBytes } from '../bytes.ts';
import type { Signatures } from '../pq/index.ts';
import { decodeAttestation } from './attestation.ts';
import { type Bundle, decodeBundle, hexNameOf, isVouchedFor, nameOf } from './bundle.ts';
import { isLogged, type LogHead } from './log-head.ts';
import type { RevocationClaims } from './revocations.ts';
import { decodeStatement, verifyStatement } from './statement.ts';

/** Clocks of devices are off by this much without anybody being refused. More: an expired bundle is good for longer. */
export const CLOCK_SLACK_MS = 300_000;

export const IDENTITY_REFUSALS = [
  /** Nobody shows one for this member: a ghost. */
  'no-attestation',
  'bad-attestation',
  /** Not the bundle that the credential names. */
  'other-bundle',
  'bad-bundle',
  'bundle-expired',
  /** The bundle is of another user than the credential. */
  'other-user',
  'other-device',
  'other-room',
  'other-leaf',
  'bad-statement',
  'statement-expired',
  'revoked',
  'bad-head',
  /** The log does not show the bundle. */
  'not-logged',
] as const;
export type IdentityRefusal = (typeof IDENTITY_REFUSALS)[number];

/** What the credential of a leaf says, to be shown true. */
export interface Shown {
  readonly user: ParticipantId;
  readonly room: RoomId;
  readonly leaf: Uint8Array;
  /** Name of the bundle. */
  readonly bundle: Uint8Array;
}

export interface IdentityTrust {
  /** ML-DSA-65 public key of the cluster's Authentication Service: of heads of the log. */
  readonly root: Uint8Array;
  /** Of those whose bundles are believed: the same one, or services that customers bring. */
  readonly vouchers: readonly Uint8Array[];
  readonly signatures: Signatures;
}

export interface Attested {
  readonly bundle: Bundle;
  readonly guest: boolean;
  /** When bundle or statement ends, milliseconds since the Unix epoch. */
  readonly until: number;
}

/** Everything that does not change with time. `head`: verified, and the one that the proof in the attestation is for. Never throws. */
export async function checkAttestation(
  bytes: Uint8Array,
  head: LogHead,
  shown: Shown,
  { vouchers, signatures }: Pick<IdentityTrust, 'vouchers' | 'signatures'>,
): Promise<Attested | IdentityRefusal> {
  const attestation = decodeAttestation(bytes);
  if (attestation === undefined) return 'bad-attestation';
  if (!equalBytes(nameOf(attestation.bundle), shown.bundle)) return 'other-bundle';
  const bundle = decodeBundle(attestation.bundle);
  const statement = decodeStatement(attestation.statement);
  if (bundle === undefined) return 'bad-bundle';
  if (statement === undefined) return 'bad-statement';
  if (bundle.user !== shown.user) return 'other-user';
  if (!equalBytes(bundle.device, statement.device)) return 'other-device';
  if (statement.room !== shown.room) return 'other-room';
  if (!equalBytes(statement.leaf, shown.leaf)) return 'other-leaf';
  const logged = { user: bundle.user, key: bundle.key, bundle: attestation.bundle };
  if (!isLogged(logged, attestation, head)) return 'not-logged';
  const [issued, stated] = await Promise.all([
    isVouchedFor(bundle, vouchers, signatures),
    verifyStatement(statement, bundle.key, signatures),
  ]);
  if (!issued) return 'bad-bundle';
  if (!stated) return 'bad-statement';
  return { bundle, guest: statement.guest, until: Math.min(bundle.expiresAt, statement.expiresAt) };
}

/** What does. `now` in milliseconds since the Unix epoch. */
export function whyNotNow(
  { bundle, until }: Attested,
  now: number,
  revocations: RevocationClaims | undefined,
): IdentityRefusal | undefined {
  if (bundle.issuedAt > now + CLOCK_SLACK_MS || bundle.expiresAt <= now - CLOCK_SLACK_MS) return 'bundle-expired';
  if (until <= now - CLOCK_SLACK_MS) return 'statement-expired';
  return isRevoked(bundle.key, revocations) ? 'revoked' : undefined;
}

export function isRevoked(key: Uint8Array, revocations: RevocationClaims | undefined): boolean {
  if (revocations === undefined) return false;
  const name = hexNameOf(key);
  return revocations.revoked.some((one) => one.key === name);
}
