import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { pace } from './pace.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function counted(): { readonly calls: () => number; readonly listener: () => void } {
  let calls = 0;
  return { calls: () => calls, listener: () => void (calls += 1) };
}

test('the first call is at once, a burst behind it is one more', () => {
  const { calls, listener } = counted();
  const paced = pace(listener, 100);
  for (let i = 0; i < 50; i++) paced.call();
  expect(calls()).toBe(1);
  vi.advanceTimersByTime(99);
  expect(calls()).toBe(1);
  vi.advanceTimersByTime(1);
  expect(calls()).toBe(2);
});

test('the last change is never lost, and the pace holds over a long burst', () => {
  const { calls, listener } = counted();
  const paced = pace(listener, 100);
  for (let ms = 0; ms < 1_000; ms += 10) {
    paced.call();
    vi.advanceTimersByTime(10);
  }
  expect(calls()).toBe(11);
  vi.advanceTimersByTime(1_000);
  expect(calls()).toBe(11);
  paced.call();
  expect(calls()).toBe(12);
});

test('nothing is called after it is cancelled', () => {
  const { calls, listener } = counted();
  const paced = pace(listener, 100);
  paced.call();
  paced.call();
  paced.cancel();
  vi.advanceTimersByTime(1_000);
  expect(calls()).toBe(1);
});
