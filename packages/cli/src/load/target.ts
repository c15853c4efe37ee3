/** Where a load goes: a cluster that is started for it, or one that the operator names and confirms. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';
import { ClusterError } from '@veilcast/protocol';
import type { ApiKey } from '../token.ts';

export interface Target {
  readonly origin: string;
  readonly key: ApiKey | undefined;
  /** Ends what was started for it. */
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

function interrupted(): never {
  process.exit(130);
}

/** A cluster of this run's own, in a process of its own: what drives the load must not share its thread. */
export async function startTarget(): Promise<Target> {
  const key = { id: 'load', secret: randomBytes(24).toString('hex') };
  const child = spawn(process.execPath, [MAIN, 'up', '--port', '0', '--key', key.id], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: { ...process.env, VEILCAST_API_SECRET: key.secret },
  });
  const gone = once(child, 'close');
  // Whatever ends this process, its cluster goes with it.
  const end = (): void => void child.kill('SIGTERM');
  process.once('exit', end);
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  let origin: string | undefined;
  for await (const line of createInterface(child.stdout)) {
    origin ??= /http:\/\/localhost:\d+/.exec(line)?.[0];
    if (line === 'ready' && origin !== undefined) {
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      child.stdout.resume();
      return {
        origin,
        key,
        close: async () => {
          process.off('exit', end);
          end();
          await gone;
        },
      };
    }
  }
  throw new ClusterError('INTERNAL', 'The cluster for this run did not come up.');
}

/**
 * A cluster of the operator's. Away from this machine it must be confirmed by its host's name, and its API key be known: nobody
 * puts a load on somebody else's.
 * @throws ClusterError FORBIDDEN
 */
export function namedTarget(url: string, key: ApiKey | undefined, confirmed: string | undefined): Target {
  const parsed = URL.parse(url);
  if (parsed === null) throw new ClusterError('MALFORMED', `This is no URL: ${url}`);
  const { origin, hostname } = parsed;
  const isHere = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  if (!isHere && confirmed !== hostname)
    throw new ClusterError('FORBIDDEN', `A load on another machine is confirmed by its name: --confirm ${hostname}`);
  if (!isHere && key === undefined)
    throw new ClusterError('FORBIDDEN', 'A load on another machine needs an API key of its cluster: --key, --secret.');
  return { origin, key, close: async () => undefined };
}
