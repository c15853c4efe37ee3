/** Signaling as a library: sockets and routes on a given HTTP server, Rooms behind them. Wiring only. */
import type { Service, ServiceContext } from '@veilcast/node-kit';
import { Resumptions } from '@veilcast/e2ee/channel';
import { ClusterError, type Queued, type RequestBody } from '@veilcast/protocol';
import type { FastifyPluginAsync } from 'fastify';
import type { JWK } from 'jose';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Socket } from 'socket.io';
import { AddressBudget } from './address-budget.ts';
import { createAuthority, type Authority } from './authority.ts';
import { channelIdentity, type ChannelIdentity } from './channel-identity.ts';
import { SignalingConfig, type SignalingConfigInput } from './config.ts';
import type { InspectMessage } from './framing.ts';
import { openFrontDoor } from './front-door.ts';
import { LoggedIdentities } from './identities.ts';
import { sharedStore, type KeptStore } from './kept-list.ts';
import { fileLogStore } from './log-store.ts';
import { JoinLine } from './join-line.ts';
import { watchLine } from './metrics.ts';
import { openRooms } from './open-rooms.ts';
import { openOperator, refusal } from './operator.ts';
import { addressOf, mayOperate, originAllowed } from './origin.ts';
import type { RoomOwner } from './room-owner.ts';
import { fileRevocationStore } from './revocation-store.ts';
import { signalingRoutes } from './routes.ts';
import { readSeed } from './seed.ts';
import type { PeerLink, Seat } from './seat.ts';
import { ClientSocket } from './socket.ts';

/** How long the log of a root that is kept nowhere is kept after its last entry. */
const ROOT_FORGOTTEN_MS = 2 * 24 * 3_600_000;

export interface SignalingOptions {
  readonly config: SignalingConfigInput;
  readonly context: ServiceContext;
  /** Listening or not yet; it is not closed by us. */
  readonly server: HttpServer | HttpsServer;
  /** A customer's own Authentication Service; ours is made where there is none. */
  readonly authority?: Authority;
  /** Who we are to clients; made at the start where not given. */
  readonly identity?: ChannelIdentity;
  /** How a Commit's framing is read; packages/e2ee's where not given. */
  readonly inspect?: InspectMessage;
}

export interface Signaling extends Service {
  /** For a fastify app on the same server. */
  readonly routes: FastifyPluginAsync;
}

/** @throws ZodError when the config does not fit */
export async function startSignaling(options: SignalingOptions): Promise<Signaling> {
  const { context, server } = options;
  const { clock, random } = context;
  const config = SignalingConfig.parse(options.config);
  const log = context.log.child({ service: 'signaling' });
  const bug = (error: unknown): void => log.error({ err: error }, 'a bug');
  const authority = options.authority ?? (await ownAuthority(config, context));
  const identities = await LoggedIdentities.open({
    authority,
    clock,
    leases: context.coordination.leases,
    bundleTtlMs: config.bundleTtlMs,
    ...(await identityStores(config, context, authority)),
  });
  const identity = options.identity ?? (await channelIdentity(config, clock));
  const resumptions = new Resumptions(config.limits.resumableMax);
  const sockets = new Set<ClientSocket>();
  /** The oldest first. */
  const fresh = new Set<ClientSocket>();
  const opened = await openRooms({
    config,
    context: { ...context, log },
    authority,
    identities,
    inspect: options.inspect,
    sockets: () => sockets.size,
    bug,
  });
  const { rooms, cluster, metrics } = opened;
  identities.revoked.onChange((list) => {
    for (const room of rooms.all) room.revoked(list);
  });

  const door = openFrontDoor({
    server,
    clock,
    limits: config.limits,
    metrics,
    mayConnect: (request) => {
      const code = whyNotConnect(request, config, door.connections());
      if (code !== undefined) metrics.refused(code);
      return code === undefined;
    },
  });
  const joins = new AddressBudget('join', config.limits.joinsPerMinute);
  const line = new JoinLine(config.limits, clock);
  watchLine(context.metrics, line);
  const handshakes = new AddressBudget('handshake', config.limits.handshakesPerMinute);
  const sitDown = async (
    address: string,
    link: PeerLink,
    body: RequestBody<'join'>,
    devicePublicKey: Uint8Array,
    queued: (queued: Queued) => void,
  ): Promise<Seat> => {
    await joins.take(address);
    // Nobody stands in line without a token. What costs more than a look at it comes after.
    await authority.verifyToken(body.token);
    await line.turn(() => link.open, queued);
    const entrant = await identities.admit(body);
    // Whoever shows a device's proof must have the channel of that device.
    if (!Buffer.from(devicePublicKey).equals(entrant.proven.key)) throw new ClusterError('WRONG_DEVICE');
    // One copy of 2 kB for the channel and the Room.
    const proven = { ...entrant.proven, key: devicePublicKey };
    return opened.sit(link, { ...entrant, proven }, body);
  };
  door.io.use((_socket, next) => (closed ? next(refusal('CHANNEL_CLOSED')) : next()));
  door.io.on('connection', (socket) => {
    const address = addressOf(socket.request, config.proxyHops);
    forgetRequest(socket);
    const client = new ClientSocket(socket, {
      traffic: door.trafficOf(socket),
      limits: config.limits,
      clock,
      metrics,
      identity,
      resumptions,
      others: () => cluster.publicUrls(),
      mayGreet: () => handshakes.take(address),
      fresh: (opened) => {
        fresh.add(opened);
        const [oldest] = fresh;
        if (fresh.size > config.limits.freshMax) oldest?.end(new ClusterError('OVERLOADED'));
      },
      join: (link, body, devicePublicKey, queued) => {
        fresh.delete(client);
        return sitDown(address, link, body, devicePublicKey, queued);
      },
      resume: async (link, { roomId, peerId, seq }, deviceKey) => {
        fresh.delete(client);
        await joins.take(address);
        return opened.resume(link, roomId, { peerId, seq, deviceKey });
      },
      bug,
    });
    sockets.add(client);
    socket.once('disconnect', () => {
      sockets.delete(client);
      fresh.delete(client);
    });
  });
  const operator = openOperator(door.io, {
    clock,
    cluster: config.cluster,
    mayWatch: (request) => mayOperate(request, config),
    cascadeRouters: () => cluster.cascadeRouters(),
    node: (nodeId) => cluster.node(nodeId),
    rooms: () => rooms.all.map(sketch),
    signaling: () => ({ processId: config.processId, sockets: sockets.size, rooms: rooms.size }),
    ready: () => cluster.ready(),
  });

  let closed = false;
  return {
    routes: signalingRoutes({ config, authority, identities, identity, random, regions: () => cluster.regions() }),
    ready: () => !closed && cluster.ready(),
    close: async () => {
      if (closed) return;
      closed = true;
      operator.close();
      line.close();
      await opened.closeRooms();
      for (const socket of sockets) socket.shutDown();
      await door.close();
      await opened.close();
      await identities.close();
    },
  };
}

/** What a browser said when it connected is kilobytes, and socket.io keeps it for as long as the socket is open, twice. */
function forgetRequest({ conn, handshake }: Socket): void {
  handshake.headers = {};
  (conn as { request?: unknown }).request = undefined;
}

function whyNotConnect(request: IncomingMessage, config: SignalingConfig, connections: number) {
  if (!originAllowed(request, config.policy)) return 'FORBIDDEN' as const;
  return connections >= config.limits.socketsMax ? ('OVERLOADED' as const) : undefined;
}

function sketch(room: RoomOwner) {
  const peers = [...room.state.peers.values()];
  const waiting = peers.filter((peer) => peer.status === 'waiting').length;
  return {
    roomId: room.roomId,
    term: room.term,
    peers: peers.length - waiting,
    waiting,
    epoch: room.group.epoch,
    members: room.group.members,
    locked: room.state.locked,
  };
}

/** In files of this process, or shared by all processes under one root. */
async function identityStores(
  { identityDir, authorityRootFile }: SignalingConfig,
  { coordination }: ServiceContext,
  authority: Authority,
): Promise<{ logStore: KeptStore; revocationStore: KeptStore }> {
  if (identityDir !== undefined) {
    const logStore = await fileLogStore(join(identityDir, 'bundles.log'));
    return { logStore, revocationStore: fileRevocationStore(join(identityDir, 'revoked.json')) };
  }
  const { root } = authority.publicKey();
  const name = createHash('sha256').update(root).digest('base64url');
  // Nobody asks for the log of a root that died with its process.
  const ttlMs = authorityRootFile === undefined ? ROOT_FORGOTTEN_MS : undefined;
  return {
    logStore: sharedStore(coordination, `bundles/${name}`, ttlMs),
    revocationStore: sharedStore(coordination, `revoked/${name}`, ttlMs),
  };
}

async function ownAuthority(config: SignalingConfig, { clock }: ServiceContext): Promise<Authority> {
  const { authorityKeyFile, authorityRootFile, tokenTtlMs, credentialTtlMs, apiKeys, issuers } = config;
  const rootSeed = authorityRootFile === undefined ? undefined : await readSeed(authorityRootFile);
  const key =
    authorityKeyFile === undefined ? undefined : (JSON.parse(await readFile(authorityKeyFile, 'utf8')) as JWK);
  return createAuthority({
    clock,
    tokenTtlMs,
    credentialTtlMs,
    apiKeys,
    issuers,
    ...(key ? { key } : {}),
    ...(rootSeed ? { rootSeed } : {}),
  });
}
