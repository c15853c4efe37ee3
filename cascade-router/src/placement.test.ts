import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Cluster, refusal } from './cluster.fixture.ts';

let cluster: Cluster;
beforeEach(() => {
  cluster = new Cluster();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.clock.pending()).toBe(0);
});

describe('placement', () => {
  test('a burst of 200 spreads over the Workers of the region asked for', async () => {
    await cluster.node('a', 'eu', { workers: 4 });
    await cluster.node('b', 'us', { workers: 4 });
    await cluster.router('r1', { workerStreams: 500 });
    const probes = [
      { region: 'eu', rttMs: 10 },
      { region: 'us', rttMs: 90 },
    ];
    const burst = Promise.all(Array.from({ length: 200 }, (_, i) => cluster.place('room', `peer${i}`, { probes })));
    const placed = await cluster.whileTimePasses(burst);
    const counts = new Map<string, number>();
    for (const { workerId } of placed) counts.set(workerId, (counts.get(workerId) ?? 0) + 1);
    expect([...counts.keys()].sort()).toEqual(['a/0', 'a/1', 'a/2', 'a/3']);
    for (const count of counts.values()) expect(count * 8).toBeLessThanOrEqual(500);
    expect(Math.min(...counts.values())).toBeGreaterThanOrEqual(30);
    const more = Array.from({ length: 300 }, (_, i) =>
      refusal(cluster.place('room', `more${i}`, { probes, region: 'eu' })),
    );
    const outcomes = await cluster.whileTimePasses(Promise.all(more));
    expect(outcomes.filter((outcome) => outcome === 'accepted').length).toBe(4 * 62 - 200);
    expect(new Set(outcomes)).toEqual(new Set(['accepted', 'CLUSTER_FULL']));
    await cluster.clock.advance(10_001);
    expect(await cluster.whileTimePasses(refusal(cluster.place('room', 'later', { region: 'eu' })))).toBe('accepted');
  });

  test('asking again for the same Peer gives another Worker, and never to a draining Node or an unknown region', async () => {
    const a = await cluster.node('a', 'eu', { workers: 2 });
    await cluster.router('r1');
    const first = await cluster.whileTimePasses(cluster.place('room', 'p'));
    const second = await cluster.whileTimePasses(cluster.place('room', 'p'));
    expect(second.workerId).not.toBe(first.workerId);
    expect(await cluster.whileTimePasses(refusal(cluster.place('room', 'q', { region: 'mars' })))).toBe('NO_REGION');
    a.draining = true;
    a.changed();
    await cluster.clock.advance(100);
    expect(await cluster.whileTimePasses(refusal(cluster.place('room', 'r')))).toBe('NO_REGION');
    expect((await cluster.picture()).nodes).toMatchObject([{ state: 'draining' }]);
  });

  test('what does not fit its schema, or comes from others, is refused', async () => {
    await cluster.node('a', 'eu');
    await cluster.router('r1');
    const outcomes = [
      refusal(cluster.place('room', '')),
      refusal(cluster.place('room', 'p', { role: 'king' })),
      refusal(cluster.place('Room!', 'p')),
      refusal(cluster.channel().request('closeRoom', {}, { authority: { roomId: 'room', term: 1 } })),
    ];
    expect(await cluster.whileTimePasses(Promise.all(outcomes))).toEqual([
      'MALFORMED',
      'MALFORMED',
      'MALFORMED',
      'UNSUPPORTED',
    ]);
  });
});
