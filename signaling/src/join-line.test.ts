/** The line before a process: the rate is kept, nobody is overtaken, everybody hears of it, and who gives up costs nobody a turn. */
import { virtualClock } from '@veilcast/testkit';
import type { Queued } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { JoinLine } from './join-line.ts';

const LIMITS = { joinsPerSecond: 10, joinsBurst: 5, joinsWaitingMax: 1_000 };

function door(limits: Partial<typeof LIMITS> = {}) {
  const clock = virtualClock();
  const line = new JoinLine({ ...LIMITS, ...limits }, clock);
  const entered: { readonly who: number; readonly at: number }[] = [];
  const refused: unknown[] = [];
  const told = new Map<number, (Queued & { readonly at: number })[]>();
  const gone = new Set<number>();
  return {
    clock,
    line,
    entered,
    refused,
    told,
    giveUp: (who: number) => void gone.add(who),
    come: (who: number): void => {
      told.set(who, []);
      line
        .turn(
          () => !gone.has(who),
          (queued) => told.get(who)?.push({ ...queued, at: clock.now() }),
        )
        .then(
          () => entered.push({ who, at: clock.now() }),
          (error: unknown) => refused.push(error),
        );
    },
  };
}

test('a burst goes in at once and is told nothing; the others follow at the rate, first come first', async () => {
  const { clock, line, come, entered, told } = door();
  const begun = clock.now();
  for (let who = 0; who < 25; who += 1) come(who);
  await clock.advance(0);
  expect(entered.map(({ who }) => who)).toEqual([0, 1, 2, 3, 4]);
  expect([told.get(4), told.get(5)?.[0]?.place, told.get(24)?.[0]]).toMatchObject([
    [],
    1,
    { place: 20, waitMs: 2_000 },
  ]);
  await clock.advance(5_000);
  expect(entered.map(({ who }) => who)).toEqual(Array.from({ length: 25 }, (_, who) => who));
  // 20 at ten a second.
  expect((entered.at(-1)?.at ?? 0) - begun).toBeGreaterThanOrEqual(2_000);
  expect((entered.at(-1)?.at ?? 0) - begun).toBeLessThanOrEqual(2_200);
  expect([line.length, clock.pending()]).toEqual([0, 0]);
});

test('in any history the rate holds, nobody is overtaken, and everybody who stays comes in', async () => {
  const step = fc.record({ waitMs: fc.nat(400), come: fc.nat(12), giveUp: fc.nat(200) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { clock, come, entered, giveUp, line, refused } = door();
      const begun = clock.now();
      let next = 0;
      const left = new Set<number>();
      for (const { waitMs, come: some, giveUp: who } of steps) {
        for (let i = 0; i < some; i += 1) come(next++);
        if (who < next && !entered.some((one) => one.who === who)) {
          giveUp(who);
          left.add(who);
        }
        await clock.advance(waitMs);
      }
      await clock.advance(60_000);
      const order = entered.map(({ who }) => who);
      expect(order).toEqual(order.toSorted((a, b) => a - b));
      expect(refused).toEqual([]);
      for (let who = 0; who < next; who += 1) expect(order.includes(who) || left.has(who)).toBe(true);
      for (const [at, one] of entered.entries()) {
        // No more than a burst and what the rate gave since.
        expect(at + 1).toBeLessThanOrEqual(
          LIMITS.joinsBurst + ((one.at - begun) / 1_000) * LIMITS.joinsPerSecond + 1e-6,
        );
      }
      expect([line.length, clock.pending()]).toEqual([0, 0]);
    }),
    { numRuns: 60 },
  );
});

test('places only fall, and whoever waits hears theirs again before a client would take silence for the end', async () => {
  const { clock, come, told, entered } = door({ joinsPerSecond: 2 });
  for (let who = 0; who < 105; who += 1) come(who);
  await clock.advance(60_000);
  expect(entered).toHaveLength(105);
  for (const [who, words] of told) {
    const [at] = entered.filter((one) => one.who === who).map((one) => one.at);
    const times = [...words.map((word) => word.at), at ?? 0];
    for (const [i, word] of words.entries()) {
      expect((times[i + 1] ?? 0) - word.at).toBeLessThanOrEqual(5_000);
      expect(word.place).toBeLessThanOrEqual(words[i - 1]?.place ?? Number.POSITIVE_INFINITY);
      expect(word.waitMs).toBe(word.place * 500);
    }
  }
});

test('who gives up is passed over at once, and those behind move up', async () => {
  const { clock, come, entered, giveUp, told } = door({ joinsPerSecond: 1, joinsBurst: 1 });
  for (let who = 0; who < 12; who += 1) come(who);
  for (let who = 1; who < 11; who += 1) giveUp(who);
  await clock.advance(1_100);
  expect(entered.map(({ who }) => who)).toEqual([0, 11]);
  expect(told.get(11)?.[0]?.place).toBe(11);
});

test('a full line refuses with a time, and the end of the process ends it', async () => {
  const { clock, come, line, refused } = door({ joinsWaitingMax: 3 });
  for (let who = 0; who < 10; who += 1) come(who);
  await clock.advance(0);
  expect(refused).toMatchObject(Array.from({ length: 2 }, () => ({ code: 'OVERLOADED', retryMs: 300 })));
  line.close();
  await clock.advance(0);
  expect(refused.slice(2)).toMatchObject(Array.from({ length: 3 }, () => ({ code: 'CHANNEL_CLOSED' })));
  expect(clock.pending()).toBe(0);
});
