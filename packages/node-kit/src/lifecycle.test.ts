import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import { CLOSE_MAX_MS, runService, type ProcessPort } from './lifecycle.ts';
import { createLogger } from './log.ts';
import type { Service } from './service.ts';

const log = createLogger({ service: 'test', level: 'silent' });

function setup(close: () => Promise<void> = async () => undefined) {
  const listeners = new Map<string, (arg?: unknown) => void>();
  const exits: number[] = [];
  const port: ProcessPort = {
    on: (event, listener) => listeners.set(event, listener),
    exit: (code) => exits.push(code),
  };
  const clock = virtualClock();
  let closes = 0;
  const service: Service = {
    ready: () => true,
    close: async () => {
      closes += 1;
      await close();
    },
  };
  const run = (start: () => Promise<Service> = async () => service) => runService(start, { log, clock, process: port });
  const raise = (event: string, arg?: unknown): void => listeners.get(event)?.(arg);
  return { clock, exits, run, raise, closes: () => closes };
}

test.each(['SIGTERM', 'SIGINT', 'disconnect'])('%s closes the service and ends with 0', async (signal) => {
  const { clock, exits, run, raise, closes } = setup();
  await run();
  raise(signal);
  await clock.settle();
  expect([exits, closes(), clock.pending()]).toEqual([[0], 1, 0]);
});

test('a close that hangs is cut off', async () => {
  const { clock, exits, run, raise } = setup(() => new Promise(() => undefined));
  await run();
  raise('SIGTERM');
  await clock.advance(CLOSE_MAX_MS - 1);
  expect(exits).toEqual([]);
  await clock.advance(1);
  expect(exits).toEqual([1]);
});

test('a second signal does not wait, and does not close twice', async () => {
  const { clock, exits, run, raise, closes } = setup(() => new Promise(() => undefined));
  await run();
  raise('SIGINT');
  await clock.settle();
  raise('SIGINT');
  expect([exits, closes()]).toEqual([[130], 1]);
});

test.each(['unhandledRejection', 'uncaughtException'])('%s closes and ends with 1', async (event) => {
  const { clock, exits, run, raise, closes } = setup();
  await run();
  raise(event, new Error('a bug'));
  await clock.settle();
  expect([exits, closes()]).toEqual([[1], 1]);
});

test('a service that does not start, or does not close well, ends with 1', async () => {
  const unstarted = setup();
  expect(await unstarted.run(() => Promise.reject(new Error('no port')))).toBeUndefined();
  await unstarted.clock.settle();
  expect(unstarted.exits).toEqual([1]);
  const unclosed = setup(() => Promise.reject(new Error('stuck')));
  await unclosed.run();
  unclosed.raise('SIGTERM');
  await unclosed.clock.settle();
  expect(unclosed.exits).toEqual([1]);
});

test('a signal while it starts closes it when it has started', async () => {
  const { clock, exits, run, raise, closes } = setup();
  let started!: (service: Service) => void;
  const running = run(() => new Promise((resolve) => (started = resolve)));
  raise('SIGTERM');
  await clock.settle();
  expect(exits).toEqual([]);
  let closed = false;
  started({ ready: () => true, close: async () => void (closed = true) });
  await running;
  await clock.settle();
  expect([exits, closed, closes()]).toEqual([[0], true, 0]);
});
