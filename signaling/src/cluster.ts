/**
 * The other processes as signaling sees them: a Channel to each Node and each cascade-router, found through the
 * Directory, and this process's own registration there. What nobody may call yet is refused (forwarding between
 * signaling processes comes with the cluster).
 */
import {
  acceptChannels,
  isHeardBy,
  openNeighbours,
  witnessed,
  type Channel,
  type ChannelOptions,
  type EventKind,
  type Neighbours,
} from '@veilcast/control';
import { register, type ServiceContext } from '@veilcast/node-kit';
import { ClusterError } from '@veilcast/protocol';

/** What a Room may reach. */
export interface Cluster {
  node(nodeId: string): Channel | undefined;
  /** Ids of those that can be reached now. */
  nodeIds(): readonly string[];
  /** In a stable order. */
  cascadeRouters(): readonly Channel[];
}

export interface RegionEntry {
  readonly region: string;
  readonly probeUrl: string;
}

export interface OpenCluster extends Cluster {
  regions(): readonly RegionEntry[];
  ready(): boolean;
  close(): Promise<void>;
}

interface ClusterListener {
  nodeEvent(nodeId: string, event: EventKind): void;
  nodeGone(nodeId: string): void;
}

export interface ClusterOptions {
  readonly context: ServiceContext;
  readonly processId: string;
  readonly incarnation: string;
  readonly address: string;
  readonly listener: ClusterListener;
  readonly report: (error: unknown) => void;
}

export async function openCluster(options: ClusterOptions): Promise<OpenCluster> {
  const { context, processId, incarnation, address, listener, report } = options;
  const { clock, random, carrier, coordination } = context;
  const channel: ChannelOptions = {
    hello: { kind: 'signaling', processId, incarnation },
    serve: async ({ call }) => {
      if (call.case === 'witness') return witnessed(nodes.silentMs.bind(nodes), call.value);
      throw new ClusterError('UNSUPPORTED', 'signaling is not called');
    },
    clock,
    report,
  };
  const accepting = await acceptChannels({ ...channel, carrier, address });
  const shared = { ...channel, carrier, clock, random, directory: coordination.directory };
  const routers = openNeighbours({ ...shared, kind: 'cascade-router' });
  const nodes: Neighbours = openNeighbours({
    ...shared,
    kind: 'sfu-node',
    isHeardElsewhere: (nodeId, life) => isHeardBy(inOrder(routers), nodeId, life),
  });
  nodes.onCome(({ registration, channel }) => {
    channel.onEvent((event) => listener.nodeEvent(registration.processId, event));
  });
  nodes.onGo(({ registration }, verdict) => {
    context.log.info({ node: registration.processId, verdict }, 'a node has gone');
    listener.nodeGone(registration.processId);
  });

  const registered = await register(context, { kind: 'signaling', processId, incarnation, address });
  return {
    node: (nodeId) => nodes.get(nodeId)?.channel,
    nodeIds: () => nodes.all().map(({ registration }) => registration.processId),
    cascadeRouters: () => inOrder(routers),
    regions: () => regionsOf(nodes),
    ready: () => nodes.all().length > 0 && routers.all().length > 0,
    close: async () => {
      nodes.close();
      routers.close();
      await Promise.all([registered.close(), accepting.close()]);
    },
  };
}

function inOrder(neighbours: Neighbours): readonly Channel[] {
  return [...neighbours.all()]
    .sort((a, b) => (a.registration.processId < b.registration.processId ? -1 : 1))
    .map(({ channel }) => channel);
}

/** Of the Nodes that can be asked now; one entry a region and place of measuring. */
function regionsOf(nodes: Neighbours): readonly RegionEntry[] {
  const entries = new Map<string, RegionEntry>();
  for (const { registration } of nodes.all()) {
    const { region, probeUrl } = registration;
    if (region !== undefined && probeUrl !== undefined) entries.set(`${region} ${probeUrl}`, { region, probeUrl });
  }
  return [...entries.values()].sort((a, b) => (a.region < b.region ? -1 : 1));
}
