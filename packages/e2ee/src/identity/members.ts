/**
 * The `validate` of a GroupSelf: a leaf is a member if its credential holds and an attestation shows whose device it is. What was
 * found once is kept by leaf and credential; time and revocations are looked at again each time.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { ParticipantId, PeerId, Role, RoomId } from '@veilcast/protocol';
import { equalBytes } from '../bytes.ts';
import { type AuthorityKey, verifyCredential } from '../credential.ts';
import { GroupError, type ValidateCredential } from '../group.ts';
import { checkAttestation, type Attested, type IdentityRefusal, type IdentityTrust, whyNotNow } from './check.ts';
import { hexNameOf } from './bundle.ts';
import { acceptHead, type LogHead } from './log-head.ts';
import type { RevocationClaims } from './revocations.ts';

/** Who a member was shown to be. */
export interface MemberIdentity {
  readonly peerId: PeerId;
  readonly user: ParticipantId;
  readonly role: Role;
  readonly device: Uint8Array;
  readonly guest: boolean;
  /** ML-DSA-65 public key. */
  readonly key: Uint8Array;
}

export interface ShownAttestation {
  readonly attestation: Uint8Array;
  /** The signed head that it is in the log of. */
  readonly head: Uint8Array;
}

export interface MemberChecks extends IdentityTrust {
  readonly authority: AuthorityKey;
  readonly room: RoomId;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
  readonly revocations: () => RevocationClaims | undefined;
  /** What is shown for a Peer, from whoever has it; undefined when nobody does. */
  readonly attestationOf: (peerId: PeerId) => Promise<ShownAttestation | undefined>;
  /** A head that the root signed; it was not compared with others. */
  readonly headSeen: (head: LogHead, bytes: Uint8Array) => void;
  readonly shown: (identity: MemberIdentity) => void;
  /** Somebody with a credential is nobody we believe: the person should hear of it. */
  readonly refused: (peerId: PeerId, reason: IdentityRefusal) => void;
}

/** Leaves remembered. A group has a hundred; the rest is history. */
const KNOWN_MAX = 1_024;

/** Resolves to undefined for a bad credential. @throws GroupError with an IdentityRefusal as its reason */
export function memberValidator(checks: MemberChecks): ValidateCredential {
  const { authority, room, now } = checks;
  const known = new Map<string, Promise<Attested>>();
  const acceptedHead = headReader(checks);
  return async (credential, leafPublicKey) => {
    const verified = await verifyCredential(credential, authority, room, now());
    if (verified === undefined || !equalBytes(verified.leafPublicKey, leafPublicKey)) return undefined;
    const { peerId, participantId: user, role, bundle } = verified;
    const name = `${bytesToHex(leafPublicKey)} ${credential}`;
    const refuse = (reason: IdentityRefusal): never => {
      checks.refused(peerId, reason);
      throw new GroupError(reason);
    };
    const find = async (): Promise<Attested> => {
      const held = await checks.attestationOf(peerId);
      if (held === undefined) return refuse('no-attestation');
      const head = await acceptedHead(held.head);
      if (head === undefined) return refuse('bad-head');
      const shown = { user, room, leaf: leafPublicKey, bundle };
      const found = await checkAttestation(held.attestation, head, shown, checks);
      if (typeof found === 'string') return refuse(found);
      const { device, key } = found.bundle;
      checks.shown({ peerId, user, role, device, key, guest: found.guest });
      return found;
    };
    let attested = known.get(name);
    if (attested === undefined) {
      attested = find();
      known.set(name, attested);
      // What was not shown may be shown yet.
      attested.catch(() => known.delete(name));
      const [oldest] = known.keys();
      if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
    }
    const reason = whyNotNow(await attested, now(), checks.revocations());
    return reason === undefined ? verified : refuse(reason);
  };
}

/** One head comes with many attestations: the last one is not verified again. */
function headReader({ root, signatures, headSeen }: MemberChecks) {
  let last: { readonly bytes: Uint8Array; readonly head: Promise<LogHead | undefined> } | undefined;
  return (bytes: Uint8Array): Promise<LogHead | undefined> => {
    if (last !== undefined && equalBytes(last.bytes, bytes)) return last.head;
    const head = acceptHead(bytes, root, signatures);
    last = { bytes, head };
    void head.then((accepted) => accepted && headSeen(accepted, bytes));
    return head;
  };
}

/** For showing: twelve groups of four hexadecimal digits of the key's name. */
export function fingerprintOf(key: Uint8Array): string {
  return (hexNameOf(key).slice(0, 48).match(/.{4}/g) ?? []).join(' ');
}
