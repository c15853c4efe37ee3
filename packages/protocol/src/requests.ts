/**
 * What a client asks of signaling. One table: name, body, result. A request travels as `{id, name, body}` with ids
 * 1, 2, 3 … per Peer, and is answered by `{ok: true, result}` or `{ok: false, error}`. It takes effect once, also when it is sent
 * again under its id after `resume`.
 */
import { z } from 'zod';
import { Epoch, PeerId, ProducerId, RegionId, RoomId, TransportId } from './ids.ts';
import {
  ADMITTED_MAX,
  ATTESTATION_MAX,
  ATTESTATIONS_MAX,
  BATCH_MAX,
  BUNDLE_MAX,
  COMMIT_MAX,
  DEVICE_PROOF_MAX,
  GROUP_INFO_MAX,
  KEY_PACKAGE_MAX,
  LOG_HEAD_MAX,
  PEERS_MAX,
  SEALED_MAX,
  WELCOME_MAX,
} from './limits.ts';
import { bytes, DtlsParameters, IceServerList, MediaKind, RtpCapabilities, RtpParameters, Source } from './media.ts';
import { Admission, ConsumerIds, ConsumerView, ProducerIds, RegionProbe, TileView } from './model.ts';

/** Grows when an old client could misread a message. */
export const PROTOCOL_VERSION = 4;

const Nothing = z.strictObject({});

export const REQUESTS = {
  /** Enter the Room that the token names. Answered `waiting` while a host must admit. */
  join: {
    body: z.strictObject({
      version: z.literal(PROTOCOL_VERSION),
      token: z.string().min(1).max(8192),
      /** Ed25519 public key of the MLS leaf, base64url. */
      leafKey: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
      /** The device's key, and its statement that this leaf key is its own (packages/e2ee, identity). */
      device: bytes(DEVICE_PROOF_MAX),
      /** Where the token's issuer has an Authentication Service of its own: its bundle for this device. */
      bundle: bytes(BUNDLE_MAX).optional(),
      /** Round-trip times that the client measured, best first is not required. */
      probes: z.array(RegionProbe).max(64),
      /** Development policy only: go to this region whatever was measured. */
      region: RegionId.optional(),
      /** The client understands `{re, queued}`, and is told its place while it waits in line. */
      queue: z.literal(true).optional(),
    }),
    result: z.discriminatedUnion('status', [
      z.strictObject({ status: z.literal('admitted'), admission: Admission }),
      z.strictObject({ status: z.literal('waiting') }),
    ]),
  },
  /**
   * Instead of `join`, on the next socket of a Peer that is in the Room: at any process, by the same device. Events go on after
   * `seq`, the last one that came. Then the requests without an answer are sent again, under the ids that they had.
   */
  resume: {
    body: z.strictObject({
      version: z.literal(PROTOCOL_VERSION),
      roomId: RoomId,
      peerId: PeerId,
      seq: z.number().int().nonnegative(),
    }),
    result: Nothing,
  },
  /** While waiting: what the host sees of this person. */
  knock: { body: z.strictObject({ name: z.string().min(1).max(64) }), result: Nothing },
  connectTransport: {
    body: z.strictObject({ transportId: TransportId, dtlsParameters: DtlsParameters }),
    result: Nothing,
  },
  /** STUN and TURN servers near this Peer's place, with credentials that begin now. */
  iceServers: { body: Nothing, result: IceServerList },
  restartIce: {
    body: z.strictObject({ transportId: TransportId }),
    result: z.strictObject({ iceParameters: z.record(z.string().max(64), z.json()) }),
  },
  produce: {
    body: z.strictObject({ kind: MediaKind, source: Source, rtpParameters: RtpParameters, paused: z.boolean() }),
    result: z.strictObject({ producerId: ProducerId }),
  },
  closeProducer: { body: z.strictObject({ producerId: ProducerId }), result: Nothing },
  pauseProducer: { body: z.strictObject({ producerId: ProducerId }), result: Nothing },
  resumeProducer: { body: z.strictObject({ producerId: ProducerId }), result: Nothing },
  /** Consumers start paused; resume each once its transform is set. What is gone meanwhile is left out. */
  consume: {
    body: z.strictObject({ producerIds: ProducerIds, rtpCapabilities: RtpCapabilities }),
    result: z.strictObject({ consumers: z.array(ConsumerView).max(BATCH_MAX) }),
  },
  resumeConsumers: { body: z.strictObject({ consumerIds: ConsumerIds }), result: Nothing },
  closeConsumers: { body: z.strictObject({ consumerIds: ConsumerIds }), result: Nothing },
  /** Asks the publisher for a key frame of each, after a change of keys or a decoder error. */
  requestKeyFrames: { body: z.strictObject({ consumerIds: ConsumerIds }), result: Nothing },
  /** The whole picture of what this Peer shows; replaces the last one. */
  showTiles: { body: z.strictObject({ tiles: z.array(TileView).max(BATCH_MAX) }), result: Nothing },
  /** A Commit for `epoch`, with the GroupInfo of the Epoch it makes. The first valid one of an Epoch wins. */
  groupCommit: {
    body: z.strictObject({
      epoch: Epoch,
      /** Set when this is an entry by ticket: `create` has no Commit, `join` is an external Commit. */
      ticket: z.number().int().nonnegative().optional(),
      commit: bytes(COMMIT_MAX).optional(),
      groupInfo: bytes(GROUP_INFO_MAX),
      /** The Peers that this Commit removes. */
      removes: z.array(PeerId).max(PEERS_MAX),
      /** The Peers that it lets in, and their Welcome: both or neither. */
      adds: z.array(PeerId).max(ADMITTED_MAX).default([]),
      welcome: bytes(WELCOME_MAX).optional(),
    }),
    result: z.strictObject({ epoch: Epoch }),
  },
  /** After `groupOffer`: a KeyPackage of ours. Not used when our turn has come by then. */
  groupOffer: { body: z.strictObject({ keyPackage: bytes(KEY_PACKAGE_MAX) }), result: Nothing },
  /** This Peer lost its place in the group (missed or could not apply a Commit) and wants a ticket to re-join. */
  groupRejoin: { body: Nothing, result: Nothing },
  /** A sealed application message for everybody in the Room. */
  groupMessage: { body: z.strictObject({ epoch: Epoch, sealed: bytes(SEALED_MAX) }), result: Nothing },
  /** What shows who these Peers are. Those that have gone are left out. */
  attestations: {
    body: z.strictObject({ peers: z.array(PeerId).min(1).max(ATTESTATIONS_MAX) }),
    result: z.strictObject({
      /** The one head that all of them are in the log of. */
      head: bytes(LOG_HEAD_MAX),
      attestations: z
        .array(z.strictObject({ peerId: PeerId, attestation: bytes(ATTESTATION_MAX) }))
        .max(ATTESTATIONS_MAX),
    }),
  },
  /** After `moving`: nothing is needed of the old place any more. */
  moved: { body: Nothing, result: Nothing },
  setLocked: { body: z.strictObject({ locked: z.boolean() }), result: Nothing },
  admit: { body: z.strictObject({ peerId: PeerId }), result: Nothing },
  deny: { body: z.strictObject({ peerId: PeerId }), result: Nothing },
  kick: { body: z.strictObject({ peerId: PeerId }), result: Nothing },
  leave: { body: Nothing, result: Nothing },
} as const;

export type RequestName = keyof typeof REQUESTS;
export type RequestBody<N extends RequestName> = z.output<(typeof REQUESTS)[N]['body']>;
/** What a sender writes: bytes may be either form. */
export type RequestInput<N extends RequestName> = z.input<(typeof REQUESTS)[N]['body']>;
export type RequestResult<N extends RequestName> = z.output<(typeof REQUESTS)[N]['result']>;

export function isRequestName(name: string): name is RequestName {
  return Object.hasOwn(REQUESTS, name);
}

/** The envelope, checked before the body. */
export const RequestEnvelope = z.strictObject({
  id: z.number().int().positive(),
  name: z.string().max(32),
  body: z.unknown(),
});
export type RequestEnvelope = z.infer<typeof RequestEnvelope>;
