/**
 * The MLS group as the rest of Veilcast sees it, whichever library is beneath (ADR 0006). State in, state out: a
 * `GroupState` is a value; a lost Commit race is undone by keeping the old value.
 *
 * Runs in a browser worker and in Node. Keys never leave it except as the base keys of `epochKeys`.
 */
import type { PeerId, RoomId } from '@veilcast/protocol';
import type { IdentityRefusal } from './identity/check.ts';

/** Opaque. Made by `createGroup` and `joinGroup`, replaced by every function that changes it. */
export interface GroupState {
  readonly roomId: RoomId;
  readonly epoch: number;
  readonly self: PeerId;
  readonly brand: 'GroupState';
}

export interface GroupMember {
  readonly peerId: PeerId;
  readonly leaf: number;
}

/** An Ed25519 leaf key pair of one Peer in one Room. */
export interface LeafKey {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** Says whether a credential is one of this Room and belongs to this leaf key. The one gate for members (DESIGN §5, Identity). */
export type ValidateCredential = (
  credential: string,
  leafPublicKey: Uint8Array,
) => Promise<VerifiedCredential | undefined>;
export interface VerifiedCredential {
  readonly peerId: PeerId;
}

/** What everybody in one Epoch shares. */
export interface EpochKeys {
  readonly epoch: number;
  /** MLS-Exporter("SFrame 1.0 Base Key", "", 64), RFC 9605 §5.2. */
  readonly baseKey: Uint8Array;
  /** RFC 9420 §8.7; people compare its digits. */
  readonly authenticator: Uint8Array;
  readonly selfLeaf: number;
  readonly members: readonly GroupMember[];
}

/** A Commit that we made and the delivery service has not accepted yet. Adopt `next` when it is, drop it when it is not. */
export interface PendingCommit {
  readonly next: GroupState;
  readonly commit: Uint8Array;
  readonly groupInfo: Uint8Array;
  readonly removes: readonly PeerId[];
  /** Who is let in by it, and the Welcome that they share. */
  readonly adds: readonly PeerId[];
  readonly welcome: Uint8Array | undefined;
}

/** What somebody at the door gives to whoever lets people in; its secrets are kept beside it. Made by `offer`, for one entry. */
export interface Offer {
  readonly keyPackage: Uint8Array;
  readonly brand: 'Offer';
}

export interface AppliedCommit {
  readonly next: GroupState;
  /** Who made it: a member, or whoever entered by it. */
  readonly by: PeerId;
  /** By somebody who entered, or came back to its own leaf when `added` is empty. */
  readonly external: boolean;
  readonly added: readonly PeerId[];
  readonly removed: readonly PeerId[];
}

export interface GroupLibrary {
  generateLeafKey(): Promise<LeafKey>;
  createGroup(self: GroupSelf): Promise<{ state: GroupState; groupInfo: Uint8Array }>;
  /** External Commit on a GroupInfo (RFC 9420 §12.4.3.2). @throws GroupError */
  joinGroup(self: GroupSelf, groupInfo: Uint8Array): Promise<PendingCommit>;
  /** Removes Peers, with an update path always. @throws GroupError */
  commitRemoval(state: GroupState, peers: readonly PeerId[]): Promise<PendingCommit>;
  /** A KeyPackage of ours (RFC 9420 §10). */
  offer(self: GroupSelf): Promise<Offer>;
  /** Wipes an offer, once we are in or it is not wanted any more. */
  withdraw(offer: Offer): void;
  /**
   * Lets in who offered these KeyPackages, ADMITTED_MAX at most; those that do not hold are left out. @throws GroupError
   * `bad-credential` when none holds, `not-allowed` when ours is not the highest leaf of a tree without gaps
   */
  commitAdmission(state: GroupState, keyPackages: readonly Uint8Array[]): Promise<PendingCommit>;
  /** Enters by the Welcome of a Commit that added us, and the GroupInfo of the Epoch it made. @throws GroupError */
  joinByWelcome(
    self: GroupSelf,
    offer: Offer,
    told: { readonly groupInfo: Uint8Array; readonly welcome: Uint8Array },
  ): Promise<GroupState>;
  /** Applies a Commit of somebody else. `removed` with our own id means that we are out. @throws GroupError */
  applyCommit(state: GroupState, commit: Uint8Array): Promise<AppliedCommit>;
  /** Seals an application message with the sender's ratchet; padded to buckets. */
  seal(state: GroupState, plaintext: Uint8Array): Promise<{ next: GroupState; sealed: Uint8Array }>;
  /** @throws GroupError */
  open(state: GroupState, sealed: Uint8Array): Promise<{ next: GroupState; plaintext: Uint8Array; sender: PeerId }>;
  epochKeys(state: GroupState): Promise<EpochKeys>;
  /**
   * Says that `next` replaces `current` for good (the Commit was accepted, the message was taken): wipes what only
   * `current` needed and returns the state to go on with, which knows what `current` opened meanwhile. Without it all works,
   * but old secrets stay in memory and a late message of the old Epoch may be opened twice.
   */
  adopt(current: GroupState, next: GroupState): GroupState;
  /** Wipes a state that will not be used: one that lost the race, or the last one on leaving. */
  discard(state: GroupState): void;
}

export interface GroupSelf {
  readonly roomId: RoomId;
  readonly peerId: PeerId;
  readonly leafKey: LeafKey;
  /** Compact JWS from the Admission. */
  readonly credential: string;
  readonly validate: ValidateCredential;
}

export type GroupErrorReason =
  | 'undecodable'
  | 'wrong-group'
  | 'wrong-epoch'
  | 'bad-credential'
  | IdentityRefusal
  | 'bad-signature'
  | 'no-update-path'
  | 'unknown-member'
  /** Well made, but not something a member may send here: see ADR 0006. */
  | 'not-allowed'
  | 'replayed'
  /** Somebody is in an Epoch of this number with other keys: the group was split (ADR 0015). */
  | 'forked'
  | 'removed'
  | 'library';

/** Why a group message was not taken. Nothing of it was applied. */
export class GroupError extends Error {
  override readonly name = 'GroupError';
  readonly reason: GroupErrorReason;
  /** Whom it concerns, by its own signature. */
  readonly by: PeerId | undefined;
  constructor(reason: GroupErrorReason, options: ErrorOptions & { readonly by?: PeerId } = {}) {
    super(`group: ${reason}`, options);
    this.reason = reason;
    this.by = options.by;
  }
}
