import { virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DISCONNECTED_GRACE_MS, PathWatch, REPAIR_LIMIT_MS, type PathState } from './path-watch.ts';

function open(restart: () => Promise<void> = () => Promise.resolve()) {
  const clock = virtualClock();
  const log: string[] = [];
  const watch = new PathWatch({
    clock,
    restart: () => {
      log.push('restart');
      return restart();
    },
    failed: () => log.push('failed'),
  });
  return { clock, log, watch };
}

describe('a path', () => {
  it('that comes back by itself is left alone', async () => {
    const { clock, log, watch } = open();
    watch.follow('connected');
    watch.follow('disconnected');
    await clock.advance(DISCONNECTED_GRACE_MS - 1);
    watch.follow('connected');
    await clock.advance(60_000);
    expect(log).toEqual([]);
  });

  it('that stays away is restarted once, and given up when that does not help, even if nobody answers', async () => {
    const { clock, log, watch } = open(() => Promise.reject(new Error('signaling is away')));
    watch.follow('disconnected');
    await clock.advance(DISCONNECTED_GRACE_MS);
    expect(log).toEqual(['restart']);
    await clock.advance(REPAIR_LIMIT_MS);
    expect(log).toEqual(['restart', 'failed']);
  });

  it('that a restart brought back may be restarted again another time', async () => {
    const { log, watch } = open();
    for (let time = 0; time < 3; time++) {
      watch.follow('failed');
      watch.follow('connected');
    }
    expect(log).toEqual(['restart', 'restart', 'restart']);
  });

  it('that is suspected is restarted at once, and not given up while it counts as connected', async () => {
    const { clock, log, watch } = open();
    watch.suspect();
    expect(log).toEqual([]);
    watch.follow('connected');
    watch.suspect();
    watch.suspect();
    await clock.advance(60_000);
    expect(log).toEqual(['restart']);
    watch.suspect();
    watch.follow('disconnected');
    await clock.advance(REPAIR_LIMIT_MS);
    expect(log).toEqual(['restart', 'restart', 'failed']);
  });

  it('fails at most once, only after a restart, and never while it is well or closed', async () => {
    const step = fc.oneof(
      fc.constantFrom<PathState>('connecting', 'connected', 'disconnected', 'failed'),
      fc.integer({ min: 0, max: 4_000 }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, closes) => {
        const { clock, log, watch } = open();
        for (const one of steps) {
          if (typeof one === 'number') await clock.advance(one);
          else watch.follow(one);
        }
        if (closes) watch.close();
        else watch.follow('connected');
        const before = log.length;
        await clock.advance(60_000);
        expect(log).toHaveLength(before);
        expect(clock.pending()).toBe(0);
        const failures = log.filter((what) => what === 'failed');
        expect(failures.length).toBeLessThanOrEqual(1);
        if (failures.length > 0) expect(log.slice(-2)).toEqual(['restart', 'failed']);
      }),
      { numRuns: 200 },
    );
  });
});
