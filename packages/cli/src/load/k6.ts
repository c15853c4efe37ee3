/** Runs the project's k6 on one scenario, as one or as many generators: samples are read as they come, and Ctrl-C ends it with what it has. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { ClusterError } from '@veilcast/protocol';

/** k6's own exit codes: a threshold was missed; it was interrupted. Both leave a summary. */
const WITH_SUMMARY: ReadonlySet<number> = new Set([0, 99, 105]);

export interface K6Run {
  readonly script: string;
  /** For the scenario, and nobody else: it may hold a secret. */
  readonly environment: Readonly<Record<string, string>>;
  readonly onSample: (line: string) => void;
}

/** Resolves when it has ended and left a summary. @throws ClusterError INTERNAL */
export async function runK6({ script, environment, onSample }: K6Run, signal: AbortSignal): Promise<void> {
  const program = process.env.K6_BINARY;
  if (program === undefined) throw new ClusterError('INTERNAL', 'k6 is not built: run this as ./veilcast load.');
  const args = ['run', '--quiet', '--no-usage-report', '--include-system-env-vars', '--out', 'json=-', script];
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C reaches it once, from here.
    detached: true,
    env: { ...process.env, ...environment, K6_AUTO_EXTENSION_RESOLUTION: 'false' },
  });
  const stop = (): void => void child.kill('SIGINT');
  signal.addEventListener('abort', stop, { once: true });
  const complaints: string[] = [];
  createInterface(child.stdout).on('line', onSample);
  createInterface(child.stderr).on('line', (line) => complaints.push(line));
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === null || !WITH_SUMMARY.has(code)) {
      throw new ClusterError('INTERNAL', `k6 ended with ${code}: ${complaints.slice(-3).join(' ')}`);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Aborts at Ctrl-C or SIGTERM. A second one does nothing more: everybody is leaving already. */
export function untilInterrupted(): AbortSignal & Disposable {
  const stopped = new AbortController();
  const stop = (): void => stopped.abort();
  process.on('SIGINT', stop).on('SIGTERM', stop);
  return Object.assign(stopped.signal, {
    [Symbol.dispose]: () => void process.off('SIGINT', stop).off('SIGTERM', stop),
  });
}
