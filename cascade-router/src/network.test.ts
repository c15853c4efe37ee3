/** What Nodes measure, how Plans follow it, and where Rooms may be. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Cluster, demand, refusal } from './cluster.fixture.ts';

let cluster: Cluster;
beforeEach(() => {
  cluster = new Cluster();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.clock.pending()).toBe(0);
});

/** One publisher in eu, wanted in us and ap, where a Worker may send on one Pipe more than it must. */
async function threeRegions() {
  const [eu, us, ap] = [await cluster.node('a', 'eu'), await cluster.node('b', 'us'), await cluster.node('c', 'ap')];
  eu.paths.set('b', 80).set('c', 160);
  us.paths.set('c', 120);
  await cluster.router('r1', { restructureMs: 20_000 });
  eu.produce('room', 'p1');
  await cluster.clock.advance(1_500);
  await cluster.put('room', demand('p1: a/0 > b/0 c/0'));
  await cluster.clock.advance(500);
  return { eu, us, ap };
}

test('each Node is told to measure the others, and a stranger to the View is not among them', async () => {
  const { eu, us, ap } = await threeRegions();
  await cluster.clock.advance(10_000);
  expect([...eu.targets].sort()).toEqual(['b', 'c']);
  expect([...us.targets].sort()).toEqual(['a', 'c']);
  expect([...ap.targets].sort()).toEqual(['a', 'b']);
});

/** Time in which signaling repeats its demand. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 5_000) {
    await cluster.put('room', demand('p1: a/0 > b/0 c/0'));
    await cluster.clock.advance(5_000);
  }
}

test('trees stand while the network only wavers, and are laid anew when another was better for long', async () => {
  const { eu, ap } = await threeRegions();
  const far = (ms: number): void => {
    eu.paths.set('c', ms);
    ap.paths.set('a', ms);
  };
  expect(Object.keys(cluster.open('room'))).toEqual(['a/0>b/0', 'a/0>c/0']);
  far(400);
  await pass(15_000);
  far(160);
  await pass(15_000);
  expect(Object.keys(cluster.open('room'))).toEqual(['a/0>b/0', 'a/0>c/0']);
  far(400);
  await pass(25_000);
  expect(cluster.open('room')).toEqual({ 'a/0>b/0': ['p1'], 'b/0>c/0': ['p1'] });
  expect(await cluster.metric('veilcast_cascade_restructured_total')).toBe(1);
  await pass(60_000);
  expect(await cluster.metric('veilcast_cascade_restructured_total')).toBe(1);
});

test('a Room stays in its regions: who may be nowhere is refused, and no tree goes where it may not', async () => {
  await threeRegions();
  const asked = {
    probes: [
      { region: 'us', rttMs: 1 },
      { region: 'eu', rttMs: 50 },
      { region: 'ap', rttMs: 90 },
    ],
  };
  const place = (regions: string[], peerId: string) =>
    cluster.whileTimePasses(cluster.place('other', peerId, { ...asked, regions }));
  expect((await place([], 'p')).region).toBe('us');
  expect((await place(['eu', 'ap'], 'q')).region).toBe('eu');
  expect(await refusal(place(['mars'], 's'))).toBe('NO_REGION');
  expect((await cluster.whileTimePasses(cluster.place('other', 't', { ...asked, avoid: 'b' }))).region).toBe('eu');
  await cluster.put('room', { ...demand('p1: a/0 > b/0 c/0'), regions: ['eu', 'ap'] });
  await cluster.clock.advance(3_000);
  expect(Object.keys(cluster.open('room'))).toEqual(['a/0>c/0']);
});
