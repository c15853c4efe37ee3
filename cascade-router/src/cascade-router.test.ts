import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cluster, demand } from './cluster.fixture.ts';

let cluster: Cluster;
beforeEach(() => {
  cluster = new Cluster();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.clock.pending()).toBe(0);
});

async function twoRegions() {
  const a = await cluster.node('a', 'eu');
  const b = await cluster.node('b', 'us');
  await cluster.router('r1');
  return { a, b };
}

describe('pipes', () => {
  test('are opened for the first want, once, and carry what is wanted', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0'));
    await cluster.clock.advance(1_000);
    expect(cluster.endCount('room')).toBe(0);
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(100);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    await cluster.clock.advance(10_000);
    expect(cluster.count('preparePipe')).toBe(2);
    expect(cluster.count('connectPipe')).toBe(2);
    expect(cluster.count('sendOnPipe')).toBe(1);
    expect(cluster.count('closePipe')).toBe(0);
    expect(await cluster.metric('veilcast_cascade_pipes_open')).toBe(1);
    expect(await cluster.metric('veilcast_cascade_steps_total{kind="openPipe",outcome="done"')).toBe(1);
  });

  test('wait for the Producer to be there, then carry it at once', async () => {
    const { a } = await twoRegions();
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(2_000);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': [] });
    a.produce('room', 'p1');
    await cluster.clock.advance(60);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
  });

  test('keep back what nobody below looks at after a delay, and let it in again at once', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    const watched = demand('p1: a/0 > b/0');
    const idle = { ...watched, wants: watched.wants?.map((want) => ({ ...want, idle: true })) };
    const paused = () => [...(a.end('room', 'a/0>b/0')?.paused ?? [])];
    await cluster.put('room', watched);
    await cluster.clock.advance(200);
    await cluster.put('room', idle);
    await cluster.clock.advance(500);
    expect(paused()).toEqual([]);
    await cluster.clock.advance(1_000);
    expect(paused()).toEqual(['p1']);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    await cluster.put('room', watched);
    await cluster.clock.advance(20);
    expect(paused()).toEqual([]);
    expect(cluster.count('pauseOnPipe')).toBe(2);
  });

  test('let go of a Producer after a delay, close with the last, and stay when it is wanted again in time', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    a.produce('room', 'p2');
    await cluster.put('room', demand('p1: a/0 > b/0', 'p2: a/0 > b/0'));
    await cluster.clock.advance(200);
    await cluster.put('room', demand('p1: a/0', 'p2: a/0 > b/0'));
    await cluster.clock.advance(800);
    await cluster.put('room', demand('p1: a/0 > b/0', 'p2: a/0 > b/0'));
    await cluster.clock.advance(3_000);
    expect(cluster.count('stopOnPipe')).toBe(0);
    await cluster.put('room', demand('p1: a/0', 'p2: a/0 > b/0'));
    await cluster.clock.advance(1_100);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p2'] });
    await cluster.put('room', demand('p1: a/0', 'p2: a/0'));
    await cluster.clock.advance(900);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p2'] });
    await cluster.clock.advance(200);
    expect(cluster.endCount('room')).toBe(0);
  });

  test('go both ways between two regions and relay inside one', async () => {
    const a = await cluster.node('a', 'eu', { workers: 2 });
    const b = await cluster.node('b', 'us', { workers: 2 });
    await cluster.router('r1');
    a.produce('room', 'p1');
    b.produce('room', 'p2', 1);
    await cluster.put('room', demand('p1: a/0 > a/1 b/0 b/1', 'p2: b/1 > a/0 a/1 b/0'));
    await cluster.clock.advance(300);
    const open = cluster.open('room');
    const long = Object.keys(open).filter((pipe) => pipe.startsWith('a') !== pipe.includes('>a'));
    expect(long).toHaveLength(2);
    for (const worker of ['a/0', 'a/1', 'b/0', 'b/1']) {
      const node = worker.startsWith('a') ? a : b;
      expect([...node.producersOn('room', worker)].sort()).toEqual(['p1', 'p2']);
    }
  });

  test('come down with the Room, whose Lease is given back', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(200);
    await cluster.put('room', {});
    await cluster.clock.advance(200);
    expect(cluster.endCount('room')).toBe(0);
    expect(await cluster.routers.get('r1')?.context.coordination.leases.read('plan/room')).toBeUndefined();
    expect(await cluster.metric('veilcast_cascade_rooms')).toBe(0);
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(200);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
  });
});

describe('what goes wrong', () => {
  test('a Node that refuses is asked again, less and less often, and then all is well', async () => {
    const { a, b } = await twoRegions();
    a.produce('room', 'p1');
    b.refuseWith = 'INTERNAL';
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(10_000);
    expect(cluster.open('room')).toEqual({});
    expect(a.calls.length).toBeLessThan(25);
    b.refuseWith = undefined;
    await cluster.clock.advance(3_500);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
  });

  test('a pipe end that vanishes is made anew, at both ends', async () => {
    const { a, b } = await twoRegions();
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(200);
    b.ends.clear();
    b.changed();
    await cluster.clock.advance(200);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    expect(cluster.endCount('room')).toBe(2);
  });

  test('ends that nobody planned are closed', async () => {
    const { a, b } = await twoRegions();
    a.produce('room', 'p1');
    const stray = {
      roomId: 'room',
      port: 1,
      remotePort: 2,
      sends: new Set(['p1']),
      receives: new Set(['p9']),
      paused: new Set(),
      packets: 0,
    };
    await cluster.put('room', demand('p1: a/0 > b/0'));
    a.ends.set('room a/0>z/0 a/0', { ...stray, pipeId: 'a/0>z/0', workerId: 'a/0' });
    b.ends.set('room junk b/0', { ...stray, pipeId: 'junk', workerId: 'b/0' });
    a.changed();
    b.changed();
    await cluster.clock.advance(300);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    expect(cluster.endCount('room')).toBe(2);
  });

  test('the death of a relay moves only what it fed, within a second', async () => {
    const a = await cluster.node('a', 'eu');
    const [b, c] = [await cluster.node('b', 'us'), await cluster.node('c', 'us')];
    await cluster.router('r1');
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0 c/0'));
    await cluster.clock.advance(300);
    expect(Object.keys(cluster.open('room'))).toEqual(['a/0>b/0', 'b/0>c/0']);
    cluster.hub.kill('b');
    b.ends.clear();
    await cluster.clock.advance(1_000);
    expect(cluster.open('room')).toEqual({ 'a/0>c/0': ['p1'] });
    expect(a.end('room', 'a/0>b/0')).toBeUndefined();
    expect(c.end('room', 'b/0>c/0')).toBeUndefined();
  });

  test('a Worker that dies is planned around at once, even just after the start', async () => {
    const a = await cluster.node('a', 'eu');
    const b = await cluster.node('b', 'us', { workers: 2 });
    await cluster.router('r1');
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0 b/1'));
    await cluster.clock.advance(300);
    expect(Object.keys(cluster.open('room'))).toEqual(['a/0>b/0', 'b/0>b/1']);
    b.loseWorker(0);
    await cluster.clock.advance(100);
    expect(cluster.open('room')).toEqual({ 'a/0>b/1': ['p1'] });
    expect(cluster.endCount('room')).toBe(2);
  });

  test('a Node that hangs is planned around, and taken back when it speaks again', async () => {
    const a = await cluster.node('a', 'eu');
    const [b, c] = [await cluster.node('b', 'us'), await cluster.node('c', 'us')];
    await cluster.router('r1');
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0 c/0'));
    await cluster.clock.advance(300);
    b.hung = true;
    await cluster.clock.advance(3_000);
    expect((await cluster.picture()).nodes.find((node) => node.nodeId === 'b')?.state).toBe('suspect');
    expect(Object.keys(cluster.open('room'))).toEqual(['a/0>b/0', 'b/0>c/0']);
    await cluster.clock.advance(2_000);
    expect(c.end('room', 'a/0>c/0')?.receives).toEqual(new Set(['p1']));
    b.hung = false;
    await cluster.clock.advance(6_000);
    expect(cluster.open('room')).toEqual({ 'a/0>c/0': ['p1'], 'c/0>b/0': ['p1'] });
  });

  test('a pause of this process condemns nobody', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(300);
    const before = cluster.nodes.flatMap((node) => node.calls).length;
    cluster.pausedMs = 20_000;
    await cluster.clock.advance(150);
    expect((await cluster.picture()).nodes.map((node) => node.state)).toEqual(['healthy', 'healthy']);
    await cluster.clock.advance(2_000);
    expect(cluster.nodes.flatMap((node) => node.calls).length).toBe(before);
  });

  test('a restarted Node is a new one: nothing of the old is believed', async () => {
    const { a, b } = await twoRegions();
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(300);
    cluster.hub.kill('b');
    await b.close();
    cluster.nodes.pop();
    const again = await cluster.node('b', 'us', { incarnation: 'i2' });
    await cluster.clock.advance(400);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    expect(again.calls.length).toBeGreaterThan(0);
  });
});

test('the picture shows Nodes, what flows on Pipes, and the Routers of Rooms', async () => {
  const { a } = await twoRegions();
  a.produce('room', 'p1');
  await cluster.put('room', demand('p1: a/0 > b/0'));
  await cluster.clock.advance(5_000);
  const picture = await cluster.picture();
  expect(picture.nodes.map(({ nodeId, region, state }) => [nodeId, region, state])).toEqual([
    ['a', 'eu', 'healthy'],
    ['b', 'us', 'healthy'],
  ]);
  expect(picture.pipes).toMatchObject([
    { pipeId: 'a/0>b/0', fromNode: 'a', toNode: 'b', producers: 1, rttMs: 80, lossRatio: 0, roomId: 'room' },
  ]);
  expect(picture.pipes[0]?.packetsPerSecond).toBeCloseTo(100, 0);
  expect(picture.pipes[0]?.bitsPerSecond).toBeCloseTo(800_000, -4);
  expect(picture.rooms).toEqual([
    {
      roomId: 'room',
      planTerm: 1,
      plan: [
        'router a/0 in eu: origin',
        'router b/0 in us: edge',
        'pipe a/0 > b/0: eu to us, rtt 80 ms, carries 1, depth 1',
      ],
      regions: ['eu', 'us'],
      routers: [
        { workerId: 'a/0', nodeId: 'a', role: 'origin' },
        { workerId: 'b/0', nodeId: 'b', role: 'edge' },
      ],
    },
  ]);
});
