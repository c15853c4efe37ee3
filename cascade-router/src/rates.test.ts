import { expect, test } from 'vitest';
import type { PipeReport } from './messages.ts';
import { PipeRates } from './rates.ts';

function counted(packets: number): PipeReport {
  const named = { roomId: 'room', pipeId: 'a>b', workerId: 'a' } as Pick<PipeReport, 'roomId' | 'pipeId' | 'workerId'>;
  return {
    ...named,
    packets,
    bytes: packets * 100,
    connected: true,
    sends: [],
    receives: [],
    paused: [],
    rttMs: -1,
    lossRatio: 0,
  };
}

test('rates come from differences, and a report between two measurements does not disturb them', () => {
  const rates = new PipeRates();
  rates.take([counted(100)], 0);
  expect(rates.of(counted(0))).toMatchObject({ packetsPerSecond: 0, bitsPerSecond: 0 });
  rates.take([counted(300)], 1_000);
  rates.take([counted(300)], 1_020);
  expect(rates.of(counted(0))).toMatchObject({ packetsPerSecond: 200, bitsPerSecond: 160_000 });
  rates.take([counted(300)], 2_000);
  rates.take([counted(300)], 3_000);
  expect(rates.of(counted(0)).packetsPerSecond).toBe(0);
});

test('a counter that went back starts anew, and an end that is gone is forgotten', () => {
  const rates = new PipeRates();
  rates.take([counted(1_000)], 0);
  rates.take([counted(10)], 1_000);
  expect(rates.of(counted(0)).packetsPerSecond).toBe(0);
  rates.take([counted(20)], 2_000);
  expect(rates.of(counted(0)).packetsPerSecond).toBe(10);
  rates.take([], 3_000);
  expect(rates.of(counted(0)).packetsPerSecond).toBe(0);
});
