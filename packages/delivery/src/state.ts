/**
 * The MLS delivery service of one Room as a value (RFC 9750 §5): which Commit wins an Epoch, whose turn it is to join,
 * who must remove whom by when. It never sees a key. Pure: `now` is an argument.
 *
 * People enter by external Commit, one after the other by ticket (DESIGN §5, Groups; ADR 0006); of a crowd many at once, let in by a
 * member (ADR 0040). Removals go before both: who left must not read on while others queue.
 */
import type { Epoch, ErrorCode, EventBody, PeerId } from '@veilcast/protocol';

export interface Member {
  readonly peerId: PeerId;
  /** Leaf index by the rule of RFC 9420 §7.7: the leftmost blank leaf. Decides who removes. */
  readonly leaf: number;
  /** The Epoch that its own Commit made: it can open nothing sent before. */
  readonly since: Epoch;
}

export interface Ticket {
  readonly ticket: number;
  readonly peerId: PeerId;
  readonly issuedAt: number;
  /** The Epoch that it joins on. Undefined: it makes the group. */
  readonly epoch: Epoch | undefined;
}

export interface Removal {
  readonly peers: readonly PeerId[];
  readonly committer: PeerId;
  readonly askedAt: number;
  /** How many committers were asked and did not answer in time. */
  readonly tries: number;
}

/** A member was asked to let these in. */
export interface Admission {
  /** In the order of the queue. They stay in it until the Commit is taken. */
  readonly peers: readonly PeerId[];
  readonly committer: PeerId;
  readonly askedAt: number;
}

export interface DeliveryState {
  readonly epoch: Epoch;
  /** The GroupInfo that the next one joins on. Undefined: no group yet. */
  readonly groupInfo: Uint8Array | undefined;
  readonly members: readonly Member[];
  /** Peers who wait for their turn, first come first served. */
  readonly queue: readonly PeerId[];
  readonly ticket: Ticket | undefined;
  readonly nextTicket: number;
  /** Members who are gone from the Room and not yet removed from the group. */
  readonly gone: readonly PeerId[];
  /** Members who lost their place: removed like those who are gone, then queued. */
  readonly rejoining: readonly PeerId[];
  readonly removal: Removal | undefined;
  /** Until when others are waited for who leave with those that are gone. Undefined: for nobody. */
  readonly waitUntil: number | undefined;
  /** Who was asked for a KeyPackage: once, and who enters again does so by ticket. */
  readonly asked: ReadonlySet<PeerId>;
  /** KeyPackages of people in the queue. */
  readonly offers: ReadonlyMap<PeerId, Uint8Array>;
  readonly admission: Admission | undefined;
  /** Admissions in a row that came to nothing. */
  readonly admissionsFailed: number;
  /** Turns that somebody in the queue let pass. */
  readonly failures: ReadonlyMap<PeerId, number>;
}

/** The event of one kind. */
export type EventOf<K extends DeliveryEvent['kind']> = Extract<DeliveryEvent, { readonly kind: K }>;

export type DeliveryEvent =
  | { readonly kind: 'enter'; readonly peerId: PeerId }
  /** `urgent`: it was thrown out. */
  | { readonly kind: 'gone'; readonly peerId: PeerId; readonly urgent: boolean }
  | { readonly kind: 'rejoin'; readonly peerId: PeerId }
  | {
      readonly kind: 'commit';
      readonly peerId: PeerId;
      readonly epoch: Epoch;
      readonly ticket: number | undefined;
      readonly commit: Uint8Array | undefined;
      readonly groupInfo: Uint8Array;
      readonly removes: readonly PeerId[];
      readonly adds: readonly PeerId[];
      readonly welcome: Uint8Array | undefined;
    }
  | { readonly kind: 'offer'; readonly peerId: PeerId; readonly keyPackage: Uint8Array }
  | { readonly kind: 'message'; readonly peerId: PeerId; readonly epoch: Epoch; readonly sealed: Uint8Array }
  | { readonly kind: 'tick' };

export type DeliveryEffect =
  | { readonly kind: 'tell'; readonly peerIds: readonly PeerId[]; readonly event: GroupTold }
  /** This member cannot be kept in step: it must re-join or go. */
  | { readonly kind: 'evict'; readonly peerId: PeerId; readonly code: ErrorCode };

type GroupEventName =
  | 'groupCreate'
  | 'groupJoin'
  | 'groupOffer'
  | 'groupAdd'
  | 'groupWelcome'
  | 'groupCommit'
  | 'groupRemove'
  | 'groupMessage';

export type GroupTold = {
  [N in GroupEventName]: { readonly name: N; readonly body: EventBody<N> };
}[GroupEventName];

export interface DeliveryStep {
  readonly state: DeliveryState;
  readonly effects: readonly DeliveryEffect[];
  readonly refusal?: ErrorCode;
  /** Set for an accepted commit: the Epoch it made. */
  readonly epoch?: Epoch;
  /** When to send the next `tick`, if nothing happens before. */
  readonly wakeAt?: number;
}
