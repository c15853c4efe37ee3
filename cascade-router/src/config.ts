/** What a cascade-router is told at start: who it is, where it listens, and the policy of its Plans. Anything unknown is refused. */
import { RegionId } from '@veilcast/protocol';
import { ROOM_PEERS_MAX } from '@veilcast/topology';
import { z } from 'zod';

const ms = z.number().int().min(1).max(3_600_000);

const PlanPolicy = z.strictObject({
  fanOutMax: z
    .number()
    .int()
    .min(2)
    .max(256)
    .default(8)
    .describe('Most Pipes out of one Router. More: hotter Workers. Fewer: deeper trees.'),
  depthMax: z.number().int().min(1).max(16).default(4).describe('Most Pipes between a publisher and a viewer.'),
  lingerMs: z.number().int().min(0).max(600_000).default(5_000).describe('How long a Pipe outlives its last Consumer.'),
  roomPeersMax: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(ROOM_PEERS_MAX)
    .describe(
      'Peers of one Room on a Worker before the next core is taken. More: slower key frames. Fewer: more Pipes.',
    ),
  regions: z.array(RegionId).max(64).default([]).describe('Regions that Rooms may use; none: all.'),
  egressMs: z
    .record(RegionId, z.number().min(0).max(10_000))
    .default({})
    .describe('What a stream out of a region costs, as the delay that one would rather bear.'),
});

export const CascadeConfig = z.strictObject({
  processId: z.string().min(1).max(64).describe('Stable id of this process, the same after a restart.'),
  address: z.string().min(1).max(256).describe('Where it listens for control, in the words of the Carrier.'),
  policy: PlanPolicy.prefault({}),
  workerStreams: z.number().int().min(1).max(100_000).default(2_000).describe('Streams that one Worker may carry.'),
  leaseTtlMs: ms.default(1_500).describe('How long a Plan stays with a process that is gone.'),
  demandTtlMs: ms.default(30_000).describe('How long a Room without Peers is kept when nobody repeats its demand.'),
  settleMs: ms
    .default(2_000)
    .describe('How long after the start unknown Nodes are waited for before anything is closed.'),
  suspectMs: ms.default(2_500).describe('Without a report for this long a Node gets nothing new.'),
  goneMs: ms.default(4_000).describe('Without a report for this long a Node is planned around.'),
  lostMs: ms.default(50).describe('A Node that was judged to be gone is planned around after this long.'),
  probeEveryMs: ms.default(30_000).describe('How often Nodes are told anew whom to measure.'),
  restructureMs: ms
    .default(30_000)
    .describe('For how long another tree must be better before media moves to it. Shorter: trees follow the weather.'),
  stepDeadlineMs: ms.default(2_000).describe('How long one step on a Node may take.'),
  roomsMax: z.number().int().min(1).max(100_000).default(10_000).describe('Rooms whose Plans this process may own.'),
});
/** As checked, with the defaults filled in. */
export type CascadeConfig = z.output<typeof CascadeConfig>;
/** As written. */
export type CascadeConfigInput = z.input<typeof CascadeConfig>;
