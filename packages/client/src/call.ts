/**
 * The SDK's surface: what an application sees of a call. No framework, no globals, one event emitter (packages/client/README.md).
 */
import type { SafetyNumber } from '@veilcast/e2ee/identity';
import type { NetworkStanding } from './adaptation/standing.ts';
import type { AdaptationReport } from './adaptation/steering.ts';
import type { Identity } from './device/identity.ts';
import type { ErrorCode, PeerId, ProducerId, Queued, RegionId, Role, Source } from '@veilcast/protocol';
import type { VideoCodec } from './media/codec.ts';
import type { MediaPath } from './network/path.ts';
import type { GroupChange, GroupWarning, TrackLock } from './workers/messages.ts';

export type { Queued } from '@veilcast/protocol';
export type { SafetyNumber } from '@veilcast/e2ee/identity';
export type { Identity } from './device/identity.ts';
export type { NetworkStanding } from './adaptation/standing.ts';
export type { AdaptationReport } from './adaptation/steering.ts';
export type { VideoCodec } from './media/codec.ts';
export type { MediaPath, PathKind } from './network/path.ts';
export type { GroupChange, GroupWarning, TrackLock } from './workers/messages.ts';

export interface ConnectOptions {
  /** Where signaling is, e.g. `https://call.example.org`. */
  readonly url: string;
  /**
   * A join token; it names the Room and the role. Or how to get one: asked again on every reconnect, since tokens are
   * short-lived and calls are not.
   */
  readonly token: string | (() => string | Promise<string>);
  /** What other people see; travels sealed. */
  readonly name?: string;
  /** Overrides the choice by round-trip time where the cluster's policy allows. */
  readonly region?: string;
  /** Who we are. By default the identity that this browser keeps, or a guest's where it keeps nothing. */
  readonly identity?: Identity;
  /**
   * SHA-256 of the ML-DSA-65 root of the Authentication Service, hexadecimal digits, or of each that is believed: who shows a bundle of
   * another is refused, and a cluster that names none of them with WRONG_AUTHORITY. By default those that signaling names are
   * believed; safety numbers differ when two people were told different ones.
   */
  readonly authorityPin?: string | readonly string[];
  /**
   * The bundle of our identity by an Authentication Service of the application's own (ADR 0043), asked for with every join: needed
   * where the token's issuer has one, and refused otherwise.
   */
  readonly bundle?: (identity: Identity) => Promise<Uint8Array>;
  /** What pictures are sent in, where everybody in the Room can decode it (ADR 0018). VP8 without it. */
  readonly codec?: VideoCodec;
  /**
   * SHA-256 of the root that signs the servers' manifest, hexadecimal digits: nobody else is believed to be the server. Without it the
   * first root that the site shows is the only one while the page lives (ADR 0013).
   */
  readonly pin?: string;
  /** Everything goes through a TURN server: no address of ours is told to anybody else. Where there is none nothing connects. */
  readonly relay?: boolean;
  /** Told again and again, while many join at once, which place in line this join has and how long that takes. Then it goes on by itself. */
  readonly queued?: ((queued: Queued) => void) | undefined;
  /** From `prepare()`, where a page comes before the call. */
  readonly prepared?: Prepared;
  /** Whether a call between two may go directly, within what the cluster's policy allows (ADR 0034). Undefined: what the policy says. */
  readonly peerToPeer?: boolean | undefined;
  /** Nobody but the server gets an address of this device; see `hideAddress`. */
  readonly hideAddress?: boolean;
}

/** As for `connect`, which must be given the same. */
export interface PrepareOptions {
  readonly url?: string;
  readonly pin?: string | undefined;
}

/** Workers that run already, and a wire where `url` was given; good for one call. */
export interface Prepared {
  /** When no call came of it. */
  close(): void;
}

export type CallState = 'connecting' | 'waiting' | 'joined' | 'reconnecting' | 'ended';

/** waiting: keys are being agreed, nothing is sent or shown. failed: with a reason. */
export type EncryptionState = 'waiting' | 'encrypted' | 'failed';

export interface Encryption {
  readonly state: EncryptionState;
  readonly suite: string;
  readonly epoch: number;
  readonly members: readonly PeerId[];
  /** 30 digits, six groups of five; equal for everybody in the Epoch. Empty while waiting. */
  readonly code: string;
  /** Of the Epoch, hexadecimal digits: what `code` and every other view to compare is made of. Empty while waiting. */
  readonly authenticator: string;
  /** How the last Epochs came about, oldest first; at most 100. */
  readonly changes: readonly GroupChange[];
  /** What people should know, oldest first; at most 100. */
  readonly warnings: readonly GroupWarning[];
  readonly framesSealed: number;
  readonly framesOpened: number;
  /** By reason. */
  readonly failures: Readonly<Record<string, number>>;
}

export type VideoState = 'live' | 'muted' | 'waiting' | 'frozen';

export interface RemoteTrack {
  readonly producerId: ProducerId;
  readonly source: Source;
  readonly track: MediaStreamTrack;
  readonly muted: boolean;
  readonly state: VideoState;
  /** A picture that the server keeps back: the Room has more cameras than one gets, and others spoke since. */
  readonly held: boolean;
  /** Whether what comes can be opened; of a muted track what was last known. */
  readonly lock: TrackLock;
}

/** Whose device a Peer is, checked by this client: its bundle, its device's signature and the log (ADR 0011). */
export interface PersonIdentity {
  /** The user id that the Authentication Service vouches for. */
  readonly user: string;
  /** Of the device key, twelve groups of four hexadecimal digits. */
  readonly fingerprint: string;
  /** changed: the person was verified with another key. */
  readonly verified: 'yes' | 'no' | 'changed';
  /** Made for this visit: it cannot be recognized the next time. */
  readonly guest: boolean;
}

export interface Person {
  readonly peerId: PeerId;
  /** Empty until their sealed profile came. */
  readonly name: string;
  /** The member whose memory their name is, until they say it themselves. */
  readonly nameAs: PeerId | undefined;
  readonly role: Role;
  readonly handRaised: boolean;
  /** 0 to 1, of their microphone. */
  readonly level: number;
  readonly tracks: readonly RemoteTrack[];
  /** Undefined until they showed it. Nothing is shown of somebody who cannot. */
  readonly identity: PersonIdentity | undefined;
}

export interface ChatLine {
  readonly id: string;
  /** The Peer that they were when they said it. */
  readonly from: PeerId;
  readonly name: string;
  readonly text: string;
  /** The sender's clock, ms since the epoch. Lines stand in an order that does not depend on it. */
  readonly at: number;
  readonly own: boolean;
  /** Ours, and on its way: the server has not taken it yet. */
  readonly pending: boolean;
  /** From before we came: the member whose memory this is. Only what is heard from its speaker is proven. */
  readonly as: { readonly peerId: PeerId; readonly name: string } | undefined;
  /** Another member remembers it differently. */
  readonly disputed: boolean;
}

export interface Waiting {
  readonly peerId: PeerId;
  readonly name: string;
}

/** An immutable picture of the call; a new object after every change, the same one between changes. */
export interface CallSnapshot {
  readonly state: CallState;
  readonly room: string;
  readonly self: {
    readonly peerId: PeerId | '';
    readonly name: string;
    readonly role: Role;
    readonly region: RegionId | '';
    readonly node: string;
    readonly handRaised: boolean;
    readonly published: readonly Source[];
    readonly muted: readonly Source[];
    /** Undefined until joined. */
    readonly identity: Pick<PersonIdentity, 'user' | 'fingerprint' | 'guest'> | undefined;
  };
  readonly people: readonly Person[];
  readonly encryption: Encryption;
  /** The two of this call see or hear each other directly; by the server otherwise. */
  readonly direct: boolean;
  /** How much of what is wanted the connection carries. */
  readonly network: NetworkStanding;
  readonly locked: boolean;
  readonly lobby: readonly Waiting[];
  readonly chat: readonly ChatLine[];
  /** Set when `state` is `ended` or something needs the person's attention. */
  readonly error: CallError | undefined;
}

export interface CallError {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface CallEvents {
  change: [snapshot: CallSnapshot];
  track: [track: RemoteTrack, person: Person];
  trackEnded: [track: RemoteTrack, person: Person];
  chat: [line: ChatLine];
  /** A new Epoch. */
  keys: [change: GroupChange];
  warning: [warning: GroupWarning];
  ended: [error: CallError | undefined];
}

export interface ShownTile {
  readonly producerId: ProducerId;
  /** Device pixels. */
  readonly width: number;
  readonly height: number;
  readonly visible: boolean;
  /** It comes however full the Room is; of a microphone too. */
  readonly pinned?: boolean;
}

export interface Call {
  readonly snapshot: CallSnapshot;
  on<E extends keyof CallEvents>(event: E, listener: (...args: CallEvents[E]) => void): () => void;
  /** Publishes every track of a stream: audio as `microphone`, video as `camera`; or with a source of its own. */
  publish(stream: MediaStream, sources?: { readonly audio?: Source; readonly video?: Source }): Promise<void>;
  unpublish(source: Source): Promise<void>;
  /** Stops sending without closing. */
  setMuted(source: Source, muted: boolean): Promise<void>;
  /** Another device for the same source, without a new negotiation. */
  replaceTrack(source: Source, track: MediaStreamTrack): Promise<void>;
  showTiles(tiles: readonly ShownTile[]): void;
  /** Hidden: no address of this device is gathered or told to anybody but the server, so that the call never goes directly. */
  hideAddress(hidden: boolean): void;
  say(text: string): Promise<void>;
  raiseHand(raised: boolean): Promise<void>;
  setLocked(locked: boolean): Promise<void>;
  admit(peerId: PeerId): Promise<void>;
  deny(peerId: PeerId): Promise<void>;
  kick(peerId: PeerId): Promise<void>;
  /** What the two of us compare to know each other: the same on both sides. @throws ClusterError NOT_FOUND until `identity` is known */
  safetyNumber(peerId: PeerId): SafetyNumber;
  /** Remembers in this browser that the safety number was compared; `false` takes it back. @throws ClusterError NOT_FOUND */
  verify(peerId: PeerId, verified?: boolean): Promise<void>;
  /** The JSON of DESIGN §11, `window.veilcast.report()`. */
  report(): Promise<CallReport>;
  leave(): Promise<void>;
}

export interface CallReport {
  readonly room: string;
  readonly self: {
    readonly peerId: string;
    readonly name: string;
    readonly role: string;
    readonly region: string;
    readonly node: string;
    /** `udp` or `tcp` of the chosen pair; empty before there is one. */
    readonly transport: string;
    /** From the click (the start of `connect`) to the first decoded remote frame; null before. */
    readonly joinMs: number | null;
    /** The rung of the ladder that media goes by now; missing before there is one. */
    readonly path?: MediaPath;
  };
  readonly peers: readonly PeerReport[];
  readonly e2ee: {
    readonly state: EncryptionState;
    readonly suite: string;
    readonly epoch: number;
    readonly members: number;
    readonly code: string;
    readonly framesSealed: number;
    readonly framesOpened: number;
    readonly failures: Readonly<Record<string, number>>;
  };
  /** What the connection carries, what was measured and decided of it, and why; null before the first look. */
  readonly adaptation: AdaptationReport | null;
}

export interface PeerReport {
  readonly peerId: string;
  readonly name: string;
  readonly role: string;
  readonly video: {
    readonly framesDecoded: number;
    readonly width: number;
    readonly height: number;
    readonly fps: number;
    readonly codec: string;
    readonly layer: string;
    readonly frozenMs: number;
  };
  readonly audio: { readonly packetsReceived: number; readonly concealedMs: number };
  /** The Nodes that their media crosses; empty where it comes directly. */
  readonly path: readonly string[];
  /** It comes from them and by no Node. */
  readonly direct?: true;
}
