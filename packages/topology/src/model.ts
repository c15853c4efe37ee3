/**
 * The cascade as values: the View of the cluster, the Demand of a Room, the Plan that serves it, and what is observed.
 * Pure: no I/O, no clock of its own.
 */
import type {
  MediaKind,
  NodeId,
  PeerId,
  PipeId,
  ProducerId,
  RegionId,
  Role,
  RoomId,
  WorkerId,
} from '@veilcast/protocol';

export interface WorkerView {
  readonly workerId: WorkerId;
  readonly nodeId: NodeId;
  readonly region: RegionId;
  /** Share of a core in use, 0 to 1. */
  readonly cpu: number;
  /** Streams (Producers and Consumers) that it carries now. */
  readonly streams: number;
  /** Streams promised to Peers who were placed and are not counted in `streams` yet. */
  readonly reserved: number;
  /** Streams that it may carry. */
  readonly capacity: number;
}

export interface NodeView {
  readonly nodeId: NodeId;
  readonly incarnation: string;
  readonly region: RegionId;
  /** Of its software; missing: it did not say. */
  readonly version?: string | undefined;
  readonly state: 'healthy' | 'draining' | 'suspect' | 'gone';
  readonly workers: readonly WorkerView[];
}

export interface View {
  readonly nodes: readonly NodeView[];
  /** Measured round trip between two regions, ms; `from>to`. Missing: unknown. */
  readonly rttMs: ReadonlyMap<string, number>;
  /** Measured between two Nodes; `from>to`. Missing: as between their regions. */
  readonly paths?: ReadonlyMap<string, Path> | undefined;
}

export interface Path {
  readonly rttMs: number;
  /** Share of packets lost, 0 to 1. */
  readonly lossRatio: number;
}

export interface Demand {
  readonly roomId: RoomId;
  readonly peers: readonly { readonly peerId: PeerId; readonly workerId: WorkerId; readonly role: Role }[];
  readonly producers: readonly {
    readonly producerId: ProducerId;
    readonly workerId: WorkerId;
    readonly kind: MediaKind;
  }[];
  /** Which Producers have at least one Consumer on which Worker. */
  readonly wants: readonly Want[];
}

export interface Want {
  readonly producerId: ProducerId;
  readonly workerId: WorkerId;
  /** All its Consumers there are paused: it must be there, but nothing of it need come. */
  readonly idle?: boolean;
}

export interface Policy {
  /** Most Pipes out of one Router. */
  readonly fanOutMax: number;
  /** Most Pipes between a publisher's Router and a viewer's. */
  readonly depthMax: number;
  /** How long a Producer stays on a Pipe after its last Consumer below went, ms. Longer: bytes for nobody. Shorter: a tab switch re-opens it. */
  readonly lingerMs: number;
  /** Which regions may a Room use; empty: all. */
  readonly regions: readonly RegionId[];
  /** What sending out of a region costs, as the delay that one would rather bear, ms. Missing: nothing. */
  readonly egressMs?: Readonly<Record<string, number>> | undefined;
  /** Peers of one Room on a Worker before its next ones go to another. Missing: ROOM_PEERS_MAX. */
  readonly roomPeersMax?: number | undefined;
}

export type RouterRole = 'origin' | 'relay' | 'edge';

export interface PlannedPipe {
  readonly pipeId: PipeId;
  readonly from: WorkerId;
  readonly to: WorkerId;
  /** What travels on it. */
  readonly producerIds: readonly ProducerId[];
  /** Of these, what nobody below looks at. */
  readonly idle: readonly ProducerId[];
}

/** The desired Routers and Pipes of one Room. For every Producer its Pipes form a tree rooted at its Worker. */
export interface Plan {
  readonly roomId: RoomId;
  readonly routers: readonly { readonly workerId: WorkerId; readonly role: RouterRole }[];
  readonly pipes: readonly PlannedPipe[];
}

/** What the Nodes report of one Room. An end is one half of a Pipe. */
export interface Observed {
  readonly routers: readonly { readonly workerId: WorkerId; readonly producerIds: readonly ProducerId[] }[];
  readonly ends: readonly ObservedEnd[];
}

export interface ObservedEnd {
  readonly pipeId: PipeId;
  readonly workerId: WorkerId;
  readonly connected: boolean;
  readonly sends: readonly ProducerId[];
  readonly receives: readonly ProducerId[];
  /** Of `sends`: nothing of it goes in. */
  readonly paused: readonly ProducerId[];
}

/**
 * One act that brings observed nearer to the Plan. Each is idempotent. Steps of one diff that share no Pipe may run side
 * by side; those of one Pipe in the order given.
 */
export type Step =
  | { readonly kind: 'openPipe'; readonly pipeId: PipeId; readonly from: WorkerId; readonly to: WorkerId }
  /** Both ends: consume upstream, produce downstream. Needs the Producer on `from`. */
  | {
      readonly kind: 'carry';
      readonly pipeId: PipeId;
      readonly from: WorkerId;
      readonly to: WorkerId;
      readonly producerId: ProducerId;
    }
  /** The upstream end: what nobody below looks at is kept back, and let in again. */
  | {
      readonly kind: 'pauseCarry';
      readonly pipeId: PipeId;
      readonly workerId: WorkerId;
      readonly producerId: ProducerId;
      readonly paused: boolean;
    }
  | {
      readonly kind: 'stopCarry';
      readonly pipeId: PipeId;
      readonly workerId: WorkerId;
      readonly producerId: ProducerId;
    }
  | { readonly kind: 'closePipe'; readonly pipeId: PipeId; readonly workerId: WorkerId };
