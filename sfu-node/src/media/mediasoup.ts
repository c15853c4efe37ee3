/** The real worker behind the port: mediasoup's, quiet, found through its own MEDIASOUP_WORKER_BIN or its package. */
import { createWorker } from 'mediasoup';
import { readFile } from 'node:fs/promises';
import type { CreateWorker, MediaWorker } from './port.ts';
import type { ProcessState, WorkerProcess } from './pulse.ts';
import { BATCHING } from './program.ts';

// mediasoup gives its workers the environment of this process. Who set the variable meant it.
process.env[BATCHING] ??= '1';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Starts a mediasoup worker process. mediasoup closes each worker as soon as this process gets a signal to end; here the
 * node ends its workers, when those whom they serve have been moved away, so that habit is taken from it.
 */
export const createMediasoupWorker: CreateWorker = () => {
  const before = SIGNALS.map((signal) => new Set(process.listeners(signal)));
  // Its constructor runs before the first await, so what is new after the call is mediasoup's.
  const worker = createWorker({ logLevel: 'error' });
  for (const [index, signal] of SIGNALS.entries())
    for (const listener of process.listeners(signal))
      if (!before[index]?.has(listener)) process.removeListener(signal, listener);
  return worker;
};

/** For a process that hangs and does not end when told to. */
function kill(worker: MediaWorker): void {
  try {
    process.kill(worker.pid, 'SIGKILL');
  } catch {
    // It ended this moment.
  }
}

/** From /proc, where there is one: stopped by a signal or a debugger, or anything else. */
async function stateOf(worker: MediaWorker): Promise<ProcessState> {
  const stat = await readFile(`/proc/${worker.pid}/stat`, 'utf8').catch(() => undefined);
  // The name before it may hold anything, so from its last bracket (proc_pid_stat(5)).
  const state = stat?.[stat.lastIndexOf(')') + 2];
  if (state === undefined) return undefined;
  return state === 'T' || state === 't' ? 'stopped' : 'other';
}

/** The workers of mediasoup as processes of this machine. */
export const mediasoupProcess: WorkerProcess = { kill, stateOf };
