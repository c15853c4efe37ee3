/**
 * Which program runs as media worker, and whether it batches (ADR 0037). Only one that is built from the sources with `sfu-node/worker/patches`
 * can; any other does not know the variable.
 */
import { workerBin } from 'mediasoup';
import { readFile } from 'node:fs/promises';

/** Of the environment of a worker: `1` switches all of our patches on, anything else off. */
export const BATCHING = 'MEDIASOUP_WORKER_BATCHING';

export interface WorkerProgram {
  readonly path: string;
  /** Whether it has the patches. */
  readonly patched: boolean;
  /** Whether workers of this process use them. */
  readonly batching: boolean;
}

/** @throws Error of the file system when there is no such program */
export async function workerProgram(): Promise<WorkerProgram> {
  // The patches ask for the variable by its name, so the name is in a program that has them.
  const patched = (await readFile(workerBin)).includes(BATCHING);
  return { path: workerBin, patched, batching: patched && process.env[BATCHING] === '1' };
}
