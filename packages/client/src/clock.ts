/** The browser's time behind protocol's `Clock`, so that everything above it can be tested without waiting. */
import type { Clock } from '@veilcast/protocol';

/** `now` never goes back, unlike `Date.now()` when the system's clock is set. Works in workers too. */
export const browserClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
  every(ms, run) {
    const timer = setInterval(run, ms);
    return () => clearInterval(timer);
  },
};

/** Resolves after `ms`, or when the browser is back online, which is a better moment than any that was planned. */
export function pauseOrOnline(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      removeEventListener('online', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    addEventListener('online', done);
  });
}

/** Resolves after `ms`. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
