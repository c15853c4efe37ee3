/** Where a load goes: a cluster that is started for it, or one that the operator names and confirms. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';
import { ClusterError } from '@veilcast/protocol';
import { z } from 'zod';
import type { ApiKey } from '../token.ts';
import { Faults } from './faults.ts';

export interface Target {
  readonly origin: string;
  readonly key: ApiKey | undefined;
  /** Of this run's own cluster alone. @throws ClusterError */
  plant(fault: string): Promise<void>;
  /** Ends what was started for it. */
  close(): Promise<void>;
}

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
/** Two: whoever loses one goes to the other. */
const REGIONS = 'eu,us';
const ANSWER_MS = 10_000;
const Shown = z.object({ token: z.string().max(128) });

/**
 * A cluster of this run's own, in a process of its own: what drives the load must not share its thread.
 * @param asProcesses one whose services are processes each, which can die
 */
export async function startTarget(signal: AbortSignal, asProcesses = false): Promise<Target> {
  const key = { id: 'load', secret: randomBytes(24).toString('hex') };
  const token = randomBytes(12).toString('hex');
  const shape = asProcesses ? ['--cluster', '--regions', REGIONS] : [];
  const child = spawn(process.execPath, [MAIN, 'up', '--port', '0', '--key', key.id, ...shape], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
    env: { ...process.env, VEILCAST_API_SECRET: key.secret, VEILCAST_LOAD_TOKEN: token },
  });
  const gone = once(child, 'close');
  const faults = new Faults(child.pid ?? 0);
  // Whatever ends this process, its cluster goes with it.
  const end = (): void => {
    faults.release();
    child.kill('SIGTERM');
  };
  process.once('exit', end);
  signal.addEventListener('abort', end, { once: true });
  let origin: string | undefined;
  for await (const line of createInterface(child.stdout)) {
    origin ??= /http:\/\/localhost:\d+/.exec(line)?.[0];
    if (line !== 'ready' || origin === undefined) continue;
    // From now on those who are in it leave first.
    signal.removeEventListener('abort', end);
    child.stdout.resume();
    const close = async (): Promise<void> => {
      process.off('exit', end);
      end();
      await gone;
    };
    // Another process may have answered there.
    await shownBy(origin, token).catch(async (thrown: unknown) => {
      await close();
      throw thrown;
    });
    return { origin, key, plant: (fault) => faults.plant(fault), close };
  }
  process.off('exit', end);
  throw new ClusterError('INTERNAL', 'The cluster for this run did not come up.');
}

/**
 * A cluster of the operator's. Away from this machine it must be confirmed by its host's name, and its API key be known. Wherever it is, it
 * must show the token of this test: nobody puts a load on somebody else's.
 * @throws ClusterError MALFORMED, FORBIDDEN, NODE_UNREACHABLE
 */
export async function namedTarget(
  url: string,
  { key, confirmed, token }: { key: ApiKey | undefined; confirmed: string | undefined; token: string | undefined },
): Promise<Target> {
  const parsed = URL.parse(url);
  if (parsed === null || !parsed.protocol.startsWith('http'))
    throw new ClusterError('MALFORMED', `This is no URL: ${url}`);
  const { origin, hostname } = parsed;
  const isHere = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
  if (!isHere && confirmed !== hostname)
    throw new ClusterError('FORBIDDEN', `A load on another machine is confirmed by its name: --confirm ${hostname}`);
  if (!isHere && key === undefined)
    throw new ClusterError('FORBIDDEN', 'A load on another machine needs an API key of its cluster: --key, --secret.');
  if (token === undefined) throw new ClusterError('FORBIDDEN', `Say with --token what the target shows. ${HOW}`);
  await shownBy(origin, token);
  return { origin, key, plant: refused, close: async () => undefined };
}

async function refused(): Promise<never> {
  throw new ClusterError('FORBIDDEN', 'Nothing is let die in a cluster that is not the run’s own.');
}

const HOW =
  'A cluster takes a load test when it is started with --load-token, or signaling.loadToken in its configuration.';

/** @throws ClusterError FORBIDDEN, NODE_UNREACHABLE */
async function shownBy(origin: string, token: string): Promise<void> {
  const answer = await fetch(new URL('/api/load', origin), { signal: AbortSignal.timeout(ANSWER_MS) }).catch(
    (cause: unknown) => {
      throw new ClusterError('NODE_UNREACHABLE', `Nobody answers at ${origin}.`, { cause });
    },
  );
  const shown = answer.ok ? Shown.safeParse(await answer.json().catch(() => undefined)).data?.token : undefined;
  if (shown !== token)
    throw new ClusterError('FORBIDDEN', `${origin} does not show the token of this test at /api/load. ${HOW}`);
}
