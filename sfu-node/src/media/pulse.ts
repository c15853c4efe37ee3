/**
 * Whether a worker process still answers. A dead one is told of by the kernel; one that hangs is told of by nobody, and its
 * people look at frozen pictures. Asked four times a second; what does not answer is looked up in the kernel before it is
 * condemned, since a worker that waits for a core on a busy machine does not answer either.
 */
import type { Clock } from '@veilcast/protocol';
import type { MediaWorker } from './port.ts';

/** Longer: a hung worker is noticed later. Shorter: more idle traffic. */
export const ASK_EVERY_MS = 250;
/** Unanswered for so many looks, the kernel is asked: a stopped process hangs. */
const LOOKS_STOPPED = 2;
/** Unanswered for so many looks, it hangs whatever the kernel says. Fewer: a machine that is overloaded loses its workers. */
export const LOOKS_MOST = 16;

/** What the kernel says of a process; undefined where it says nothing. */
export type ProcessState = 'stopped' | 'other' | undefined;

/** What can be done about a worker from outside of it. */
export interface WorkerProcess {
  /** Ends one that does not end by itself. */
  kill(worker: MediaWorker): void;
  stateOf(worker: MediaWorker): Promise<ProcessState>;
}

/** Of workers that are no processes. */
export const noProcess: WorkerProcess = { kill: () => undefined, stateOf: () => Promise.resolve(undefined) };

export interface PulseOptions {
  readonly clock: Clock;
  readonly worker: MediaWorker;
  readonly process: Pick<WorkerProcess, 'stateOf'>;
  /** Once. */
  readonly hangs: () => void;
}

/** @returns stops it */
export function watchPulse({ clock, worker, process, hangs }: PulseOptions): () => void {
  // Looks and not time: a pause of this process must not condemn its workers.
  let unanswered = 0;
  let isAsking = false;
  const ask = async (): Promise<void> => {
    isAsking = true;
    try {
      await worker.getResourceUsage();
    } catch {
      // It died while it was asked; `died` tells.
    }
    isAsking = false;
    unanswered = 0;
  };
  const judge = async (looks: number): Promise<void> => {
    const isStopped = looks >= LOOKS_STOPPED && (await process.stateOf(worker)) === 'stopped';
    if ((!isStopped && looks < LOOKS_MOST) || unanswered < looks) return;
    stop();
    hangs();
  };
  const stop = clock.every(ASK_EVERY_MS, () => {
    if (worker.closed) return stop();
    if (!isAsking) return void ask();
    unanswered += 1;
    void judge(unanswered);
  });
  return stop;
}
