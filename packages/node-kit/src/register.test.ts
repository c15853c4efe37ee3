import type { Registration } from '@veilcast/control';
import { memoryCoordination, MemoryStore } from '@veilcast/coordination';
import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import { createLogger } from './log.ts';
import { register, type Registered } from './register.ts';

const registration: Registration = { kind: 'sfu-node', processId: 'n1', incarnation: 'i1', address: 'memory:n1' };
const log = createLogger({ service: 'test', level: 'silent' });

test('stays for as long as the process lives, goes at once when it closes', async () => {
  const clock = virtualClock();
  const coordination = memoryCoordination(new MemoryStore(clock));
  const registered = await register({ clock, coordination, log }, registration);
  await clock.advance(30_000);
  const [entry] = await coordination.directory.list('process/sfu-node/');
  expect(JSON.parse(entry?.value ?? '')).toEqual(registration);
  await registered.change({ ...registration, region: 'eu' });
  expect((await coordination.directory.list('process/'))[0]?.value).toContain('"eu"');
  await registered.close();
  await registered.close();
  expect(await coordination.directory.list('process/')).toEqual([]);
  expect(clock.pending()).toBe(0);
});

test('a store that is down is tried again', async () => {
  const clock = virtualClock();
  const coordination = memoryCoordination(new MemoryStore(clock));
  let down = true;
  const directory = {
    ...coordination.directory,
    put: async (...args: Parameters<typeof coordination.directory.put>) => {
      if (down) throw new Error('down');
      return coordination.directory.put(...args);
    },
  };
  const registered = await register({ clock, coordination: { ...coordination, directory }, log }, registration);
  expect(await coordination.directory.list('process/')).toEqual([]);
  down = false;
  await clock.advance(1_000);
  expect(await coordination.directory.list('process/')).toHaveLength(1);
  await registered.close();
});

test('a store that is silent does not hold up the end', async () => {
  const clock = virtualClock();
  const coordination = memoryCoordination(new MemoryStore(clock));
  let silent = false;
  const directory = {
    ...coordination.directory,
    put: (...args: Parameters<typeof coordination.directory.put>) =>
      silent ? new Promise<never>(() => undefined) : coordination.directory.put(...args),
  };
  const registered = await register({ clock, coordination: { ...coordination, directory }, log }, registration);
  silent = true;
  await clock.advance(1_500);
  let closed = false;
  void registered.close().then(() => (closed = true));
  await clock.advance(1_000);
  expect([closed, clock.pending()]).toEqual([true, 0]);
});

test('a renewal that is slow does not come back after the process has gone', async () => {
  const clock = virtualClock();
  const coordination = memoryCoordination(new MemoryStore(clock));
  const directory = {
    ...coordination.directory,
    put: async (...args: Parameters<typeof coordination.directory.put>) => {
      await new Promise<void>((resolve) => void clock.after(700, resolve));
      return coordination.directory.put(...args);
    },
  };
  let registered: Registered | undefined;
  void register({ clock, coordination: { ...coordination, directory }, log }, registration).then(
    (one) => (registered = one),
  );
  await clock.advance(700);
  await clock.advance(1_000);
  let closed = false;
  // One is under way, and one asked for.
  void registered?.change(registration);
  void registered?.close().then(() => (closed = true));
  await clock.advance(5_000);
  expect(closed).toBe(true);
  expect(await coordination.directory.list('process/')).toEqual([]);
  expect(clock.pending()).toBe(0);
});

test('a process that dies is gone when its time is over', async () => {
  const clock = virtualClock();
  const store = new MemoryStore(clock);
  const dying = memoryCoordination(store);
  await register({ clock, coordination: dying, log }, registration);
  await dying.close();
  await clock.advance(3_001);
  expect(await memoryCoordination(store).directory.list('process/')).toEqual([]);
});
