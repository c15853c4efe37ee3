/** What a node is told at start: who it is, where it listens, how much it may carry. Anything unknown is refused. */
import { NodeId, RegionId } from '@veilcast/protocol';
import { z } from 'zod';

/** Binding all addresses names none. */
export const UNSPECIFIED = new Set(['0.0.0.0', '::']);

const port = z.number().int().min(0).max(65_535);

export const NodeConfig = z.strictObject({
  nodeId: NodeId.describe('Stable id of this node, the same after a restart.'),
  region: RegionId.describe('Where it stands.'),
  address: z.string().min(1).max(256).describe('Where it listens for control, in the words of the Carrier.'),
  workers: z.number().int().min(1).max(256).default(1).describe('mediasoup workers to run: one a core.'),
  media: z
    .strictObject({
      ip: z.union([z.ipv4(), z.ipv6()]).describe('Address that media sockets bind.'),
      announcedAddress: z.string().min(1).max(253).optional().describe('What clients are told instead of `ip`.'),
      ipv6: z.ipv6().optional().describe('Another address that media sockets bind, for clients of IPv6 alone.'),
      udpPort: port.default(0).describe('First UDP port; worker n takes the n-th after it. 0: any free one.'),
      tcpPort: port.default(0).describe('First TCP port, likewise.'),
      pipeIp: z.union([z.ipv4(), z.ipv6()]).optional().describe('What other nodes send pipes to, if not `ip`.'),
      pipePorts: z
        .strictObject({ min: port.min(1), max: port.min(1) })
        .refine((range) => range.min <= range.max, { message: 'min is above max' })
        .optional()
        .describe('UDP ports for pipes, one a pipe end. Unset: any.'),
      initialOutgoingBitrate: z
        .number()
        .int()
        .min(30_000)
        .max(100_000_000)
        .default(1_000_000)
        .describe('Bits a second assumed towards a new Peer until measured.'),
    })
    .refine(({ ip, announcedAddress }) => !UNSPECIFIED.has(ip) || announcedAddress !== undefined, {
      message: 'clients cannot send to an unspecified address: set announcedAddress',
      path: ['announcedAddress'],
    }),
  capacity: z
    .strictObject({
      peers: z.number().int().min(1).max(10_000).default(500).describe('Peers on one worker.'),
      pipes: z.number().int().min(1).max(10_000).default(500).describe('Pipe ends on one worker.'),
    })
    .prefault({}),
  version: z.string().min(1).max(64).optional().describe('Of the software, as the planner sees it; unset: not said.'),
  probes: z
    .strictObject({
      enabled: z.boolean().default(true).describe('Measure other nodes, and answer them.'),
      port: port.default(0).describe('UDP port on the address of pipes. 0: any free one.'),
    })
    .prefault({}),
  drain: z
    .strictObject({
      peersPerSecond: z
        .number()
        .min(0.1)
        .max(1_000)
        .default(20)
        .describe('How fast Peers are moved away. Faster: a burst of key frames and joins elsewhere.'),
      deadlineMs: z
        .number()
        .int()
        .min(0)
        .max(3_600_000)
        .default(120_000)
        .describe('A node that drains ends by then, whoever is still on it.'),
    })
    .prefault({}),
  probeUrl: z.string().max(512).optional().describe('What clients measure the round trip with: answers 204.'),
});
/** As checked, with the defaults filled in. */
export type NodeConfig = z.output<typeof NodeConfig>;
/** As written. */
export type NodeConfigInput = z.input<typeof NodeConfig>;
