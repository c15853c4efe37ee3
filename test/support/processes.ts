/** `veilcast up --cluster` as a test sees it: its processes by name, what they started themselves, and its end. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));

interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly line: string;
}

async function allProcesses(): Promise<Running[]> {
  const ids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const looked = ids.map(async (entry) => {
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    return { pid: Number(entry), parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), line };
  });
  return Promise.all(looked);
}

export class ClusterProcesses {
  readonly up: ChildProcessByStdio<null, Readable, Readable>;
  /** Of the first signaling process. */
  readonly origin: string;
  /** Of the second. */
  readonly other: string;
  readonly #output: () => string;

  private constructor(up: ClusterProcesses['up'], output: () => string) {
    this.up = up;
    this.#output = output;
    this.origin = /(https?:\/\/[^/\s]+)\/operator/.exec(output())?.[1] ?? '';
    this.other = /for the same rooms: (\S+)/.exec(output())?.[1] ?? '';
  }

  static async start(regions: string): Promise<ClusterProcesses> {
    const args = [MAIN, 'up', '--cluster', '--port', '0', '--regions', regions];
    const up = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [up.stdout, up.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    while (!/^ready$/m.test(output)) {
      if (up.exitCode !== null) throw new Error(`ended with ${up.exitCode}: ${output}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return new ClusterProcesses(up, () => output);
  }

  /** All that it has said so far. */
  get output(): string {
    return this.#output();
  }

  /** Process ids by the names of their configuration files. */
  async byName(): Promise<Map<string, number>> {
    const own = (await allProcesses()).filter(({ parent }) => parent === this.up.pid);
    return new Map(own.map(({ pid, line }) => [/([\w-]+)\.toml/.exec(line)?.[1] ?? 'redis', pid]));
  }

  /** mediasoup workers of a node. */
  async workersOf(node: string): Promise<number[]> {
    const parent = (await this.byName()).get(node);
    return (await allProcesses()).filter((one) => one.parent === parent).map(({ pid }) => pid);
  }

  /** Of the process of this name, in its present life. @throws Error when it does not run */
  async pidOf(name: string): Promise<number> {
    const pid = (await this.byName()).get(name);
    if (pid === undefined) throw new Error(`${name} does not run`);
    return pid;
  }

  /** Whether the process of this name says that it is ready. Redis says nothing: it runs, which is all that is asked of it here. */
  async isReady(name: string): Promise<boolean> {
    const pid = (await this.byName()).get(name);
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    const file = line.split('\0').find((part) => part.endsWith('.toml'));
    if (file === undefined) return name === 'redis' && line.includes('redis-server');
    const port = /\[probes\]\s+port = (\d+)/.exec(await readFile(file, 'utf8'))?.[1];
    return fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  async end(): Promise<void> {
    if (this.up.exitCode !== null || this.up.signalCode !== null) return;
    const gone = once(this.up, 'close');
    this.up.kill('SIGTERM');
    await gone;
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
