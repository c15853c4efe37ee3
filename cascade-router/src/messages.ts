/** The shapes of what signaling asks and Nodes report, checked before anything is done with them. Fields that are not known are dropped. */
import { MediaKind, NodeId, PeerId, PipeId, ProducerId, RegionId, Role, RoomId, WorkerId } from '@veilcast/protocol';
import { z } from 'zod';

/** Of one Room. Rooms of DESIGN §5's first size have a hundredth of it. */
const PEERS_MAX = 10_000;
const PRODUCERS_MAX = 10_000;
const WANTS_MAX = 200_000;
/** Of one Node. */
const WORKERS_MAX = 256;
const ROUTERS_MAX = 5_000;
const ENDS_MAX = 20_000;
const PATHS_MAX = 256;

/** Regions that a Room or a Peer may use. */
const regions = z.array(RegionId).max(64);

export const PlaceCall = z.object({
  peerId: PeerId,
  role: Role,
  probes: z.array(z.object({ region: RegionId, rttMs: z.number().nonnegative().max(60_000) })).max(64),
  region: z.union([z.literal('').transform(() => undefined), RegionId]),
  regions,
  avoid: z.union([z.literal('').transform(() => undefined), NodeId]),
});
export type PlaceCall = z.output<typeof PlaceCall>;

export const PutDemandCall = z.object({
  version: z.bigint().nonnegative(),
  peers: z.array(z.object({ peerId: PeerId, workerId: WorkerId, role: Role })).max(PEERS_MAX),
  producers: z.array(z.object({ producerId: ProducerId, workerId: WorkerId, kind: MediaKind })).max(PRODUCERS_MAX),
  wants: z.array(z.object({ producerId: ProducerId, workerId: WorkerId, idle: z.boolean() })).max(WANTS_MAX),
  regions,
});
export type PutDemandCall = z.output<typeof PutDemandCall>;

const producerIds = z.array(ProducerId).max(PRODUCERS_MAX);
const count = z.number().int().nonnegative();
const counter = z.bigint().nonnegative().transform(Number);

const WorkerReport = z.object({
  workerId: WorkerId,
  cpu: z.number().nonnegative(),
  transports: count,
  producers: count,
  consumers: count,
  routers: z.array(z.object({ roomId: RoomId, producerIds, peers: count })).max(ROUTERS_MAX),
});

const PipeReport = z.object({
  roomId: RoomId,
  pipeId: PipeId,
  workerId: WorkerId,
  connected: z.boolean(),
  sends: producerIds,
  receives: producerIds,
  paused: producerIds,
  packets: counter,
  bytes: counter,
  rttMs: z.number(),
  lossRatio: z.number(),
});
export type PipeReport = z.output<typeof PipeReport>;

export const NodeReport = z.object({
  nodeId: NodeId,
  incarnation: z.string().min(1).max(64),
  region: RegionId,
  upSince: counter,
  draining: z.boolean(),
  workers: z.array(WorkerReport).max(WORKERS_MAX),
  pipes: z.array(PipeReport).max(ENDS_MAX),
  version: z
    .string()
    .max(64)
    .transform((version) => (version === '' ? undefined : version)),
  probe: z
    .object({ ip: z.string().max(64), port: count, key: z.instanceof(Uint8Array).refine((key) => key.length <= 64) })
    .optional(),
  paths: z
    .array(
      z.object({
        nodeId: NodeId,
        rttMs: z.number().nonnegative().max(60_000),
        lossRatio: z.number().min(0).max(1),
      }),
    )
    .max(PATHS_MAX),
});
export type NodeReport = z.output<typeof NodeReport>;
