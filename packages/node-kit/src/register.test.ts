import type { Registration } from '@veilcast/control';
import { memoryCoordination, MemoryStore } from '@veilcast/coordination';
import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import { createLogger } from './log.ts';
import { register } from './register.ts';

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

test('a process that dies is gone when its time is over', async () => {
  const clock = virtualClock();
  const store = new MemoryStore(clock);
  const dying = memoryCoordination(store);
  await register({ clock, coordination: dying, log }, registration);
  await dying.close();
  await clock.advance(3_001);
  expect(await memoryCoordination(store).directory.list('process/')).toEqual([]);
});
