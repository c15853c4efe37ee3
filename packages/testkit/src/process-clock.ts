/** The Clock of one simulated process: it can be wrong, stopped for good, and held as by SIGSTOP. */
import type { Clock } from '@veilcast/protocol';

export interface ProcessClock extends Clock {
  /** What falls due waits; a repeated timer falls due once, however long it takes. */
  pause(): void;
  resume(): void;
  /** No timer ever runs again. */
  stop(): void;
}

export interface Skew {
  /** What it shows more than the base, ms. */
  readonly offsetMs: number;
  /** How fast it goes: 1.01 is 1 % too fast. */
  readonly rate: number;
}

/** In whole ms when it is skewed, as clocks of machines are read. */
export function processClock(base: Clock, skew?: Skew): ProcessClock {
  const { offsetMs, rate } = skew ?? { offsetMs: 0, rate: 1 };
  const timers = new Set<() => void>();
  const held = new Set<() => void>();
  let paused = false;
  let stopped = false;

  const guarded = (run: () => void): void => {
    if (paused) held.add(run);
    else run();
  };
  const add = (start: (run: () => void) => () => void, run: () => void, once: boolean): (() => void) => {
    if (stopped) return () => undefined;
    // A name of its own, so that one function given twice is two timers.
    const fire = (): void => {
      if (once) timers.delete(cancel);
      run();
    };
    const cancelBase = start(() => guarded(fire));
    const cancel = (): void => {
      cancelBase();
      held.delete(fire);
      timers.delete(cancel);
    };
    timers.add(cancel);
    return cancel;
  };

  return {
    now: () => (skew ? Math.floor(base.now() * rate + offsetMs) : base.now()),
    after: (ms, run) => add((fire) => base.after(ms / rate, fire), run, true),
    every: (ms, run) => add((fire) => base.every(ms / rate, fire), run, false),
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      for (const fire of held) {
        held.delete(fire);
        fire();
      }
    },
    stop: () => {
      stopped = true;
      for (const cancel of timers) cancel();
    },
  };
}
