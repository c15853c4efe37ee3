/**
 * The shared store of a process, as configured: in this process's memory, or a Redis of one of three kinds (ADR 0022).
 *
 *     [store]
 *     kind = "sentinel"
 *     addresses = ["10.0.0.1:26379", "10.0.0.2:26379", "10.0.0.3:26379"]
 *     passwordFile = "/run/secrets/redis"
 */
import { memoryCoordination, MemoryStore, type Coordination } from '@veilcast/coordination';
import type { RedisPlace } from '@veilcast/coordination/redis';
import { ClusterError, type Clock, type Random } from '@veilcast/protocol';
import type { Logger } from 'pino';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { z } from 'zod';
import { secret } from './config-values.ts';
import { SECONDS_BUCKETS } from './metrics.ts';

const Address = z
  .string()
  .max(260)
  .regex(/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):\d{1,5}$/, 'expected host:port');

/** No URLs: they would hold passwords, which only files give. */
export const StoreConfig = z
  .strictObject({
    kind: z
      .enum(['memory', 'redis', 'sentinel', 'cluster'])
      .default('memory')
      .describe(
        'memory: of this process alone. Several processes need one Redis, a set behind sentinels, or a Cluster.',
      ),
    addresses: z
      .array(Address)
      .max(64)
      .default([])
      .describe('host:port of the Redis, of the sentinels, or of some nodes of the Cluster.'),
    master: z.string().min(1).max(64).default('veilcast').describe('What the sentinels call the master.'),
    username: z.string().min(1).max(128).optional().describe('User of the ACL; the default user when not given.'),
    password: secret().optional().describe('Of the Redis servers.'),
    sentinelPassword: secret().optional().describe('Of the sentinels, where they want one.'),
    tls: z.boolean().default(false).describe('Speak TLS with servers and sentinels.'),
    ca: secret()
      .optional()
      .describe('Who may have signed their certificates, PEM; the authorities of the system when not given.'),
    keyPrefix: z
      .string()
      .regex(/^[a-z0-9-]{1,32}$/)
      .default('veilcast')
      .describe('Begins all keys: one for each cluster that uses the same Redis.'),
  })
  .superRefine(({ kind, addresses }, context) => {
    const wanted = { memory: [0, 0], redis: [1, 1], sentinel: [1, 64], cluster: [1, 64] }[kind];
    const [least = 0, most = 0] = wanted;
    if (addresses.length >= least && addresses.length <= most) return;
    const message =
      kind === 'memory' ? 'has no address; set kind' : `${kind} needs ${most === 1 ? 'one' : 'at least one'}`;
    context.addIssue({ code: 'custom', path: ['addresses'], message });
  });
/** As checked, with the defaults filled in. */
export type StoreConfig = z.output<typeof StoreConfig>;

export interface StoreOptions {
  readonly config: StoreConfig;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Registry;
}

/** Longest wait for a store that is not there. It is dialled on and on, and whoever starts waits for it in its own way. */
const FIRST_REACHED_MS = 2_000;

/**
 * Resolves when the store has been reached, or after 2 s all the same. Until it is there questions are refused, and
 * `reachable` says so.
 */
export async function openStore(options: StoreOptions): Promise<Coordination> {
  const { config, clock, random, log, metrics } = options;
  const report = (error: unknown): void => {
    if (error instanceof ClusterError) log.warn({ code: error.code }, `store: ${error.message}`);
    else log.error({ err: error }, 'a listener of the store failed');
  };
  const place = placeOf(config);
  let store: Coordination;
  if (place === undefined) store = memoryCoordination(new MemoryStore(clock), { report });
  else {
    const { redisCoordination } = await import('@veilcast/coordination/redis');
    store = redisCoordination({
      place,
      clock,
      random,
      keyPrefix: config.keyPrefix,
      report,
      observe: observer(metrics),
    });
  }
  const reachable: Gauge = new Gauge({
    name: 'veilcast_store_reachable',
    help: '1 while the shared store answers and takes writes.',
    registers: [metrics],
    collect: () => reachable.set(store.reachable() ? 1 : 0),
  });
  await reached(store, clock);
  return store;
}

async function reached(store: Coordination, clock: Clock): Promise<void> {
  if (store.reachable()) return;
  await new Promise<void>((resolve) => {
    const end = (): void => {
      stopLooking();
      stopWaiting();
      resolve();
    };
    const stopLooking = clock.every(20, () => store.reachable() && end());
    const stopWaiting = clock.after(FIRST_REACHED_MS, end);
  });
}

function placeOf(config: StoreConfig): RedisPlace | undefined {
  const { kind, master, username, password, sentinelPassword, tls, ca } = config;
  const [first, ...others] = config.addresses.map((address) => {
    const at = address.lastIndexOf(':');
    return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
  });
  if (kind === 'memory' || first === undefined) return undefined;
  const access = { credentials: { username, password }, ...(tls ? { tls: { ca } } : {}) };
  if (kind === 'redis') return { kind, address: first, ...access };
  if (kind === 'cluster') return { kind, nodes: [first, ...others], ...access };
  return {
    kind,
    sentinels: [first, ...others],
    master,
    sentinelCredentials: { password: sentinelPassword },
    ...access,
  };
}

/** How long the store takes and how it fails, by what it is asked: nothing of what it is asked about. */
function observer(metrics: Registry) {
  const seconds = new Histogram({
    name: 'veilcast_store_seconds',
    help: 'Time until the shared store answered.',
    labelNames: ['operation'],
    buckets: SECONDS_BUCKETS,
    registers: [metrics],
  });
  const failures = new Counter({
    name: 'veilcast_store_failures_total',
    help: 'Questions to the shared store that failed.',
    labelNames: ['operation', 'code'],
    registers: [metrics],
  });
  return (operation: string, outcome: string, ms: number): void => {
    if (outcome === 'ok') seconds.observe({ operation }, ms / 1_000);
    else failures.inc({ operation, code: outcome });
  };
}
