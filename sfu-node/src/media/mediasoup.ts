/** The real worker behind the port: mediasoup's, quiet, found through its own MEDIASOUP_WORKER_BIN or its package. */
import { createWorker } from 'mediasoup';
import type { CreateWorker, MediaWorker } from './port.ts';

/** Starts a mediasoup worker process. */
export const createMediasoupWorker: CreateWorker = () => createWorker({ logLevel: 'error' });

/** For a process that hangs and does not end when told to. */
export function killMediasoupWorker(worker: MediaWorker): void {
  try {
    process.kill(worker.pid, 'SIGKILL');
  } catch {
    // It ended this moment.
  }
}
