/**
 * A Clock that a test moves by hand. Between two timers everything that promises can do is done,
 * so one history of calls gives one order of events, however fast the machine is.
 */
import type { Clock } from '@veilcast/protocol';
import { TimerHeap, type Timer } from './timer-heap.ts';

export interface VirtualClock extends Clock {
  /** Moves on by so many ms and runs what falls due, in order. Rejects with what a timer throws. */
  advance(ms: number): Promise<void>;
  /** Moves from timer to timer until it holds. @throws Error when it does not within `maxMs` of virtual time. */
  runUntil(holds: () => boolean, maxMs?: number): Promise<void>;
  /** Does all that can be done without time passing. */
  settle(): Promise<void>;
  /** Timers that wait: 0 when everything that was started was stopped. */
  pending(): number;
}

// Microtasks all run before the event loop comes to an immediate.
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export function virtualClock(start = 1_700_000_000_000): VirtualClock {
  const timers = new TimerHeap();
  let now = start;
  let order = 0;

  const add = (ms: number, everyMs: number | undefined, run: () => void): (() => void) => {
    const timer: Timer = { due: now + Math.max(0, ms), order: (order += 1), everyMs, run, waits: true };
    timers.add(timer);
    return () => timers.cancel(timer);
  };
  /** Runs the first timer that falls due by then. */
  const step = async (until: number): Promise<boolean> => {
    const timer = timers.takeDue(until);
    if (timer === undefined) return false;
    now = Math.max(now, timer.due);
    if (timer.everyMs !== undefined) {
      timer.due += Math.max(1, timer.everyMs);
      timer.order = order += 1;
      timers.add(timer);
    }
    timer.run();
    await settle();
    return true;
  };

  return {
    now: () => now,
    after: (ms, run) => add(ms, undefined, run),
    every: (ms, run) => add(Math.max(1, ms), ms, run),
    settle,
    pending: () => timers.size,
    advance: async (ms) => {
      const until = now + ms;
      await settle();
      while (await step(until));
      now = until;
    },
    runUntil: async (holds, maxMs = 60_000) => {
      const until = now + maxMs;
      await settle();
      while (!holds()) {
        if (!(await step(until))) throw new Error(`it did not come to hold within ${maxMs} ms`);
      }
    },
  };
}
