import { PeerId } from '@veilcast/protocol';
import { expect, test } from 'vitest';
import { systemClock, systemRandom } from './system.ts';

test('ids are ids of the protocol, and never twice the same', () => {
  const ids = Array.from({ length: 2_000 }, () => systemRandom.id('peer'));
  for (const id of ids) {
    expect(PeerId.safeParse(id).success).toBe(true);
    expect(id).toMatch(/^peer_[0-9a-z]{16}$/);
  }
  expect(new Set(ids).size).toBe(ids.length);
});

test('floats are within [0, 1) and fill it', () => {
  const floats = Array.from({ length: 2_000 }, () => systemRandom.float());
  expect(floats.every((one) => one >= 0 && one < 1)).toBe(true);
  for (let tenth = 0; tenth < 10; tenth += 1)
    expect(floats.filter((one) => Math.floor(one * 10) === tenth).length).toBeGreaterThan(100);
});

test('what is cancelled does not run; a wait beyond the timer bound does not run at once', async () => {
  const ran: string[] = [];
  systemClock.after(1, () => ran.push('cancelled'))();
  const stopFar = systemClock.after(2 ** 40, () => ran.push('far'));
  const stop = systemClock.every(5, () => ran.push('tick'));
  await expect.poll(() => ran.length).toBeGreaterThan(2);
  stop();
  stopFar();
  expect(new Set(ran)).toEqual(new Set(['tick']));
});
