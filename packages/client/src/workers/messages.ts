/**
 * What the main thread, the group worker and the frame worker say to each other. Keys travel on the port between the two
 * workers and nowhere else: no message to or from the main thread has a place for one.
 */
import type { AuthorityKey } from '@veilcast/e2ee';
import type { MemberIdentity, ShownAttestation } from '@veilcast/e2ee/identity';
import type { Speaker } from '@veilcast/e2ee/said';
import type { ErrorCode, EventBody, PeerId, RoomId, Source } from '@veilcast/protocol';
import type { Codec } from '@veilcast/sframe';
import type { Transformer } from './scope.ts';
import type { AttestationAnswer } from './shown.ts';

/** Group worker → frame worker, on their own port. */
export type KeyMessage =
  | {
      readonly kind: 'epoch';
      readonly epoch: number;
      readonly baseKey: Uint8Array;
      readonly selfLeaf: number;
      readonly members: readonly { readonly peerId: string; readonly leaf: number }[];
      /** How long to seal with the last Epoch yet, so that slow receivers have the new key first. 0 after a removal. */
      readonly switchAfterMs: number;
      /** Not a successor of the Epochs before. */
      readonly newGroup: boolean;
      /** Somebody came with it, who saw no key frame of ours yet. */
      readonly newcomers: boolean;
    }
  /** Our place in the group is lost: seal nothing until there is a new Epoch. */
  | { readonly kind: 'stopSealing' }
  | { readonly kind: 'forget' };

/** Main → frame worker. */
export type FrameWorkerInput =
  | { readonly kind: 'keys'; readonly port: MessagePort }
  /** The frames of one sender or receiver, where there are no script transforms. */
  | ({ readonly kind: 'streams' } & Transformer);

export interface FrameCounts {
  readonly sealed: number;
  readonly opened: number;
  readonly failures: Readonly<Record<string, number>>;
}

/**
 * Whether what one track brings can be opened. waiting: no frame of it did yet, or their key is not here. failed: frames
 * come, with a key that we know, and do not open.
 */
export type TrackLock = 'waiting' | 'encrypted' | 'failed';

/** Frame worker → main. */
export type FrameWorkerOutput =
  | { readonly kind: 'started' }
  | ({ readonly kind: 'counts' } & FrameCounts)
  | { readonly kind: 'lock'; readonly consumerId: string; readonly lock: TrackLock }
  /** These Consumers cannot be shown without a key frame. */
  | { readonly kind: 'wantKeyFrames'; readonly consumerIds: readonly string[] }
  /** The encoders of these sources must make a key frame: receivers have a new key or saw nothing yet. */
  | { readonly kind: 'wantOwnKeyFrames'; readonly sources: readonly Source[] };

/** The options of one transform. `codec` is what signaling says; the frame's own metadata goes first. */
export type TransformRole =
  | { readonly role: 'send'; readonly source: Source; readonly codec: Codec }
  | {
      readonly role: 'receive';
      readonly consumerId: string;
      readonly peerId: string;
      readonly source: Source;
      readonly codec: Codec;
    };

type GroupEventName =
  | 'groupCreate'
  | 'groupJoin'
  | 'groupOffer'
  | 'groupAdd'
  | 'groupWelcome'
  | 'groupCommit'
  | 'groupRemove'
  | 'groupMessage';

export type GroupEvent = {
  [N in GroupEventName]: { readonly name: N; readonly body: EventBody<N> };
}[GroupEventName];

/** What the group worker asks of signaling, through the main thread. */
export type GroupRequestName = 'groupCommit' | 'groupMessage' | 'groupOffer' | 'groupRejoin';

/** Main → group worker. The port goes to the frame worker. */
export type GroupWorkerInput =
  | { readonly kind: 'start'; readonly port: MessagePort }
  /** There is time before the first entry. */
  | { readonly kind: 'rehearse' }
  | {
      readonly kind: 'enter';
      readonly roomId: RoomId;
      readonly peerId: PeerId;
      readonly credential: string;
      readonly authority: AuthorityKey;
      /** ML-DSA-65 public key of the Authentication Service. */
      readonly root: Uint8Array;
      /** Of those whose bundles are believed. */
      readonly vouchers: readonly Uint8Array[];
      /** What the others are shown of us. */
      readonly attested: ShownAttestation;
      /** The signed list of revoked devices. */
      readonly revocations: Uint8Array;
    }
  | { readonly kind: 'revoked'; readonly list: Uint8Array }
  | { readonly kind: 'attestations'; readonly call: number; readonly answer: AttestationAnswer | undefined }
  | { readonly kind: 'event'; readonly event: GroupEvent }
  /** Who is in the Room by what signaling says, ourselves included. */
  | { readonly kind: 'present'; readonly peers: readonly PeerId[] }
  | { readonly kind: 'say'; readonly call: number; readonly plaintext: Uint8Array }
  | { readonly kind: 'answer'; readonly call: number; readonly result: GroupAnswer };

export type GroupAnswer =
  { readonly ok: true; readonly epoch: number | undefined } | { readonly ok: false; readonly code: ErrorCode };

/** Group worker → main. */
export type GroupWorkerOutput =
  | { readonly kind: 'started'; readonly leafKey: string }
  | { readonly kind: 'ask'; readonly call: number; readonly name: GroupRequestName; readonly body: object }
  | GroupStanding
  | { readonly kind: 'opened'; readonly speaker: Speaker; readonly plaintext: Uint8Array }
  | { readonly kind: 'said'; readonly call: number; readonly error: ErrorCode | undefined }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'warning'; readonly warning: GroupWarning }
  | { readonly kind: 'wantAttestations'; readonly call: number; readonly peers: readonly PeerId[] }
  /** A head of the log that the root signed. */
  | { readonly kind: 'head'; readonly head: Uint8Array }
  /** This member showed whose device it is. */
  | { readonly kind: 'identity'; readonly identity: MemberIdentity };

/** How an Epoch came about, for the call's timeline. */
export interface GroupChange {
  readonly epoch: number;
  /** This device's clock, ms since the Unix epoch. */
  readonly at: number;
  /** Who made the Commit; empty when we entered and cannot know who was before. */
  readonly by: PeerId | '';
  /**
   * created: a new group, whose Epochs have nothing to do with those before. entered: somebody came. admitted: a member let people in.
   * returned: somebody who
   * had lost its place took it again. removed: members were taken out. rotated: new keys for the same people.
   */
  readonly kind: 'created' | 'entered' | 'admitted' | 'returned' | 'removed' | 'rotated';
  readonly added: readonly PeerId[];
  readonly removed: readonly PeerId[];
}

/**
 * Something about the group that people should see.
 * fork: that member is in an Epoch of our number with other keys, by its own signature: the server splits the group, or the
 * member lies. removalWithheld: they left the Room and are members still. ghost: they are members and never came into
 * the Room. commitRefused: a Commit that the server had accepted was not one that we may take; `reason` says why.
 * staleLeaf: they have not renewed their keys for twice the time in which every member does. unattested: they could not
 * show whose device they are, and were refused; `reason` is the check that failed. revoked: their device was revoked while they
 * were here. logFork: two heads of the log of bundles, in `heads`, do not belong to one log, or one is none; `peers` showed the
 * second. otherDevice: so many (`reason`) bundles in our user's name are for other devices than this one.
 */
export interface GroupWarning {
  readonly kind:
    | 'fork'
    | 'removalWithheld'
    | 'ghost'
    | 'commitRefused'
    | 'staleLeaf'
    | 'unattested'
    | 'revoked'
    | 'logFork'
    | 'otherDevice';
  readonly at: number;
  readonly epoch: number;
  /** Whom it concerns: of a refused Commit who sent it. */
  readonly peers: readonly PeerId[];
  /** A stable word, never words of another. */
  readonly reason: string;
  /** base64url, as they were signed. */
  readonly heads?: readonly string[];
}

/** Where this member stands in the group. */
export type GroupStanding =
  | {
      readonly kind: 'epoch';
      readonly epoch: number;
      readonly members: readonly PeerId[];
      /** Who came with this Epoch: they know no profiles yet. */
      readonly added: readonly PeerId[];
      /** 30 digits for people to compare. */
      readonly code: string;
      /** Hexadecimal digits of the epoch authenticator (RFC 9420 §8.7); no secret: it is there to be compared. */
      readonly authenticator: string;
      readonly change: GroupChange;
      readonly suite: string;
      readonly selfLeaf: number;
    }
  | { readonly kind: 'lost' }
  | { readonly kind: 'failed' };
