import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import type { MediaWorker } from './port.ts';
import { ASK_EVERY_MS, LOOKS_MOST, watchPulse, type ProcessState } from './pulse.ts';

function setup(state: () => ProcessState) {
  const clock = virtualClock();
  const answers: (() => void)[] = [];
  let answersAtOnce = true;
  const worker = {
    closed: false,
    getResourceUsage: () =>
      new Promise<object>((resolve) => {
        if (answersAtOnce) resolve({});
        else answers.push(() => resolve({}));
      }),
  };
  let hangs = 0;
  const stop = watchPulse({
    clock,
    worker: worker as unknown as MediaWorker,
    process: { stateOf: async () => state() },
    hangs: () => (hangs += 1),
  });
  return {
    clock,
    stop,
    worker,
    silent: () => (answersAtOnce = false),
    answer: () => {
      answersAtOnce = true;
      for (const answer of answers.splice(0)) answer();
    },
    hangs: () => hangs,
  };
}

test('a stopped worker is condemned after two questions that it did not answer, once', async () => {
  const { clock, silent, hangs } = setup(() => 'stopped');
  await clock.advance(60_000);
  expect(hangs()).toBe(0);
  silent();
  await clock.advance(4 * ASK_EVERY_MS);
  expect(hangs()).toBe(1);
  await clock.advance(60_000);
  expect(hangs()).toBe(1);
  expect(clock.pending()).toBe(0);
});

test('one that only waits for a core is given time, and none for ever', async () => {
  const { clock, silent, answer, hangs } = setup(() => 'other');
  silent();
  await clock.advance((LOOKS_MOST - 1) * ASK_EVERY_MS);
  answer();
  await clock.advance(60_000);
  expect(hangs()).toBe(0);
  silent();
  await clock.advance((LOOKS_MOST + 2) * ASK_EVERY_MS);
  expect(hangs()).toBe(1);
});

test('one that answers while the kernel is asked lives', async () => {
  const worlds = setup(() => {
    worlds.answer();
    return 'stopped';
  });
  worlds.silent();
  await worlds.clock.advance(60_000);
  expect(worlds.hangs()).toBe(0);
  worlds.worker.closed = true;
  await worlds.clock.advance(ASK_EVERY_MS);
  expect(worlds.clock.pending()).toBe(0);
});
