import { acceptChannels, CHANNEL_LIMITS, connectChannel, eventOf, type Channel } from '@veilcast/control';
import { expect, test } from 'vitest';
import { seededRandom } from './seeded-random.ts';
import { simulatedCluster, type NetworkOptions } from './simulated-cluster.ts';
import { virtualClock } from './virtual-clock.ts';

const serve = async () => undefined;
const helloOf = (processId: string) => ({ kind: 'signaling', processId, incarnation: 'i' });

function setup(network: NetworkOptions = {}, seed = 1) {
  const clock = virtualClock(0);
  const cluster = simulatedCluster(clock, seededRandom(seed), network);
  const [a, b] = [cluster.process('a'), cluster.process('b')];
  const join = async (): Promise<{ near: Channel; far: Channel }> => {
    let far: Channel | undefined;
    const accepting = acceptChannels({
      carrier: b.carrier,
      address: 'b',
      hello: helloOf('b'),
      serve,
      clock: b.clock,
      onChannel: (channel) => (far = channel),
    });
    await accepting;
    let near: Channel | undefined;
    void connectChannel({ carrier: a.carrier, address: 'b', hello: helloOf('a'), serve, clock: a.clock }).then(
      (channel) => (near = channel),
    );
    await clock.runUntil(() => near !== undefined && far !== undefined);
    return { near: near!, far: far! };
  };
  return { clock, cluster, a, b, join };
}

test('frames take as long as the way is', async () => {
  const { clock, join } = setup({ delayMs: () => 40 });
  const { near } = await join();
  const asked = clock.now();
  let answered = 0;
  void near.request('closeRoom', {}).then(() => (answered = clock.now()));
  await clock.runUntil(() => answered > 0);
  expect(answered - asked).toBe(80);
});

test('loss and jitter delay and never reorder; a seed repeats them', async () => {
  const histories: string[] = [];
  for (const seed of [7, 7, 8]) {
    const { clock, join } = setup({ delayMs: () => 5, jitterMs: 50, loss: 0.2 }, seed);
    const { near, far } = await join();
    const got: string[] = [];
    const when: number[] = [];
    far.onEvent((event) => {
      got.push(event.case === 'peerGone' ? event.value.peerId : '');
      when.push(Math.round(clock.now()));
    });
    for (let at = 0; at < 50; at += 1) near.emit(eventOf('peerGone', { peerId: `${at}` }));
    await clock.runUntil(() => got.length === 50);
    expect(got).toEqual(Array.from({ length: 50 }, (_, at) => `${at}`));
    expect(new Set(when).size).toBeGreaterThan(1);
    histories.push(when.join(' '));
  }
  expect(histories[0]).toBe(histories[1]);
  expect(histories[0]).not.toBe(histories[2]);
});

test('a cut is noticed by silence alone, a short one not at all', async () => {
  const { clock, cluster, a, join } = setup();
  const { near, far } = await join();
  let answers = 0;
  cluster.cut('a', 'b');
  void near.request('closeRoom', {}).then(() => (answers += 1));
  await clock.advance(1_000);
  expect([near.closed, far.closed, answers]).toEqual([false, false, 0]);
  cluster.heal('a', 'b');
  await clock.advance(0);
  expect(answers).toBe(1);
  cluster.cut('b', 'a');
  await expect(a.carrier.dial('b')).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  await clock.advance(CHANNEL_LIMITS.suspectMs + CHANNEL_LIMITS.pingMs);
  expect([near.closed, far.closed]).toEqual([true, true]);
});

test('a killed process says nothing, runs nothing, and is noticed at once', async () => {
  const { clock, cluster, a, b, join } = setup();
  const { near } = await join();
  let ran = 0;
  b.clock.every(10, () => (ran += 1));
  await b.coordination.directory.put('process/b', 'x', 3_000);
  const { lease } = await b.coordination.leases.acquire('room/demo', 'b', 3_000);
  b.kill();
  await clock.advance(100);
  expect([near.closed, ran, b.alive]).toEqual([true, 0, false]);
  expect(await a.coordination.leases.acquire('room/demo', 'a', 3_000)).toMatchObject({ kind: 'refused' });
  expect(await a.coordination.directory.list('process/')).toHaveLength(1);
  await expect(b.coordination.leases.renew(lease, 3_000)).rejects.toMatchObject({ code: 'CLOSED' });
  await expect(b.carrier.dial('b')).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  await clock.advance(3_000);
  expect(await a.coordination.leases.acquire('room/demo', 'a', 3_000)).toMatchObject({ kind: 'held' });
  cluster.process('b').clock.after(5, () => (ran += 1));
  await clock.advance(10);
  expect(ran).toBe(1);
});

test('a paused process does nothing, and goes on where it was', async () => {
  const { clock, b, join } = setup();
  const { near, far } = await join();
  let ticks = 0;
  b.clock.every(100, () => (ticks += 1));
  b.pause();
  let answers = 0;
  void near.request('closeRoom', {}).then(() => (answers += 1));
  await clock.advance(1_200);
  expect([ticks, answers, near.closed]).toEqual([0, 0, false]);
  b.resume();
  await clock.advance(0);
  expect([ticks, answers]).toEqual([1, 1]);
  b.pause();
  await clock.advance(CHANNEL_LIMITS.suspectMs + CHANNEL_LIMITS.pingMs);
  expect([near.closed, far.closed]).toEqual([true, false]);
  b.resume();
  await clock.advance(0);
  expect(far.closed).toBe(true);
});

test('a store that is down fails, one that is silent waits, and watchers catch up', async () => {
  const { clock, cluster, a, b } = setup();
  const seen: number[] = [];
  a.coordination.directory.watch('process/', (entries) => seen.push(entries.length));
  await clock.settle();
  cluster.setStore('down');
  await expect(a.coordination.leases.read('x')).rejects.toMatchObject({ code: 'INTERNAL' });
  cluster.setStore('silent', 'a');
  cluster.setStore('up');
  await b.coordination.directory.put('process/b', 'x', 10_000);
  let answered = false;
  void a.coordination.leases.read('x').then(() => (answered = true));
  await clock.advance(1_000);
  expect([answered, seen]).toEqual([false, [0]]);
  cluster.setStore('up', 'a');
  await clock.settle();
  expect([answered, seen]).toEqual([true, [0, 1]]);
});
