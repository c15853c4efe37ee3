/**
 * The other processes as signaling sees them: a Channel to each Node, cascade-router and other signaling process, found through the
 * Directory, and this process's own registration there. Of two signaling processes each dials the other: over the Channel that it
 * dialled a process asks for its own sockets (ADR 0029). Nothing is called here; what is told is an event.
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
  /** Another signaling process, to ask what it owns. */
  signaling(processId: string): Channel | undefined;
  /** Whether this life of another signaling process is over for certain. */
  isDead(processId: string, incarnation: string): boolean;
  /** Where clients reach the other signaling processes that are there now. */
  publicUrls(): readonly string[];
  regions(): readonly RegionEntry[];
  ready(): boolean;
  close(): Promise<void>;
}

interface ClusterListener {
  nodeEvent(nodeId: string, event: EventKind): void;
  nodeGone(nodeId: string): void;
  /** Another signaling process may ask for its sockets over this Channel. */
  edgeCame(channel: Channel): void;
}

export interface ClusterOptions {
  readonly context: ServiceContext;
  readonly processId: string;
  readonly incarnation: string;
  readonly address: string;
  readonly publicUrl?: string | undefined;
  readonly listener: ClusterListener;
  readonly report: (error: unknown) => void;
}

export async function openCluster(options: ClusterOptions): Promise<OpenCluster> {
  const { context, processId, incarnation, address, publicUrl, listener, report } = options;
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
  const accepting = await acceptChannels({
    ...channel,
    carrier,
    address,
    onChannel: (accepted) => {
      if (accepted.remote.kind === 'signaling') listener.edgeCame(accepted);
    },
  });
  const shared = { ...channel, carrier, clock, random, directory: coordination.directory };
  const routers = openNeighbours({ ...shared, kind: 'cascade-router' });
  const nodes: Neighbours = openNeighbours({
    ...shared,
    kind: 'sfu-node',
    isHeardElsewhere: (nodeId, life) => isHeardBy(inOrder(routers), nodeId, life),
  });
  const others = openNeighbours({ ...shared, kind: 'signaling' });
  nodes.onCome(({ registration, channel }) => {
    channel.onEvent((event) => listener.nodeEvent(registration.processId, event));
  });
  nodes.onGo(({ registration }, verdict) => {
    context.log.info({ node: registration.processId, verdict }, 'a node has gone');
    listener.nodeGone(registration.processId);
  });

  const registered = await register(context, {
    kind: 'signaling',
    processId,
    incarnation,
    address,
    ...(publicUrl === undefined ? {} : { publicUrl }),
  });
  return {
    node: (nodeId) => nodes.get(nodeId)?.channel,
    nodeIds: () => nodes.all().map(({ registration }) => registration.processId),
    cascadeRouters: () => inOrder(routers),
    signaling: (other) => others.get(other)?.channel,
    isDead: (other, life) => others.isDead(other, life),
    publicUrls: () => others.all().flatMap(({ registration }) => registration.publicUrl ?? []),
    regions: () => regionsOf(nodes),
    ready: () => nodes.all().length > 0 && routers.all().length > 0,
    close: async () => {
      nodes.close();
      routers.close();
      others.close();
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
