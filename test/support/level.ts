/**
 * How much of everything there is: what the workers themselves count, what the services report, and what this process holds
 * of the system. Two of these are equal when nothing was left behind in between.
 */
import { readdir } from 'node:fs/promises';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { observer, type types } from 'mediasoup';
import type { Cluster } from '@veilcast/cli';

/** Of all workers and services together. */
export interface Level {
  /** Everything that can be spoken to in a worker: Routers, Transports, Producers, Consumers, their observers. */
  readonly objects: number;
  readonly routers: number;
  readonly transports: number;
  readonly producers: number;
  readonly consumers: number;
  readonly pipeEnds: number;
  readonly sockets: number;
  readonly rooms: number;
  readonly peers: number;
  readonly plannedRooms: number;
  readonly openPipes: number;
  readonly workerFiles: number;
  readonly files: number;
  readonly timers: number;
}

/** Must be called before the cluster starts: from then on every worker of this process is known. */
export function watchWorkers(): () => readonly types.Worker[] {
  const workers = new Set<types.Worker>();
  observer.on('newworker', (worker) => {
    workers.add(worker);
    worker.observer.once('close', () => workers.delete(worker));
  });
  return () => [...workers];
}

/** The text of /metrics over a connection that does not stay. */
export async function metricsOf(origin: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(`${origin}/metrics`, { agent: false }, (response) => {
      text(response).then(resolve, reject);
    }).on('error', reject);
  });
}

/** The sum of a metric over its labels. */
export function sumOf(metrics: string, name: string): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

function sum<T>(all: readonly T[], pick: (one: T) => number | undefined): number {
  return all.reduce((total, one) => total + (pick(one) ?? 0), 0);
}

export async function levelOf(cluster: Cluster, workers: readonly types.Worker[]): Promise<Level> {
  const metrics = await metricsOf(cluster.origin);
  const dumps = await Promise.all(workers.map((worker) => worker.dump()));
  const loads = cluster.nodes.flatMap((node) => node.report().workers ?? []);
  const pipeEnds = cluster.nodes.flatMap((node) => node.report().pipes ?? []).length;
  const files = await Promise.all(workers.map(({ pid }) => readdir(`/proc/${pid}/fd`)));
  return {
    objects: sum(dumps, ({ channelMessageHandlers: handlers }) => handlers.channelRequestHandlers.length),
    routers: sum(dumps, ({ routerIds }) => routerIds.length),
    transports: sum(loads, ({ transports }) => transports),
    producers: sum(loads, ({ producers }) => producers),
    consumers: sum(loads, ({ consumers }) => consumers),
    pipeEnds,
    sockets: sumOf(metrics, 'veilcast_signaling_sockets'),
    rooms: sumOf(metrics, 'veilcast_signaling_rooms'),
    peers: sumOf(metrics, 'veilcast_signaling_peers'),
    plannedRooms: sumOf(metrics, 'veilcast_cascade_rooms'),
    openPipes: sumOf(metrics, 'veilcast_cascade_pipes_open'),
    workerFiles: sum(files, (each) => each.length),
    files: (await readdir('/proc/self/fd')).length,
    timers: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
  };
}

/** Equal in all that is counted; files and timers may only be fewer. */
export function isBackAt(level: Level, before: Level): boolean {
  return (Object.keys(before) as (keyof Level)[]).every((key) =>
    key === 'files' || key === 'timers' ? level[key] <= before[key] : level[key] === before[key],
  );
}
