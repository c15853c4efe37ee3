/** An Authentication Service with a log, and devices that it vouches for, for tests. */
import type { ParticipantId, PeerId, RoomId } from '@veilcast/protocol';
import { leafHash, MerkleLog } from '@veilcast/translog';
import { toBase64Url } from '../base64url.ts';
import { claimsOf, library, NOW, newAuthority, ROOM } from '../fixture.ts';
import type { GroupSelf, LeafKey } from '../group.ts';
import { signatures, type SigningKey } from '../pq/index.ts';
import { encodeAttestation } from './attestation.ts';
import { type BundleClaims, nameOf, signBundle } from './bundle.ts';
import type { IdentityRefusal } from './check.ts';
import { logEntry, signHead } from './log-head.ts';
import { type MemberChecks, type MemberIdentity, memberValidator, type ShownAttestation } from './members.ts';
import type { RevocationClaims } from './revocations.ts';
import { signStatement, type StatementClaims } from './statement.ts';

export { NOW, ROOM };
const HOUR_MS = 3_600_000;

export interface Changes {
  readonly bundle?: Partial<BundleClaims>;
  readonly statement?: Partial<StatementClaims>;
  /** Another than the root signs the bundle. */
  readonly root?: SigningKey;
  /** Another than the device signs the statement. */
  readonly signer?: SigningKey;
  readonly claims?: object;
}

export async function newService() {
  const [authority, root] = await Promise.all([newAuthority(), signatures.generate()]);
  const log = new MerkleLog();
  const issue = async (user: string, leaf: Uint8Array, key: SigningKey, changes: Changes = {}) => {
    const device = nameOf(key.publicKey).slice(0, 16);
    const bundle = await signBundle(
      {
        user: user as ParticipantId,
        device,
        key: key.publicKey,
        issuedAt: NOW,
        expiresAt: NOW + HOUR_MS,
        ...changes.bundle,
      },
      changes.root ?? root,
    );
    const statement = await signStatement(
      {
        guest: false,
        device,
        room: ROOM,
        leaf,
        binding: new Uint8Array(32),
        expiresAt: NOW + HOUR_MS,
        ...changes.statement,
      },
      changes.signer ?? key,
    );
    return {
      bundle,
      statement,
      index: log.append(leafHash(logEntry({ user: changes.bundle?.user ?? user, key: key.publicKey, bundle }))),
    };
  };
  const head = () => signHead({ size: log.size, root: log.root(), at: NOW }, root);
  /** Under the newest head. */
  const show = async (issued: Awaited<ReturnType<typeof issue>>): Promise<ShownAttestation> => ({
    attestation: encodeAttestation({ ...issued, path: log.inclusion(issued.index) }),
    head: await head(),
  });
  return { authority, root, log, issue, show, head };
}
export type Service = Awaited<ReturnType<typeof newService>>;

/** What the members of one Room are shown, and what they said of it. */
export class Board {
  readonly shown = new Map<PeerId, ShownAttestation>();
  readonly refused: [PeerId, IdentityRefusal][] = [];
  readonly identities: MemberIdentity[] = [];
  revocations: RevocationClaims | undefined;
  now = NOW;
  /** Whose bundles are believed; the service's own alone where it is not said. */
  vouchers: readonly Uint8Array[] | undefined;
}

export function checksOf(service: Service, board: Board, room: RoomId = ROOM): MemberChecks {
  return {
    authority: service.authority.jwk,
    root: service.root.publicKey,
    vouchers: board.vouchers ?? [service.root.publicKey],
    signatures,
    room,
    now: () => board.now,
    revocations: () => board.revocations,
    attestationOf: async (peerId) => board.shown.get(peerId),
    headSeen: () => undefined,
    shown: (identity) => board.identities.push(identity),
    refused: (peerId, reason) => board.refused.push([peerId, reason]),
  };
}

/** Somebody with a credential and, unless `changes` says otherwise, an attestation that hold. */
export async function member(
  service: Service,
  board: Board,
  peer: string,
  changes: Changes = {},
): Promise<GroupSelf & { readonly leafKey: LeafKey; readonly key: SigningKey }> {
  const [leafKey, key] = await Promise.all([library.generateLeafKey(), signatures.generate()]);
  const issued = await service.issue(`of-${peer}`, leafKey.publicKey, key, changes);
  board.shown.set(peer as PeerId, await service.show(issued));
  const bundle = toBase64Url(nameOf(issued.bundle));
  const claims = claimsOf(peer, leafKey.publicKey, { bundle, ...changes.claims });
  return {
    roomId: ROOM,
    peerId: peer as PeerId,
    leafKey,
    key,
    credential: await service.authority.sign(claims),
    validate: memberValidator(checksOf(service, board)),
  };
}
