/**
 * Signaling without its sockets: the Channels to Nodes and cascade-routers, and the Rooms behind them. A socket is one way to
 * a Seat here; a simulation takes the same way without one.
 */
import { inspect } from '@veilcast/e2ee';
import type { ServiceContext } from '@veilcast/node-kit';
import type { RequestBody, RoomId } from '@veilcast/protocol';
import { Attachment } from './attachment.ts';
import type { Authority } from './authority.ts';
import { openCluster, type OpenCluster } from './cluster.ts';
import type { SignalingConfig } from './config.ts';
import type { InspectMessage } from './framing.ts';
import type { Entrant, Identities } from './identities.ts';
import { createMetrics, type SignalingMetrics } from './metrics.ts';
import { Owners } from './owners.ts';
import { Repeats } from './repeats.ts';
import { Rooms } from './rooms.ts';
import type { Comeback, PeerLink, Seat } from './seat.ts';
import { ServedEdge } from './served-edge.ts';
import { openTurnServers } from './turn/servers.ts';

export type { Authority } from './authority.ts';
export { nodeCipher } from './node-cipher.ts';
export { SignalingConfig } from './config.ts';
export type { Entrant, Identities } from './identities.ts';
export type { PeerLink, Seat, Shared } from './seat.ts';

export interface OpenRoomsOptions {
  readonly config: SignalingConfig;
  readonly context: ServiceContext;
  readonly authority: Authority;
  readonly identities: Identities;
  /** How a Commit's framing is read; packages/e2ee's where not given. */
  readonly inspect?: InspectMessage | undefined;
  /** How many sockets there are, for the metrics. */
  readonly sockets: () => number;
  /** Something was thrown that should not have been. */
  readonly bug: (error: unknown) => void;
}

export interface OpenRooms {
  readonly rooms: Rooms;
  /** Sits a socket down in its Room, whoever owns it. @throws ClusterError */
  sit(link: PeerLink, entrant: Entrant, body: RequestBody<'join'>): Promise<Seat>;
  /** The next socket of a Peer. @throws ClusterError NOT_JOINED */
  resume(link: PeerLink, roomId: RoomId, comeback: Comeback): Promise<Seat>;
  readonly cluster: OpenCluster;
  readonly metrics: SignalingMetrics;
  /** Gives all Rooms back; media goes on, and the Channels stay for last words. */
  closeRooms(): Promise<void>;
  close(): Promise<void>;
}

/** Registers this process and connects to all others. */
export async function openRooms(options: OpenRoomsOptions): Promise<OpenRooms> {
  const { config, context, authority, identities, sockets, bug } = options;
  const { clock, random, coordination, log } = context;
  const metrics = createMetrics(context.metrics, {
    sockets,
    rooms: () => rooms.size,
    peers: () => rooms.all.reduce((sum, room) => sum + room.state.peers.size, 0),
  });
  const channelReports = (error: unknown): void => log.warn({ err: error }, 'a channel reports');
  // A life of its own: what hung on the last one must not be taken for this one's.
  const incarnation = random.id('inc');
  const cluster = await openCluster({
    context,
    processId: config.processId,
    incarnation,
    address: config.address,
    publicUrl: config.publicUrl,
    listener: {
      nodeEvent: (nodeId, event) => rooms.nodeEvent(nodeId, event),
      nodeGone: (nodeId) => rooms.nodeGone(nodeId),
      edgeCame: (channel) =>
        void new ServedEdge({
          channel,
          ownerOf: (roomId, isKnown) => rooms.ownerOf(roomId, isKnown),
          report: channelReports,
        }),
    },
    report: channelReports,
  });
  const turn = await openTurnServers({
    ...config.turn,
    clock,
    directory: coordination.directory,
    report: channelReports,
  });
  const repeats = new Repeats(clock);
  const rooms: Rooms = new Rooms({
    services: {
      config,
      clock,
      repeats,
      random,
      metrics,
      cluster,
      authority,
      identities,
      turn,
      inspect: options.inspect ?? inspect,
      log,
      bug,
    },
    leases: coordination.leases,
    owner: `${config.processId}/${incarnation}`,
  });
  const owners = new Owners({ rooms, cluster, report: channelReports });
  const attach = (link: PeerLink, roomId: RoomId, deviceKey: Uint8Array): Attachment =>
    new Attachment(link, {
      clock,
      deviceKey,
      searchMs: config.ownerSearchMs,
      find: (isKnown) => owners.find(roomId, isKnown),
    });
  const closeRooms = async (): Promise<void> => {
    await rooms.close();
    repeats.close();
  };
  return {
    rooms,
    cluster,
    metrics,
    sit: (link, entrant, body) => attach(link, entrant.room, entrant.proven.key).sit(entrant, body),
    resume: (link, roomId, comeback) => attach(link, roomId, comeback.deviceKey).resume(comeback),
    closeRooms,
    close: async () => {
      await closeRooms();
      turn.close();
      await cluster.close();
    },
  };
}
