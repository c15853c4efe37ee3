import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import { ComingOver } from './coming-over.ts';

function room() {
  const clock = virtualClock();
  const seen = { empty: true, closed: 0 };
  const comingOver = new ComingOver({
    clock,
    isEmpty: () => seen.empty,
    close: async () => void (seen.closed += 1),
  });
  return { clock, seen, comingOver };
}

test('a Room that nobody is in is closed at once', () => {
  const { seen, comingOver } = room();
  comingOver.emptied();
  expect(seen.closed).toBe(1);
});

test('one whose people are on their way stays until they are here, or do not come', async () => {
  const { clock, seen, comingOver } = room();
  comingOver.expect();
  comingOver.emptied();
  comingOver.emptied();
  seen.empty = false;
  await clock.advance(20_000);
  expect(seen.closed).toBe(0);
  seen.empty = true;
  comingOver.expect();
  comingOver.emptied();
  await clock.advance(10_000);
  comingOver.expect();
  await clock.advance(10_000);
  expect(seen.closed).toBe(0);
  await clock.advance(10_000);
  expect(seen.closed).toBe(1);
  expect(clock.pending()).toBe(0);
});

test('an owner that gives the Room up closes nothing later', async () => {
  const { clock, seen, comingOver } = room();
  comingOver.expect();
  comingOver.emptied();
  comingOver.stop();
  await clock.advance(60_000);
  expect([seen.closed, clock.pending()]).toEqual([0, 0]);
});
