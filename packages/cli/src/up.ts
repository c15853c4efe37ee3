/**
 * `veilcast up`: every service in this process, over the memory carrier and the memory stores (DESIGN §2, One process or many).
 * mediasoup's workers are processes of their own. A cluster runs the same libraries; only the adapters differ.
 */
import { memoryCarrier } from '@veilcast/control';
import {
  createLogger,
  createMetrics,
  openStore,
  runService,
  StoreConfig,
  systemClock,
  systemRandom,
  type Logger,
  type Service,
  type ServiceContext,
} from '@veilcast/node-kit';
import { ClusterError, type PeerToPeer, type RegionId } from '@veilcast/protocol';
import { z } from 'zod';
import { startCascadeRouter } from '@veilcast/cascade-router';
import { startSfuNode, type SfuNode } from '@veilcast/sfu-node';
import { developmentIdentity, startSignaling } from '@veilcast/signaling';
import { startProcesses } from './cluster/up.ts';
import { lanAddress, qrOf, selfSigned } from './lan.ts';
import { openWeb } from '@veilcast/signaling/web';
import { openState } from './state.ts';
import type { ApiKey } from './token.ts';
import { startTurnServers } from './turn.ts';
import type { TurnServer } from '@veilcast/turn';
import { workerLine } from './worker-line.ts';

export interface UpOptions {
  readonly port: number;
  readonly regions: readonly RegionId[];
  readonly lan: boolean;
  /** What the services share; this process's memory when not given. */
  readonly store?: z.input<typeof StoreConfig> | undefined;
  /** A folder for what is kept between runs; nothing is where it is missing. */
  readonly state?: string;
  /** Whether calls between two may go directly. Without it only where both links ask for it, so that trials show the cluster. */
  readonly peerToPeer?: PeerToPeer;
  /** Cores of each node, and people of one Room on a core before the next is taken. One core where nothing is said. */
  readonly workers?: number;
  readonly roomPeersMax?: number;
  /** Of a backend that issues join tokens itself. */
  readonly apiKey?: ApiKey | undefined;
  /** Of the load test that may come. */
  readonly loadToken?: string | undefined;
}

/** The Room that the printed links lead to. */
const FIRST_ROOM = 'demo';
/** Longest wait for the services to find each other. They take some 300 ms here. */
const READY_MS = 10_000;
/** And for coturn, which takes some 200 ms. */
const TURN_READY_MS = 3_000;

/** Quiet beside the links, unless VEILCAST_LOG names another level. */
function upLogger(): Logger {
  const level = z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .catch('warn')
    .parse(process.env.VEILCAST_LOG);
  return createLogger({ service: 'veilcast', level });
}

export interface Cluster extends Service {
  /** Where the pages are, without a slash at the end. */
  readonly origin: string;
  readonly nodes: readonly SfuNode[];
  /** One a region; none where coturn is not installed. */
  readonly turns: readonly TurnServer[];
}

/** Starts everything and resolves when a call can be made. @throws ClusterError when a part does not come up */
export async function startCluster(options: UpOptions, log: Logger = upLogger()): Promise<Cluster> {
  const address = options.lan ? lanAddress() : undefined;
  const tls = address === undefined ? undefined : await selfSigned(address);
  const metrics = createMetrics({ service: 'veilcast', ofProcess: true });
  const shared = { clock: systemClock, random: systemRandom, log, metrics };
  const coordination = await openStore({ ...shared, config: StoreConfig.parse(options.store ?? {}) });
  const context: ServiceContext = { ...shared, carrier: memoryCarrier(), coordination };
  const services: Service[] = [];
  let nodes: readonly SfuNode[] = [];
  let turn: Awaited<ReturnType<typeof startTurnServers>>;
  const ready = () => services.every((service) => service.ready());
  const identity = await developmentIdentity('development', systemClock);
  const web = await openWeb({ metrics, pin: identity.pin, regions: options.regions, ready, tls });
  const close = async () => {
    await web.close();
    // Signaling first, so that nobody is told of failures that are only the end.
    for (const service of services.toReversed()) await service.close();
    await turn?.close();
    await context.coordination.close();
  };
  try {
    const starting = options.regions.map((region) =>
      startSfuNode({
        context,
        config: {
          nodeId: `${region}-1`,
          region,
          address: `node-${region}-1`,
          workers: options.workers ?? 1,
          media: {
            ...(address === undefined ? { ip: '127.0.0.1' } : { ip: '0.0.0.0', announcedAddress: address }),
            // All nodes are on this machine.
            pipeIp: '127.0.0.1',
          },
          probeUrl: `/probe/${region}`,
        },
      }),
    );
    const turning = startTurnServers({ context, regions: options.regions, address });
    nodes = await Promise.all(starting);
    services.push(...nodes);
    const policy = options.roomPeersMax === undefined ? {} : { roomPeersMax: options.roomPeersMax };
    services.push(
      await startCascadeRouter({ context, config: { processId: 'cascade-1', address: 'cascade-1', policy } }),
    );
    turn = await turning;
    const signaling = await startSignaling({
      context,
      server: web.server,
      identity,
      config: {
        processId: 'signaling-1',
        address: 'signaling-1',
        policy: { development: true, firstIsHost: true, peerToPeer: options.peerToPeer ?? 'asked' },
        apiKeys: options.apiKey ? [options.apiKey] : [],
        ...(options.loadToken === undefined ? {} : { loadToken: options.loadToken }),
        ...(turn && { turn: { secretFile: turn.secretFile } }),
        ...(options.state === undefined ? {} : await openState(options.state)),
      },
    });
    services.push(signaling);
    await web.register(signaling.routes);
    await listen(web, options.port, options.lan ? '0.0.0.0' : '127.0.0.1');
    await until(ready);
    await turnsReady(turn?.servers ?? []);
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const [bound] = web.addresses();
  const port = typeof bound === 'object' ? bound.port : options.port;
  const origin = address === undefined ? `http://localhost:${port}` : `https://${address}:${port}`;
  return { origin, nodes, turns: turn?.servers ?? [], ready, close };
}

async function listen(web: Awaited<ReturnType<typeof openWeb>>, port: number, host: string): Promise<void> {
  await web.listen({ port, host }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'EADDRINUSE')
      throw new ClusterError('OVERLOADED', `Port ${port} is taken; choose another with --port.`, { cause });
    throw cause;
  });
}

async function until(ready: () => boolean): Promise<void> {
  const deadline = systemClock.now() + READY_MS;
  while (!ready()) {
    if (systemClock.now() > deadline)
      throw new ClusterError('NODE_UNREACHABLE', `The services did not find each other in ${READY_MS / 1000} s.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Calls go on without TURN where the network lets them, so nothing fails when coturn does not come up. */
async function turnsReady(servers: readonly TurnServer[]): Promise<void> {
  const deadline = systemClock.now() + TURN_READY_MS;
  while (!servers.every((server) => server.ready()) && systemClock.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** The command with `--cluster`: the same as processes of their own. */
export async function upAsProcesses(
  options: Pick<UpOptions, 'port' | 'regions' | 'peerToPeer' | 'apiKey' | 'loadToken'>,
): Promise<void> {
  const log = upLogger();
  const { port, regions, peerToPeer = 'asked', apiKey, loadToken } = options;
  const cluster = await startProcesses({ port, regions, peerToPeer, apiKey, loadToken, logLevel: log.level }, log);
  // Before it is ready, so that Ctrl-C ends what has been started.
  await runService(() => Promise.resolve(cluster), { log });
  await cluster.untilReady().catch(async (thrown: unknown) => {
    await cluster.close();
    throw thrown;
  });
  const [first, second] = cluster.origins;
  print();
  for (const region of regions) print(`  call, ${region.padEnd(8)} ${first}/r/${FIRST_ROOM}?region=${region}`);
  print(`  operator       ${first}/operator`);
  print(`  media worker   ${await workerLine()}`);
  print(`  the other signaling process, for the same rooms: ${second}`);
  print('\n  Ctrl-C ends it.\n');
  print('ready');
}

/** The command: starts, prints the links, runs until SIGINT or SIGTERM. */
export async function up(options: UpOptions): Promise<void> {
  const log = upLogger();
  const cluster = await startCluster(options, log);
  await runService(() => Promise.resolve(cluster), { log });
  print();
  for (const region of options.regions)
    print(`  call, ${region.padEnd(8)} ${cluster.origin}/r/${FIRST_ROOM}?region=${region}`);
  print(`  operator       ${cluster.origin}/operator`);
  print(`  media worker   ${await workerLine()}`);
  if (!cluster.turns.some((server) => server.ready()))
    print(
      '\n  No TURN server: coturn is not installed or does not start. Calls from behind strict firewalls will not connect.',
    );
  if (options.lan) {
    print(`\n${await qrOf(`${cluster.origin}/r/${FIRST_ROOM}`)}`);
    print('  The certificate is made by this machine, so browsers warn once: choose to go on.');
  }
  print('\n  Ctrl-C ends it.\n');
  print('ready');
}
