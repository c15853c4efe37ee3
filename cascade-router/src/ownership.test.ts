import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cluster, demand, refusal } from './cluster.fixture.ts';

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

describe('ownership', () => {
  test('another cascade-router takes over when the first is closed, and moves nothing', async () => {
    const { a } = await twoRegions();
    await cluster.router('r2');
    a.produce('room', 'p1');
    const wanted = demand('p1: a/0 > b/0');
    await cluster.put('room', wanted);
    await cluster.clock.advance(300);
    expect(await cluster.whileTimePasses(refusal(cluster.put('room', wanted, 'r2')))).toBe('NOT_OWNER');
    const before = cluster.nodes.flatMap((node) => node.calls).length;
    await cluster.whileTimePasses(cluster.routers.get('r1')?.router.close() ?? Promise.resolve());
    await cluster.put('room', wanted, 'r2');
    await cluster.clock.advance(3_000);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    expect(cluster.nodes.flatMap((node) => node.calls).length).toBe(before);
    a.produce('room', 'p2');
    await cluster.put('room', demand('p1: a/0 > b/0', 'p2: a/0 > b/0'), 'r2');
    await cluster.clock.advance(200);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1', 'p2'] });
    expect(cluster.count('preparePipe')).toBe(2);
  });

  test('a new owner that has no demand yet touches nothing, whatever happens', async () => {
    const { a, b } = await twoRegions();
    await cluster.router('r2');
    a.produce('room', 'p1');
    a.peers.set('room', 1);
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(300);
    await cluster.whileTimePasses(cluster.routers.get('r1')?.router.close() ?? Promise.resolve());
    await cluster.whileTimePasses(cluster.place('room', 'p', {}, 'r2'));
    b.draining = true;
    b.changed();
    a.produce('room', 'p2');
    await cluster.clock.advance(60_000);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    expect(cluster.count('closePipe')).toBe(0);
  });

  test('another takes over within two seconds when the first dies', async () => {
    const { a } = await twoRegions();
    await cluster.router('r2');
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(300);
    cluster.hub.kill('r1');
    await cluster.routers.get('r1')?.context.coordination.close();
    await cluster.clock.advance(1_600);
    await cluster.put('room', demand('p1: a/0 > b/0'), 'r2');
    await cluster.clock.advance(200);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    expect(cluster.count('preparePipe')).toBe(2);
    expect((await cluster.picture('r2')).rooms).toMatchObject([{ roomId: 'room', planTerm: 2 }]);
  });

  test('one that starts late waits for the Nodes before it closes anything', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(300);
    await cluster.whileTimePasses(cluster.routers.get('r1')?.router.close() ?? Promise.resolve());
    const before = cluster.nodes.flatMap((node) => node.calls).length;
    cluster.delayMs = (from, to) => (from === 'b' || to === 'b' ? 400 : 5);
    await cluster.router('r2');
    await cluster.put('room', demand('p1: a/0 > b/0'), 'r2');
    await cluster.clock.advance(10);
    expect((await cluster.picture('r2')).nodes.map(({ nodeId }) => nodeId)).toEqual(['a']);
    await cluster.clock.advance(5_000);
    expect((await cluster.picture('r2')).rooms[0]?.routers).toHaveLength(2);
    expect(cluster.nodes.flatMap((node) => node.calls).length).toBe(before);
  });

  test('a tree that grew by its history is taken over as it is', async () => {
    const a = await cluster.node('a', 'eu');
    await cluster.node('b', 'us');
    await cluster.node('c', 'us');
    await cluster.router('r1');
    await cluster.router('r2');
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > c/0'));
    await cluster.put('room', demand('p1: a/0 > b/0 c/0'));
    await cluster.clock.advance(300);
    expect(Object.keys(cluster.open('room'))).toEqual(['a/0>c/0', 'c/0>b/0']);
    const before = cluster.nodes.flatMap((node) => node.calls).length;
    await cluster.whileTimePasses(cluster.routers.get('r1')?.router.close() ?? Promise.resolve());
    await cluster.put('room', demand('p1: a/0 > b/0 c/0'), 'r2');
    await cluster.clock.advance(3_000);
    expect(cluster.nodes.flatMap((node) => node.calls).length).toBe(before);
  });

  test('a Node that has seen a higher Term refuses, and the Room is let go', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    a.terms.set('room', 99);
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(300);
    expect(await cluster.metric('veilcast_cascade_rooms')).toBe(0);
    expect(await cluster.metric('veilcast_cascade_steps_total{kind="openPipe",outcome="STALE_TERM"')).toBe(1);
    expect(cluster.open('room')).toEqual({});
  });

  test('an older demand and an older owner of the Room change nothing', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    const ask = (version: bigint, term: number, wants = true) => {
      const body = { version, ...demand(wants ? 'p1: a/0 > b/0' : 'p1: a/0') };
      return refusal(cluster.channel().request('putDemand', body, { authority: { roomId: 'room', term } }));
    };
    expect(await cluster.whileTimePasses(ask(5n, 2))).toBe('accepted');
    await cluster.clock.advance(300);
    expect(await cluster.whileTimePasses(ask(4n, 2, false))).toBe('accepted');
    expect(await cluster.whileTimePasses(ask(9n, 1, false))).toBe('STALE_TERM');
    await cluster.clock.advance(3_000);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    expect(await cluster.whileTimePasses(ask(1n, 3, false))).toBe('accepted');
    await cluster.clock.advance(3_000);
    expect(cluster.open('room')).toEqual({});
  });

  test('what a former owner of the Room wanted goes on while its people come over, and no longer', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(300);
    const next = { peers: [{ peerId: 'next', workerId: 'b/0', role: 'speaker' }] };
    await cluster.put('room', next, 'r1', 2);
    await cluster.clock.advance(20_000);
    await cluster.put('room', next, 'r1', 2);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    expect(cluster.count('stopOnPipe')).toBe(0);
    await cluster.clock.advance(20_000);
    expect(cluster.open('room')).toEqual({});
  });

  test('a Room that its next owner closes is closed at once', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(300);
    await cluster.put('room', {}, 'r1', 2);
    await cluster.clock.advance(1_000);
    expect(cluster.open('room')).toEqual({});
  });

  test('a demand that nobody repeats ends when no Peer is left, and not before', async () => {
    const { a } = await twoRegions();
    a.produce('room', 'p1');
    a.peers.set('room', 1);
    a.changed();
    await cluster.put('room', demand('p1: a/0 > b/0'));
    await cluster.clock.advance(120_000);
    expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'] });
    a.peers.clear();
    a.changed();
    await cluster.clock.advance(31_000);
    expect(cluster.endCount('room')).toBe(0);
    expect(await cluster.metric('veilcast_cascade_rooms')).toBe(0);
  });

  test('pipe ends of a Room that nobody owns and nobody is in are closed in the end', async () => {
    const { a } = await twoRegions();
    const end = { roomId: 'lost', pipeId: 'a/0>b/0', workerId: 'a/0', port: 1, remotePort: 2, packets: 0 };
    a.ends.set('lost a/0>b/0 a/0', { ...end, sends: new Set(), receives: new Set(), paused: new Set() });
    a.changed();
    await cluster.clock.advance(20_000);
    expect(cluster.endCount('lost')).toBe(1);
    await cluster.clock.advance(90_000);
    expect(cluster.endCount('lost')).toBe(0);
    expect(await cluster.metric('veilcast_cascade_rooms')).toBe(0);
  });
});
