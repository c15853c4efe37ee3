/** What the operator page is told once a second, on the socket.io namespace `/operator`, event `picture`. */
import { z } from 'zod';
import { Answer } from './events.ts';
import { NodeId } from './ids.ts';

export const OPERATOR_NAMESPACE = '/operator';

/** What the page may ask there, as event `drain` with an acknowledgement: empty this Node, then end it. */
export const DrainNode = z.strictObject({ nodeId: NodeId });
/** The acknowledgement. */
export const OperatorAnswer = Answer;

const count = z.number().int().nonnegative();

export const WorkerPicture = z.strictObject({
  workerId: z.string(),
  /** Share of one core, 0 to 1. */
  cpu: z.number().nonnegative(),
  routers: count,
  transports: count,
  producers: count,
  consumers: count,
  /** Capacity taken by placed Peers, 0 to 1. */
  reserved: z.number().nonnegative(),
});

export const NodePicture = z.strictObject({
  nodeId: z.string(),
  region: z.string(),
  state: z.enum(['healthy', 'draining', 'suspect', 'gone']),
  incarnation: z.string(),
  upSince: count,
  workers: z.array(WorkerPicture),
});

export const PipePicture = z.strictObject({
  pipeId: z.string(),
  roomId: z.string(),
  fromNode: z.string(),
  toNode: z.string(),
  fromWorker: z.string(),
  toWorker: z.string(),
  producers: count,
  packetsPerSecond: z.number().nonnegative(),
  bitsPerSecond: z.number().nonnegative(),
  /** Null until the far end has sent a first receiver report. */
  rttMs: z.number().nonnegative().nullable(),
  lossRatio: z.number().min(0).max(1),
});

/** Lines of a Plan that are shown. */
export const PLAN_LINES_MAX = 200;

export const RoomPicture = z.strictObject({
  roomId: z.string(),
  term: count,
  planTerm: count,
  peers: count,
  waiting: count,
  epoch: count,
  members: count,
  locked: z.boolean(),
  regions: z.array(z.string()),
  routers: z.array(
    z.strictObject({ workerId: z.string(), nodeId: z.string(), role: z.enum(['origin', 'relay', 'edge']) }),
  ),
  /** The Plan in words, a line a Router and a line a Pipe. */
  plan: z.array(z.string().max(300)).max(PLAN_LINES_MAX),
});

export const Picture = z.strictObject({
  at: count,
  cluster: z.string(),
  state: z.enum(['ready', 'degraded', 'down']),
  nodes: z.array(NodePicture),
  rooms: z.array(RoomPicture),
  pipes: z.array(PipePicture),
  signaling: z.array(z.strictObject({ processId: z.string(), sockets: count, rooms: count })),
});
export type Picture = z.infer<typeof Picture>;
export type NodePicture = z.infer<typeof NodePicture>;
export type WorkerPicture = z.infer<typeof WorkerPicture>;
export type PipePicture = z.infer<typeof PipePicture>;
export type RoomPicture = z.infer<typeof RoomPicture>;

/** What one cascade-router knows of the Picture: every Node and Pipe, and the Rooms whose Plans it owns. */
export const CascadePicture = z.strictObject({
  nodes: z.array(NodePicture),
  pipes: z.array(PipePicture),
  rooms: z.array(RoomPicture.pick({ roomId: true, planTerm: true, regions: true, routers: true, plan: true })),
});
export type CascadePicture = z.infer<typeof CascadePicture>;
