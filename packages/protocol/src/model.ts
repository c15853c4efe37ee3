/** The things that messages speak of: Peers, Producers, Consumers, the admission to a Room. */
import { z } from 'zod';
import { ConsumerId, Epoch, NodeId, ParticipantId, PeerId, ProducerId, RegionId, RoomId } from './ids.ts';
import { ATTESTATION_MAX, BATCH_MAX, LOBBY_MAX, LOG_HEAD_MAX, PEERS_MAX, PRODUCERS_MAX } from './limits.ts';
import { bytes, IceServerList, MediaKind, RtpCapabilities, RtpParameters, Source, TransportOptions } from './media.ts';

export const Role = z.enum(['host', 'speaker', 'viewer']);
export type Role = z.infer<typeof Role>;

/** Whether calls between two may go directly (ADR 0034): never, where the links of both ask for it, or wherever nobody forbids it. */
export const PeerToPeer = z.enum(['off', 'asked', 'on']);
export type PeerToPeer = z.infer<typeof PeerToPeer>;

export const ProducerView = z.strictObject({
  producerId: ProducerId,
  peerId: PeerId,
  kind: MediaKind,
  source: Source,
  paused: z.boolean(),
  /** The same media by the way it came before: show this one once it comes, and close that one. */
  replaces: ProducerId.optional(),
});
export type ProducerView = z.infer<typeof ProducerView>;

/** A Peer as every other Peer sees it. Names are not here: they travel sealed (DESIGN §5, Data). */
export const PeerView = z.strictObject({
  peerId: PeerId,
  participantId: ParticipantId,
  role: Role,
  region: RegionId,
  nodeId: NodeId,
  producers: z.array(ProducerView).max(PRODUCERS_MAX),
});
export type PeerView = z.infer<typeof PeerView>;

/** What shows whose device a Peer is, and the signed head of the log that it is in. Opaque here: packages/e2ee checks it. */
export const Attested = z.strictObject({ attestation: bytes(ATTESTATION_MAX), head: bytes(LOG_HEAD_MAX) });
export type Attested = z.output<typeof Attested>;

/** Where a Peer's media goes, and all that it needs to get there. */
export const Place = z.strictObject({
  region: RegionId,
  nodeId: NodeId,
  routerRtpCapabilities: RtpCapabilities,
  sendTransport: TransportOptions,
  recvTransport: TransportOptions,
});
export type Place = z.output<typeof Place>;

/** Everything a Peer needs to take part, in one message, so that a join costs one round trip. */
export const Admission = z.strictObject({
  roomId: RoomId,
  peerId: PeerId,
  participantId: ParticipantId,
  role: Role,
  locked: z.boolean(),
  /** The cluster's policy; `off` where it says nothing. */
  peerToPeer: PeerToPeer.optional(),
  /** Compact JWS over the Peer's leaf key, made by the Authentication Service; goes into the MLS credential. */
  credential: z.string().max(2048),
  /** Of this Peer, as the others will be shown it. */
  attested: Attested,
  /** Missing: this cluster has no TURN server. */
  ice: IceServerList.optional(),
  ...Place.shape,
  peers: z.array(PeerView).max(PEERS_MAX),
});
export type Admission = z.output<typeof Admission>;

export const ConsumerView = z.strictObject({
  consumerId: ConsumerId,
  producerId: ProducerId,
  peerId: PeerId,
  kind: MediaKind,
  type: z.enum(['simple', 'simulcast', 'svc', 'pipe']),
  rtpParameters: RtpParameters,
  producerPaused: z.boolean(),
  /** The Nodes that the media crosses, the publisher's first. */
  path: z.array(NodeId).max(16),
});
export type ConsumerView = z.infer<typeof ConsumerView>;

/** How one Producer is shown: CSS pixels times device pixel ratio. Not visible: no video is sent. */
export const TileView = z.strictObject({
  producerId: ProducerId,
  width: z.number().int().nonnegative().max(8192),
  height: z.number().int().nonnegative().max(8192),
  visible: z.boolean(),
  /** Kept in view by the person: it is forwarded however full the Room is. Of a microphone: it is heard. */
  pinned: z.boolean().optional(),
});
export type TileView = z.infer<typeof TileView>;

/** Somebody at the door. The name is what they typed for the host to see; it is not sealed, since they have no key yet. */
export const Knock = z.strictObject({ peerId: PeerId, participantId: ParticipantId, name: z.string().max(64) });
export type Knock = z.infer<typeof Knock>;
export const Lobby = z.array(Knock).max(LOBBY_MAX);

export const RegionProbe = z.strictObject({ region: RegionId, rttMs: z.number().nonnegative().max(60_000) });
export type RegionProbe = z.infer<typeof RegionProbe>;

/** The turn to enter the MLS group: make it, or join it by external Commit on this GroupInfo. */
export const GroupTicket = z.strictObject({
  /** Names the turn; the Commit quotes it. */
  ticket: z.number().int().nonnegative(),
  epoch: Epoch,
});
export type GroupTicket = z.infer<typeof GroupTicket>;

export const ProducerIds = z.array(ProducerId).min(1).max(BATCH_MAX);
export const ConsumerIds = z.array(ConsumerId).min(1).max(BATCH_MAX);
