/** Connected clients of the three kinds of Redis. Each is used until it fails, and then made anew by the Link: none heals itself. */
import { createClient, createCluster } from 'redis';
import type { Arg, Dial, Wire } from './link.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Credentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export interface Tls {
  /** PEM of the authorities that may have signed the store's certificate; the system's when not given. */
  readonly ca?: string | undefined;
}

/** Where the store is. Credentials are those of the data servers; sentinels have their own. */
export type RedisPlace = { readonly credentials?: Credentials | undefined; readonly tls?: Tls | undefined } & (
  | { readonly kind: 'redis'; readonly address: Address }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly Address[];
      /** The name under which the sentinels watch the master. */
      readonly master: string;
      readonly sentinelCredentials?: Credentials | undefined;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly Address[] }
);

/** Longest wait for a TCP connection. Longer: a dead host holds up the next one. */
const CONNECT_MS = 1_000;
/** How long a node of a cluster is dialled in vain before the others are asked who has taken its slots over. */
const REFRESH_MS = 500;

/** The signal ends the socket itself: a client that is destroyed while it connects leaves its socket open. */
function socketOf(tls: Tls | undefined, signal: AbortSignal) {
  const base = { connectTimeout: CONNECT_MS, noDelay: true, signal };
  return tls === undefined ? base : { ...base, tls: true as const, ...(tls.ca === undefined ? {} : { ca: tls.ca }) };
}

function userOf({ username, password }: Credentials = {}) {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

function clientOf(address: Address, credentials: Credentials | undefined, tls: Tls | undefined, signal: AbortSignal) {
  return createClient({
    RESP: 3,
    ...userOf(credentials),
    socket: { ...address, ...socketOf(tls, signal), reconnectStrategy: false },
    disableOfflineQueue: true,
    disableClientInfo: true,
  });
}
type Client = ReturnType<typeof clientOf>;

/** Connects to wherever the store is at the moment. */
export function dialOf(place: RedisPlace): Dial {
  switch (place.kind) {
    case 'redis':
      return (lost, signal) => dialOne(place.address, place, lost, signal);
    case 'sentinel':
      return async (lost, signal) => dialOne(await masterOf(place, signal), place, lost, signal);
    default:
      return (lost, signal) => dialCluster(place, lost, signal);
  }
}

/** What is ended by the Link's signal or by itself, whatever state it is in. */
function ending(signal: AbortSignal): AbortController {
  const own = new AbortController();
  if (signal.aborted) own.abort();
  signal.addEventListener('abort', () => own.abort(), { signal: own.signal });
  return own;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => reject(new Error('silence'));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });
}

function destroyed(client: { readonly isOpen: boolean; destroy(): void }): void {
  // It throws when it was destroyed already.
  if (client.isOpen) client.destroy();
}

/** Two connections: who reads slowly what was published is cut off by the server, and questions must not be. */
async function dialOne(
  address: Address,
  place: RedisPlace,
  lost: (error: unknown) => void,
  signal: AbortSignal,
): Promise<Wire> {
  const own = ending(signal);
  const clients = [0, 1].map(() => clientOf(address, place.credentials, place.tls, own.signal)) as [Client, Client];
  const [asking, hearing] = clients;
  const end = (): void => {
    own.abort();
    clients.forEach(destroyed);
  };
  for (const client of clients) client.on('error', lost);
  try {
    await Promise.race([Promise.all(clients.map((client) => client.connect())), aborted(own.signal)]);
    // Sentinels may still name a master that was demoted, or has not been promoted yet.
    const [role] = await Promise.race([asking.sendCommand<string[]>(['ROLE']), aborted(own.signal)]);
    if (role !== 'master') throw new Error('READONLY it is a replica');
  } catch (error) {
    end();
    throw error;
  }
  return {
    command: (_key, args) => asking.sendCommand(args),
    subscribe: (channel, listener) => hearing.sSubscribe(channel, listener, true),
    unsubscribe: (channel) => hearing.sUnsubscribe(channel),
    end,
  };
}

/** The first answer of a sentinel. @throws the last failure when none answers */
async function masterOf(place: RedisPlace & { readonly kind: 'sentinel' }, signal: AbortSignal): Promise<Address> {
  let failure: unknown = new Error('no sentinel is configured');
  for (const address of place.sentinels) {
    signal.throwIfAborted();
    // One that hangs must not keep the others from being asked.
    const own = ending(AbortSignal.any([signal, AbortSignal.timeout(CONNECT_MS)]));
    const client = clientOf(address, place.sentinelCredentials, place.tls, own.signal);
    client.on('error', () => undefined);
    const question = ['SENTINEL', 'get-master-addr-by-name', place.master];
    try {
      await Promise.race([client.connect(), aborted(own.signal)]);
      const answer = await Promise.race([client.sendCommand<string[] | null>(question), aborted(own.signal)]);
      const [host, port] = answer ?? [];
      if (host !== undefined && port !== undefined) return { host, port: Number(port) };
      failure = new Error('the sentinel knows no such master');
    } catch (error) {
      failure = error;
    } finally {
      own.abort();
      destroyed(client);
    }
  }
  throw failure;
}

async function dialCluster(
  place: RedisPlace & { readonly kind: 'cluster' },
  lost: (error: unknown) => void,
  signal: AbortSignal,
): Promise<Wire> {
  const own = ending(signal);
  const cluster = createCluster({
    RESP: 3,
    rootNodes: place.nodes.map((address) => ({ socket: { ...address } })),
    defaults: {
      ...userOf(place.credentials),
      socket: {
        ...socketOf(place.tls, own.signal),
        reconnectStrategy: (retries: number) => Math.min(500, 50 * 2 ** retries),
      },
      disableOfflineQueue: true,
      disableClientInfo: true,
    },
    topologyRefreshOnReconnectionAttemptStrategy: REFRESH_MS,
  });
  cluster.on('error', lost);
  // One node that fails is not the cluster; its clients dial again, and ask the others where its slots went.
  cluster.on('node-error', () => undefined);
  const end = (): void => {
    own.abort();
    destroyed(cluster);
  };
  try {
    await Promise.race([cluster.connect(), aborted(own.signal)]);
  } catch (error) {
    end();
    throw error;
  }
  return {
    command: (key, args) => cluster.sendCommand(key, false, args as Arg[]),
    subscribe: (channel, listener) => cluster.sSubscribe(channel, listener, true),
    unsubscribe: (channel) => cluster.sUnsubscribe(channel),
    end,
  };
}
