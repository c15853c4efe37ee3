/** `veilcast up --cluster`: every service as processes of their own over a real Redis with mutual TLS, started and watched over. */
import type { Logger, Service } from '@veilcast/node-kit';
import { ClusterError, type PeerToPeer, type RegionId } from '@veilcast/protocol';
import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { ApiKey } from '../token.ts';
import { ownFolder } from './folder.ts';
import { layOut, type Layout } from './layout.ts';
import { Supervisor } from './supervisor.ts';

/** Eleven processes on two busy cores need some 15 s. */
const READY_MS = 90_000;
const LOOK_EVERY_MS = 100;

export interface ClusterUp extends Service {
  /** Of the signaling processes, without a slash at the end. */
  readonly origins: readonly [string, string];
  /** Resolves when a call can be made over either of them. @throws ClusterError when a process does not come up, CLOSED */
  untilReady(): Promise<void>;
}

/** Starts them all. @throws ClusterError when there is no Redis on this machine */
export async function startProcesses(
  options: {
    readonly port: number;
    readonly regions: readonly RegionId[];
    readonly peerToPeer: PeerToPeer;
    readonly apiKey?: ApiKey | undefined;
    readonly loadToken?: string | undefined;
    readonly logLevel: string;
  },
  log: Logger,
): Promise<ClusterUp> {
  if (spawnSync('redis-server', ['--version']).error !== undefined)
    throw new ClusterError(
      'STORE_UNAVAILABLE',
      'There is no redis-server on this machine. Debian: apt-get install redis-server',
    );
  const folder = await ownFolder();
  const supervisor = new Supervisor(log);
  const closed = new AbortController();
  const close = async (): Promise<void> => {
    closed.abort();
    await supervisor.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const layout = await layOut({ ...options, folder });
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VEILCAST_')));
    for (const { name, command, args, probes } of layout.processes)
      supervisor.start({ name, command, args, env, cwd: folder, endsLast: probes === undefined });
    const [first, second] = layout.webPorts;
    let ready = false;
    return {
      origins: [`http://localhost:${first}`, `http://localhost:${second}`],
      untilReady: async () => {
        const died = new Promise<never>((_resolve, reject) => {
          supervisor.onDeath = (name) =>
            reject(new ClusterError('INTERNAL', `${name} did not start; its words are above.`));
        });
        await Promise.race([allReady(layout, closed.signal), died]);
        supervisor.onDeath = () => undefined;
        ready = true;
      },
      ready: () => ready && !closed.signal.aborted,
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

async function allReady({ processes }: Layout, closed: AbortSignal): Promise<void> {
  const deadline = performance.now() + READY_MS;
  for (const { name, probes } of processes) {
    if (probes === undefined) continue;
    while (!(await answers(probes))) {
      if (closed.aborted) throw new ClusterError('CLOSED', 'It was ended before it was ready.');
      if (performance.now() > deadline)
        throw new ClusterError(
          'NODE_UNREACHABLE',
          `${name} was not ready in ${READY_MS / 1_000} s; its words are above.`,
        );
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ status }) => status === 200,
    () => false,
  );
}
