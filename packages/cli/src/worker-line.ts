/** What `up` says of the media worker: which one runs, and why. */
import { workerProgram } from '@veilcast/sfu-node';

/** One line, for a person. */
export async function workerLine(): Promise<string> {
  const { path, patched, batching } = await workerProgram();
  if (!patched) return `ordinary, without our patches: ${path}; ./veilcast setup builds the one that has them`;
  return batching ? 'with batching' : 'with batching switched off, by MEDIASOUP_WORKER_BATCHING';
}
