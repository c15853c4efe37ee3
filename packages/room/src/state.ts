/**
 * The Room as a value: who is in it, who waits, what they produce and consume, whether it is locked.
 *
 * Pure: no I/O, no clock of its own, no logger. `reduce` never throws: what does not apply returns the same state and,
 * where somebody asked, a refusal. Effects are carried out by signaling, which stamps each with the Room's Term (ADR 0004).
 */
import type {
  ConsumerId,
  ErrorCode,
  EventBody,
  EventName,
  MediaKind,
  NodeId,
  ParticipantId,
  PeerId,
  ProducerId,
  RegionId,
  Role,
  RoomId,
  Source,
  TileView,
  WorkerId,
} from '@veilcast/protocol';
import type { Heard, Voices } from './voices.ts';

export interface Producer {
  readonly producerId: ProducerId;
  readonly kind: MediaKind;
  readonly source: Source;
  readonly paused: boolean;
  /** Where it was made. */
  readonly placement: Placement;
  /** The same media, still sent from where its Peer was before: whoever watches that one goes over to this one. */
  readonly replaces?: ProducerId;
}

export interface Consumer {
  readonly consumerId: ConsumerId;
  readonly producerId: ProducerId;
  readonly kind: MediaKind;
  /** Spatial layers that the Producer sends; 1 where it has one only. */
  readonly spatialLayers: number;
  /** The Peer has set its transform and wants media. */
  readonly started: boolean;
  /** What the server last asked the Node for. */
  readonly paused: boolean;
  readonly spatial: number;
  /** It would run, but the Room has more than is forwarded at a time. */
  readonly held: boolean;
  /** Where it was made. */
  readonly placement: Placement;
}

export interface Placement {
  readonly nodeId: NodeId;
  readonly workerId: WorkerId;
  readonly region: RegionId;
}

export interface Former {
  readonly placement: Placement;
  /** The Peer itself needs nothing there any more; those who watch it may. */
  readonly done: boolean;
}

export interface Peer {
  readonly peerId: PeerId;
  readonly participantId: ParticipantId;
  readonly role: Role;
  /** waiting: in the lobby; placing: admitted, its transports are being made; joined: everybody knows it. */
  readonly status: 'waiting' | 'placing' | 'joined';
  readonly knock?: string;
  readonly placement?: Placement;
  /** Its Node or Worker is gone, and it is being given another place: it is in the Room and has no media. */
  readonly displaced: boolean;
  /** Where it was until it was moved: what it has there goes on while the same is made anew (ADR 0031). */
  readonly former?: Former;
  readonly producers: ReadonlyMap<ProducerId, Producer>;
  readonly consumers: ReadonlyMap<ConsumerId, Consumer>;
  /** Producers whose Consumers are being made for it: they count as wanted already, so that their media comes. */
  readonly asked: ReadonlySet<ProducerId>;
  /** What it last said of each Producer; a Producer that it has not spoken of yet is not in here. */
  readonly tiles: ReadonlyMap<ProducerId, TileView>;
}

export interface RoomState {
  readonly roomId: RoomId;
  readonly locked: boolean;
  /** In the order of arrival. */
  readonly peers: ReadonlyMap<PeerId, Peer>;
  /** Who was kicked, oldest first; they come back through the lobby only. At most REMOVED_MAX. */
  readonly removed: readonly ParticipantId[];
  /** Who was inside and lost their connection, oldest first; a lock does not keep them out. At most LOST_MAX. */
  readonly lost: readonly ParticipantId[];
  readonly voices: Voices;
  /** Nodes that were asked to measure voices. */
  readonly listening: ReadonlyMap<NodeId, Placement>;
  /** The only regions that it may be in, as the token said that opened it; none: anywhere. */
  readonly regions: readonly RegionId[];
  readonly policy: RoomPolicy;
}

export interface RoomPolicy {
  readonly peersMax: number;
  readonly producersMax: number;
  /** Development and ad-hoc Rooms: whoever enters an empty Room is its host. */
  readonly firstIsHost: boolean;
  /** Voices forwarded at a time where more than `voicesFrom` microphones are open; below it all are. */
  readonly voicesMax: number;
  readonly voicesFrom: number;
  /** Cameras that one Peer gets at a time: those it pinned, then of who spoke last. */
  readonly camerasMax: number;
}

/** What happened. Events that somebody asked for carry their `peerId` and may be refused. */
export type RoomEvent =
  | {
      readonly kind: 'arrive';
      readonly peerId: PeerId;
      readonly participantId: ParticipantId;
      readonly role: Role;
      /** The only regions that the Room may be in, as its token says, in order. */
      readonly regions?: readonly RegionId[];
    }
  | { readonly kind: 'knock'; readonly peerId: PeerId; readonly name: string }
  | { readonly kind: 'admit' | 'deny' | 'kick'; readonly peerId: PeerId; readonly target: PeerId }
  | { readonly kind: 'setLocked'; readonly peerId: PeerId; readonly locked: boolean }
  /** Its transports exist: now it is in the Room, or has media again. */
  | { readonly kind: 'placed'; readonly peerId: PeerId; readonly placement: Placement }
  /** Its transports exist on another Node too: from now on that one is where it is. */
  | { readonly kind: 'move'; readonly peerId: PeerId; readonly placement: Placement }
  /** moved: it has all that it needs there; moveOver: what is left of it where it was is closed, whoever still needs it. */
  | { readonly kind: 'moved' | 'moveOver'; readonly peerId: PeerId }
  | { readonly kind: 'leave'; readonly peerId: PeerId }
  /** The Node or the Worker of a Peer is gone, and with it all that it sent and received; it stays in the Room. */
  | { readonly kind: 'displaced'; readonly peerId: PeerId }
  /** The socket or the transport of a Peer is gone. */
  | { readonly kind: 'lost'; readonly peerId: PeerId; readonly code: ErrorCode }
  | { readonly kind: 'produced'; readonly peerId: PeerId; readonly producer: Producer }
  | { readonly kind: 'closeProducer'; readonly peerId: PeerId; readonly producerId: ProducerId }
  | {
      readonly kind: 'pauseProducer';
      readonly peerId: PeerId;
      readonly producerId: ProducerId;
      readonly paused: boolean;
    }
  /** Before the Node is asked: the wants must stand, or the media never comes to that Router. */
  | { readonly kind: 'consume'; readonly peerId: PeerId; readonly producerIds: readonly ProducerId[] }
  /** The Node made it, paused, sending layer `spatial`. */
  | { readonly kind: 'consumed'; readonly peerId: PeerId; readonly consumer: Omit<Consumer, 'held'> }
  /** The Node did not make it. */
  /** `undecodable`: this Peer has no decoder for it. */
  | {
      readonly kind: 'consumeFailed';
      readonly peerId: PeerId;
      readonly producerId: ProducerId;
      readonly undecodable?: boolean;
    }
  | {
      readonly kind: 'resumeConsumers' | 'closeConsumers';
      readonly peerId: PeerId;
      readonly consumerIds: readonly ConsumerId[];
    }
  /** The Node closed it. */
  | { readonly kind: 'consumerGone'; readonly peerId: PeerId; readonly consumerId: ConsumerId }
  | { readonly kind: 'showTiles'; readonly peerId: PeerId; readonly tiles: readonly TileView[] }
  /** A Node measured voices; what is not in it was silent. */
  | { readonly kind: 'heard'; readonly voices: readonly Heard[] };

/** The event of one kind. */
export type EventOf<K extends RoomEvent['kind']> = Extract<RoomEvent, { readonly kind: K }>;

/** What the world must do. */
export type RoomEffect =
  | { readonly kind: 'place'; readonly peerId: PeerId }
  | { readonly kind: 'closePeer'; readonly peerId: PeerId; readonly placement: Placement }
  | { readonly kind: 'closeProducer'; readonly producerId: ProducerId; readonly placement: Placement }
  | {
      readonly kind: 'pauseProducer';
      readonly producerId: ProducerId;
      readonly paused: boolean;
      readonly placement: Placement;
    }
  | {
      readonly kind: 'pauseConsumers';
      readonly consumerIds: readonly ConsumerId[];
      readonly paused: boolean;
      readonly placement: Placement;
    }
  | { readonly kind: 'closeConsumers'; readonly consumerIds: readonly ConsumerId[]; readonly placement: Placement }
  | {
      readonly kind: 'setLayers';
      readonly consumerId: ConsumerId;
      readonly spatial: number;
      readonly placement: Placement;
    }
  /** The Node shall measure the voices of this Room, or need not any more. */
  | { readonly kind: 'listen'; readonly on: boolean; readonly placement: Placement }
  /** The cascade must know: Producers, Peers or wants changed. */
  | { readonly kind: 'putDemand' }
  /** MLS membership follows the Room: `enter` queues a ticket, `gone` starts a removal; at once when `urgent`. */
  | { readonly kind: 'groupEnter'; readonly peerId: PeerId }
  | { readonly kind: 'groupGone'; readonly peerId: PeerId; readonly urgent: boolean }
  | { readonly kind: 'tell'; readonly peerIds: readonly PeerId[]; readonly event: Told }
  /** Say goodbye with this code and drop the socket. */
  | { readonly kind: 'end'; readonly peerId: PeerId; readonly code: ErrorCode }
  /** Nobody is left: give everything of this Room back. */
  | { readonly kind: 'closeRoom' };

export type Told = { [N in EventName]: { readonly name: N; readonly body: EventBody<N> } }[EventName];

export interface Step {
  readonly state: RoomState;
  readonly effects: readonly RoomEffect[];
  /** Set when the event was asked for by a Peer and may not be. */
  readonly refusal?: ErrorCode;
}
