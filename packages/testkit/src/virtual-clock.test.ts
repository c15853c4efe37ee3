import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { virtualClock } from './virtual-clock.ts';

test('timers run in the order of their times, each at its own time, then in the order they were set', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 40 }), async (waits) => {
      const clock = virtualClock(0);
      const ran: { ms: number; at: number; set: number }[] = [];
      waits.forEach((ms, set) => clock.after(ms, () => ran.push({ ms, at: clock.now(), set })));
      await clock.advance(50);
      expect(ran.map((one) => one.at)).toEqual(ran.map((one) => one.ms));
      expect(ran).toEqual(
        waits.map((ms, set) => ({ ms, at: ms, set })).toSorted((a, b) => a.ms - b.ms || a.set - b.set),
      );
      expect(clock.pending()).toBe(0);
    }),
  );
});

test('promises are done with before the next timer', async () => {
  const clock = virtualClock();
  const ran: string[] = [];
  const chain = async (name: string): Promise<void> => {
    for (let at = 0; at < 50; at += 1) await Promise.resolve();
    ran.push(name);
  };
  clock.after(1, () => void chain('a'));
  clock.after(1, () => void chain('b'));
  clock.after(2, () => ran.push('c'));
  await clock.advance(2);
  expect(ran).toEqual(['a', 'b', 'c']);
});

test('a timer set by a timer runs in the same advance if it falls due', async () => {
  const clock = virtualClock(0);
  const ran: number[] = [];
  clock.after(10, () => clock.after(5, () => ran.push(clock.now())));
  const stop = clock.every(4, () => ran.push(-clock.now()));
  await clock.advance(16);
  stop();
  await clock.advance(100);
  expect(ran).toEqual([-4, -8, -12, 15, -16]);
  expect(clock.now()).toBe(116);
});

test('runUntil stops as soon as it holds, and says when it never does', async () => {
  const clock = virtualClock(0);
  let ticks = 0;
  clock.every(10, () => (ticks += 1));
  await clock.runUntil(() => ticks === 3);
  expect(clock.now()).toBe(30);
  await expect(clock.runUntil(() => false, 100)).rejects.toThrow('100 ms');
});

test('a seed repeats its history, another does not, and forks do not move it', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [a, b] = [seededRandom(seed), seededRandom(seed)];
      const fork = a.fork();
      b.fork();
      fork.float();
      const draw = (from: typeof a) => [from.float(), from.int(10), from.id('x'), from.pick([1, 2, 3])];
      const drawn = draw(a);
      expect(drawn).toEqual(draw(b));
      expect(drawn).not.toEqual(draw(seededRandom(seed + 1)));
      expect(drawn[2]).toMatch(/^x_[0-9a-z]{16}$/);
    }),
  );
});
