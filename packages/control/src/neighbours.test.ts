import { ClusterError } from '@veilcast/protocol';
import { seededRandom, virtualClock } from '@veilcast/testkit';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { acceptChannels, connectChannel, type Accepting } from './dial.ts';
import { memoryHub } from './memory.ts';
import { openNeighbours } from './neighbours.ts';
import { RETIRE_QUIET_MS, type Speaker } from './open-channel.ts';
import type { Registration } from './registry.ts';

const me: Speaker = { kind: 'signaling', processId: 'sig-1', incarnation: 'one' };
const serve = async () => undefined;

function setup() {
  const clock = virtualClock();
  /** Until then the other machine does nothing. */
  const stall = { until: 0 };
  const hub = memoryHub({ clock, fate: () => Math.max(0, stall.until - clock.now()) });
  let entries: { value: string }[] = [];
  const listeners = new Set<(entries: readonly { value: string }[]) => void>();
  const registered = new Map<string, Registration>();
  const tell = (): void => {
    entries = [...registered.values()].map((one) => ({ value: JSON.stringify(one) }));
    for (const listener of listeners) listener(entries);
  };
  const directory = {
    watch: (_: string, listener: (entries: readonly { value: string }[]) => void) => {
      listeners.add(listener);
      listener(entries);
      return () => void listeners.delete(listener);
    },
  };
  const running = new Map<string, Accepting>();
  /** Starts a life of a node; the old one is killed as a process is. */
  const start = async (processId: string, incarnation: string): Promise<void> => {
    hub.kill(processId);
    const address = `memory:${processId}`;
    const hello = { kind: 'sfu-node', processId, incarnation };
    running.set(processId, await acceptChannels({ carrier: hub.carrier(processId), address, hello, serve, clock }));
    registered.set(processId, { kind: 'sfu-node', processId, incarnation, address });
    tell();
  };
  const reports: unknown[] = [];
  const neighbours = openNeighbours({
    kind: 'sfu-node',
    directory,
    carrier: hub.carrier('sig-1'),
    clock,
    random: seededRandom(1),
    hello: me,
    serve,
    report: (error) => reports.push(error),
  });
  const told: string[] = [];
  neighbours.onCome(({ registration }) => told.push(`+${registration.processId}/${registration.incarnation}`));
  neighbours.onGo(({ registration }) => told.push(`-${registration.processId}/${registration.incarnation}`));
  return { clock, hub, registered, tell, start, running, neighbours, told, reports, directory, listeners, stall };
}

test('a registered process comes, can be asked, and goes when it dies', async () => {
  const { clock, hub, registered, tell, start, neighbours, told } = setup();
  await start('n1', 'a');
  await clock.advance(0);
  await expect(neighbours.get('n1')?.channel.request('closeRoom', {})).resolves.toBeUndefined();
  expect(neighbours.all().map((one) => one.registration.incarnation)).toEqual(['a']);
  hub.kill('n1');
  await clock.advance(0);
  expect(neighbours.get('n1')).toBeUndefined();
  registered.clear();
  tell();
  await clock.advance(10_000);
  expect(told).toEqual(['+n1/a', '-n1/a']);
  expect(clock.pending()).toBe(0);
});

test.each([
  [1_000, ['+n1/a']],
  [3_000, ['+n1/a', '-n1/a', '+n1/a']],
])('a machine that does nothing for %d ms: whether its process goes', async (stallMs, expected) => {
  const { clock, start, neighbours, told, stall } = setup();
  await start('n1', 'a');
  await clock.advance(10_000);
  stall.until = clock.now() + stallMs;
  await clock.advance(20_000);
  expect(told).toEqual(expected);
  neighbours.close();
});

test('a life is over for certain when nobody listens there any more or the next one does, and not when its link breaks', async () => {
  const { clock, hub, start, neighbours } = setup();
  await start('n1', 'a');
  await clock.advance(0);
  hub.breakLinks('n1');
  await clock.advance(1_000);
  expect(neighbours.isDead('n1', 'a')).toBe(false);
  hub.kill('n1');
  await clock.advance(1_000);
  expect([neighbours.isDead('n1', 'a'), neighbours.isDead('n1', 'b')]).toEqual([true, false]);
  await start('n1', 'b');
  await clock.advance(3_000);
  expect([neighbours.isDead('n1', 'a'), neighbours.isDead('n1', 'b')]).toEqual([true, false]);
  neighbours.close();
});

test('a new incarnation replaces the old one, even where the old one still answers', async () => {
  const { clock, start, registered, tell, neighbours, told } = setup();
  await start('n1', 'a');
  await clock.advance(0);
  const old = neighbours.get('n1')?.channel;
  registered.set('n1', { kind: 'sfu-node', processId: 'n1', incarnation: 'b', address: 'memory:n1' });
  tell();
  await clock.advance(500);
  expect(old?.closed).toBe(true);
  // The one that answers there is not the one that is registered.
  expect(neighbours.get('n1')).toBeUndefined();
  await start('n1', 'b');
  await clock.advance(3_000);
  expect(told).toEqual(['+n1/a', '-n1/a', '+n1/b']);
});

test('a process that is back within its registration is dialled again, soon', async () => {
  const { clock, hub, registered, neighbours, start, told } = setup();
  await start('n1', 'a');
  await clock.advance(0);
  hub.kill('n1');
  await clock.advance(200);
  expect(neighbours.all()).toEqual([]);
  const registration = registered.get('n1');
  await acceptChannels({
    carrier: hub.carrier('n1'),
    address: registration?.address ?? '',
    hello: { kind: 'sfu-node', processId: 'n1', incarnation: 'a' },
    serve,
    clock,
  });
  await clock.advance(500);
  expect(told).toEqual(['+n1/a', '-n1/a', '+n1/a']);
});

test('a channel outlives its registration: a store that is down costs nothing', async () => {
  const { clock, start, registered, tell, neighbours, told } = setup();
  await start('n1', 'a');
  await clock.advance(0);
  registered.clear();
  tell();
  await clock.advance(30_000);
  expect(neighbours.get('n1')?.channel.closed).toBe(false);
  expect(told).toEqual(['+n1/a']);
});

test('one that is no longer registered is not dialled again when its channel closes', async () => {
  const { clock, hub, start, registered, tell, neighbours } = setup();
  await start('n1', 'a');
  await clock.advance(0);
  registered.clear();
  tell();
  hub.kill('n1');
  await clock.advance(0);
  expect([neighbours.all().length, clock.pending()]).toEqual([0, 0]);
});

test('a dial that a newer registration overtook is given up', async () => {
  const clock = virtualClock();
  const hub = memoryHub({ clock, fate: () => 50 });
  const listeners: ((entries: { value: string }[]) => void)[] = [];
  const hello = { kind: 'sfu-node', processId: 'n1', incarnation: 'a' };
  const lives = ['a', 'b'].map((incarnation) => ({ ...hello, incarnation, address: `memory:${incarnation}` }));
  for (const { incarnation, address } of lives)
    await acceptChannels({ carrier: hub.carrier('n1'), address, hello: { ...hello, incarnation }, serve, clock });
  const neighbours = openNeighbours({
    kind: 'sfu-node',
    directory: { watch: (_, listener) => (listeners.push(listener), () => undefined) },
    carrier: hub.carrier('sig-1'),
    clock,
    random: seededRandom(1),
    hello: me,
    serve,
  });
  const told: string[] = [];
  neighbours.onCome(({ registration, channel }) =>
    told.push(`${registration.incarnation} ${channel.remote.incarnation}`),
  );
  for (const life of lives) {
    listeners[0]?.([{ value: JSON.stringify(life) }]);
    await clock.advance(60);
  }
  await clock.advance(1_000);
  expect(told).toEqual(['b b']);
});

test('dialling slows down to its bound and stops with the registration', async () => {
  const { clock, hub, registered, tell } = setup();
  let dials = 0;
  await hub.carrier('n1').listen('memory:n1', (link) => {
    dials += 1;
    link.close();
  });
  registered.set('n1', { kind: 'sfu-node', processId: 'n1', incarnation: 'a', address: 'memory:n1' });
  tell();
  await clock.advance(60_000);
  expect(dials).toBeGreaterThan(20);
  expect(dials).toBeLessThan(80);
  registered.clear();
  tell();
  const before = dials;
  await clock.advance(60_000);
  expect(dials).toBeLessThanOrEqual(before);
});

test('nobody dials itself, nor what is not a registration of this kind', async () => {
  const { clock, registered, tell, neighbours, reports } = setup();
  registered.set('sig-1', { kind: 'sfu-node', processId: 'sig-1', incarnation: 'x', address: 'memory:1' });
  registered.set('r1', { kind: 'cascade-router', processId: 'r1', incarnation: 'x', address: 'memory:2' });
  registered.set('bad', { nonsense: true } as never);
  tell();
  await clock.advance(5_000);
  expect(neighbours.all()).toEqual([]);
  expect(clock.pending()).toBe(0);
  expect(reports).toHaveLength(1);
});

test('close ends every channel and timer, and tells nobody', async () => {
  const { clock, start, neighbours, told, listeners, running } = setup();
  await start('n1', 'a');
  await start('n2', 'a');
  await clock.advance(0);
  neighbours.close();
  neighbours.close();
  await clock.settle();
  expect([listeners.size, neighbours.all().length, told.length]).toEqual([0, 0, 2]);
  for (const one of running.values()) await one.close();
  await clock.settle();
  expect(clock.pending()).toBe(0);
});

test('whatever lives and dies, in the end each registered living process has one channel', async () => {
  const step = fc.record({
    node: fc.nat(2),
    kind: fc.constantFrom('start' as const, 'kill' as const, 'forget' as const, 'wait' as const),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { clock, hub, registered, tell, start, neighbours, told } = setup();
      const alive = new Map<string, string>();
      for (const [at, { node, kind }] of steps.entries()) {
        const id = `n${node}`;
        if (kind === 'start') {
          await start(id, `i${at}`);
          alive.set(id, `i${at}`);
        } else if (kind === 'kill') {
          hub.kill(id);
          alive.delete(id);
        } else if (kind === 'forget' && !alive.has(id)) {
          registered.delete(id);
          tell();
        } else await clock.advance(at * 37);
      }
      await clock.advance(10_000);
      const found = neighbours.all().map((one) => [one.registration.processId, one.registration.incarnation] as const);
      expect(new Map(found)).toEqual(alive);
      expect(found).toHaveLength(alive.size);
      // Each that came and is not here has gone, once.
      const balance = new Map<string, number>();
      for (const one of told)
        balance.set(one.slice(1), (balance.get(one.slice(1)) ?? 0) + (one.startsWith('+') ? 1 : -1));
      for (const [id, count] of balance)
        expect(count).toBe(alive.get(id.split('/')[0] ?? '') === id.split('/')[1] ? 1 : 0);
    }),
    { numRuns: 60 },
  );
});

test('connecting to somebody else than expected is STALE_INCARNATION, and closes', async () => {
  const { clock, hub, start, running } = setup();
  await start('n1', 'b');
  await clock.settle();
  const ask = connectChannel({
    carrier: hub.carrier('sig-1'),
    address: 'memory:n1',
    hello: me,
    serve,
    clock,
    expect: { processId: 'n1', incarnation: 'a' },
  });
  await expect(ask).rejects.toMatchObject({ code: 'STALE_INCARNATION' });
  await clock.settle();
  expect(
    running
      .get('n1')
      ?.channels()
      .map((one) => one.remote.processId),
  ).toEqual(['sig-1']);
});

test('more strangers than the bound are not let in', async () => {
  const clock = virtualClock();
  const hub = memoryHub({ clock });
  const options = { address: 'memory:1', hello: me, serve, clock };
  const accepting = await acceptChannels({ ...options, carrier: hub.carrier('a'), maxChannels: 2 });
  const dial = () => connectChannel({ ...options, carrier: hub.carrier('b') });
  const [one] = [await dial(), await dial()];
  await expect(dial()).rejects.toBeInstanceOf(ClusterError);
  one.close();
  await clock.settle();
  await dial();
  expect(accepting.channels()).toHaveLength(2);
  await accepting.close();
  await clock.settle();
  expect(accepting.channels()).toHaveLength(0);
  await expect(dial()).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  expect(clock.pending()).toBe(0);
});

test('a stale Channel is replaced before it is retired: nobody goes, and what is under way ends well', async () => {
  const { clock, hub, start, directory } = setup();
  const stale = new Set<() => void>();
  const carrier = hub.carrier('sig-2');
  const hello = { ...me, processId: 'sig-2' };
  const renewing = openNeighbours({
    kind: 'sfu-node',
    directory,
    carrier: {
      listen: (address, accept) => carrier.listen(address, accept),
      dial: async (address) => {
        const link = await carrier.dial(address);
        link.onStale = (listener) => stale.add(listener);
        return link;
      },
    },
    clock,
    random: seededRandom(1),
    hello,
    serve,
  });
  const told: string[] = [];
  renewing.onCome(() => told.push('came'));
  renewing.onGo(() => told.push('went'));
  await start('n1', 'a');
  await clock.advance(0);
  const old = renewing.get('n1')?.channel;
  for (const tell of stale) tell();
  await clock.advance(0);
  const fresh = renewing.get('n1')?.channel;
  expect(fresh).not.toBe(old);
  expect(told).toEqual(['came', 'came']);
  await expect(Promise.all([old?.request('closeRoom', {}), fresh?.request('closeRoom', {})])).resolves.toBeDefined();
  await clock.advance(RETIRE_QUIET_MS + 1_000);
  expect([old?.closed, fresh?.closed]).toEqual([true, false]);
  expect(told).toEqual(['came', 'came']);

  renewing.close();
});
