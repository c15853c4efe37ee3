import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { Budget } from './budget.ts';

const history = fc.array(fc.record({ waitMs: fc.nat(2_000), amount: fc.integer({ min: 1, max: 40 }) }), {
  maxLength: 60,
});

test('never grants more than a burst and what the time since the start has earned', () => {
  fc.assert(
    fc.property(history, fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 100 }), (steps, rate, burst) => {
      let now = 0;
      let granted = 0;
      const budget = new Budget(rate, burst, now);
      for (const { waitMs, amount } of steps) {
        now += waitMs;
        if (budget.take(amount, now) === 0) granted += amount;
        expect(granted).toBeLessThanOrEqual(burst + (now / 1_000) * rate + 1e-6);
      }
    }),
  );
});

test('what is refused is granted after the wait that it names', () => {
  fc.assert(
    fc.property(history, (steps) => {
      let now = 0;
      const budget = new Budget(10, 40, now);
      for (const { waitMs, amount } of steps) {
        now += waitMs;
        const retryMs = budget.take(amount, now);
        if (retryMs === 0) continue;
        now += retryMs;
        expect(budget.take(amount, now)).toBe(0);
      }
    }),
  );
});

test('charges go into debt, one burst deep at most, and the debt is paid by time', () => {
  const budget = new Budget(10, 40, 0);
  expect(budget.charge(60, 0)).toBe(true);
  expect(budget.debtMs(0)).toBe(2_000);
  expect(budget.debtMs(2_000)).toBe(0);
  expect(budget.charge(1_000, 2_000)).toBe(false);
  expect(budget.debtMs(2_000)).toBe(4_000);
});
