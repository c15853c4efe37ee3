/**
 * What signaling tells a client: `{seq, name, body}`, seq 1, 2, 3 … per Peer, so that a gap is seen.
 */
import { z } from 'zod';
import { WireError } from './errors.ts';
import { ConsumerId, Epoch, PeerId, ProducerId } from './ids.ts';
import {
  ADMITTED_MAX,
  COMMIT_MAX,
  GROUP_INFO_MAX,
  KEY_PACKAGE_MAX,
  PEERS_MAX,
  REVOCATIONS_MAX,
  SEALED_MAX,
  WELCOME_MAX,
} from './limits.ts';
import { bytes } from './media.ts';
import { Admission, ConsumerIds, GroupTicket, Lobby, PeerView, Place, ProducerView, Role } from './model.ts';

export const EVENTS = {
  admitted: z.strictObject({ admission: Admission }),
  /**
   * Your Node or Worker is gone, and this is your new place. Your Producers and Consumers went with the old one; you are still the
   * same Peer, in the same group.
   */
  moved: z.strictObject({ place: Place }),
  /**
   * Your Node is emptied, and this is your new place. What you have goes on: send and consume the same from there, then say `moved`;
   * after ten seconds the old place is closed.
   */
  moving: z.strictObject({ place: Place }),
  peerJoined: z.strictObject({ peer: PeerView }),
  peerLeft: z.strictObject({ peerId: PeerId, reason: z.enum(['left', 'lost', 'removed']) }),
  peerRole: z.strictObject({ peerId: PeerId, role: Role }),
  producerOpened: z.strictObject({ producer: ProducerView }),
  producerClosed: z.strictObject({ peerId: PeerId, producerId: ProducerId }),
  producerPaused: z.strictObject({ peerId: PeerId, producerId: ProducerId, paused: z.boolean() }),
  /** Somebody in the Room cannot decode this Producer of yours: send it in another codec. */
  producerUndecodable: z.strictObject({ producerId: ProducerId }),
  /** The highest spatial layer of your Producer that anybody watches, null: nobody does. What is above it need not be encoded. */
  producerWatched: z.strictObject({
    producerId: ProducerId,
    spatial: z.number().int().min(0).max(7).nullable(),
  }),
  /** Pictures that do not come although they are shown: the Room has more than it forwards at a time. `held` false: they come. */
  consumersHeld: z.strictObject({ consumerIds: ConsumerIds, held: z.boolean() }),
  /** The server closed it: its Producer or a Transport on the way is gone. Consume again if the Producer still lives. */
  consumerClosed: z.strictObject({ consumerId: ConsumerId, producerId: ProducerId }),
  consumerLayers: z.strictObject({
    consumerId: ConsumerId,
    spatial: z.number().int().min(0).max(7).nullable(),
    temporal: z.number().int().min(0).max(7).nullable(),
  }),
  /** Your turn to make the group. */
  groupCreate: GroupTicket,
  /** Your turn to join by external Commit on this GroupInfo. */
  groupJoin: z.strictObject({ ...GroupTicket.shape, groupInfo: bytes(GROUP_INFO_MAX) }),
  /** A Commit won `epoch`; apply it. Comes to everybody but its sender. */
  groupCommit: z.strictObject({
    epoch: Epoch,
    sender: PeerId,
    commit: bytes(COMMIT_MAX),
    removes: z.array(PeerId).max(PEERS_MAX),
  }),
  /** You wait with many: offer a KeyPackage (`groupOffer`), so that a member can let you in. A turn may come before. */
  groupOffer: z.strictObject({}),
  /** You sit on the highest leaf: let in who offers these, in this order, by one Commit. */
  groupAdd: z.strictObject({
    epoch: Epoch,
    keyPackages: z.array(bytes(KEY_PACKAGE_MAX)).min(1).max(ADMITTED_MAX),
  }),
  /** A Commit added you; you are in the Epoch that it made. */
  groupWelcome: z.strictObject({ epoch: Epoch, groupInfo: bytes(GROUP_INFO_MAX), welcome: bytes(WELCOME_MAX) }),
  /** You are the designated committer: remove these Peers now. */
  groupRemove: z.strictObject({ epoch: Epoch, peers: z.array(PeerId).min(1).max(PEERS_MAX) }),
  groupMessage: z.strictObject({ epoch: Epoch, sender: PeerId, sealed: bytes(SEALED_MAX) }),
  lobby: z.strictObject({ waiting: Lobby }),
  roomLocked: z.strictObject({ locked: z.boolean() }),
  /** Devices were revoked: the signed list that holds from now on. */
  revoked: z.strictObject({ list: bytes(REVOCATIONS_MAX) }),
  /** The last event of a Peer: what happened and whether to come back. */
  ended: z.strictObject({ error: WireError }),
} as const;

export type EventName = keyof typeof EVENTS;
export type EventBody<N extends EventName> = z.output<(typeof EVENTS)[N]>;
export type AnyEvent = { [N in EventName]: { readonly name: N; readonly body: EventBody<N> } }[EventName];

export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}

export const EventEnvelope = z.strictObject({
  seq: z.number().int().positive(),
  name: z.string().max(32),
  body: z.unknown(),
});

export const Answer = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), result: z.unknown() }),
  z.strictObject({ ok: z.literal(false), error: WireError }),
]);
export type Answer = z.infer<typeof Answer>;

/** How an answer travels: `re` is the id of its request, 0 where that could not be read. */
export const AnswerEnvelope = z.strictObject({ re: z.number().int().nonnegative(), answer: Answer });
export type AnswerEnvelope = z.infer<typeof AnswerEnvelope>;

/** Where in the line of those who join somebody is, 1 for the next, and how long that takes at most. */
export const Queued = z.strictObject({
  place: z.number().int().positive(),
  waitMs: z.number().int().nonnegative(),
});
export type Queued = z.infer<typeof Queued>;

/** Before the answer to a join that asked to be told: its place, again and again until it is its turn. */
export const QueuedEnvelope = z.strictObject({ re: z.number().int().nonnegative(), queued: Queued });
export type QueuedEnvelope = z.infer<typeof QueuedEnvelope>;

/** What a Room says to many Peers in one sealed record: each counts it as its own next event. */
export const SharedEnvelope = z.strictObject({ name: z.string().max(32), body: z.unknown() });
