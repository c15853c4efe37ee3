/** Leases of processes that die, hang and lose the store: what a receiver of effects sees. */
import { seededRandom, simulatedCluster, virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { holdLease, type HeldLease } from './lease.ts';

const KEY = 'room/demo';
const TTL_MS = 3_000;

const step = fc.record({
  who: fc.nat(2),
  what: fc.constantFrom(
    ...(['acquire', 'acquire', 'release', 'kill', 'pause', 'resume', 'down', 'silent', 'up', 'wait', 'wait'] as const),
  ),
  ms: fc.nat(2_500),
});

test('of those that run, one believes to hold it; a Term has one holder; a later holder has a greater Term', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, seed) => {
      const clock = virtualClock();
      const cluster = simulatedCluster(clock, seededRandom(seed));
      const lives = [0, 0, 0];
      const processes = lives.map((_, who) => cluster.process(`p${who}`));
      const paused = [false, false, false];
      const holding: (HeldLease | undefined)[] = [undefined, undefined, undefined];
      const holders = new Map<number, string>();
      let highest = 0;

      const believers = (): HeldLease[] =>
        holding.flatMap((held, who) => (held === undefined || held.lost || paused[who] ? [] : [held]));
      const check = (): void => expect(believers().length).toBeLessThanOrEqual(1);
      const acquire = (who: number): void => {
        const process = processes[who];
        if (process === undefined || paused[who] || (holding[who] !== undefined && !holding[who].lost)) return;
        const owner = `p${who}/${lives[who]}`;
        void holdLease({
          leases: process.coordination.leases,
          clock: process.clock,
          key: KEY,
          owner,
          ttlMs: TTL_MS,
          onLost: check,
        }).then(
          (held) => {
            if (held.kind === 'refused' || !process.alive) return;
            const { term } = held.lease;
            expect(holders.get(term) ?? owner).toBe(owner);
            expect(term).toBeGreaterThanOrEqual(highest);
            holders.set(term, owner);
            highest = term;
            holding[who] = held;
          },
          () => undefined,
        );
      };

      for (const { who, what, ms } of steps) {
        const process = processes[who];
        if (what === 'acquire') acquire(who);
        else if (what === 'release') void (paused[who] ? undefined : holding[who]?.release().catch(() => undefined));
        else if (what === 'kill') {
          processes[who] = cluster.process(`p${who}`);
          lives[who] = (lives[who] ?? 0) + 1;
          holding[who] = undefined;
          paused[who] = false;
        } else if (what === 'pause') {
          process?.pause();
          paused[who] = true;
        } else if (what === 'resume') {
          process?.resume();
          paused[who] = false;
        } else if (what === 'wait') {
          await clock.advance(ms);
        } else cluster.setStore(what, `p${who}`);
        if (what === 'release') holding[who] = paused[who] ? holding[who] : undefined;
        await clock.settle();
        check();
      }
      // In the end somebody can have it again.
      for (const who of [0, 1, 2]) {
        processes[who]?.resume();
        paused[who] = false;
      }
      for (const who of [0, 1, 2]) cluster.setStore('up', `p${who}`);
      await clock.advance(TTL_MS * 2);
      check();
      if (believers().length === 0) acquire(0);
      await clock.advance(TTL_MS * 2);
      expect(believers()).toHaveLength(1);
    }),
    { numRuns: 150 },
  );
});
