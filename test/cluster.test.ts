/**
 * A cluster as processes of their own: `veilcast up --cluster` over a real Redis with mutual TLS, and people in real browsers in two
 * regions. What kills them is in failure.test.ts.
 */
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, joinCall, openBrowser, reportOf } from './support/browser.ts';
import { makeFilm } from './support/film.ts';
import { ClusterProcesses } from './support/processes.ts';

const END_MS = 5_000;

let cluster: ClusterProcesses;
const browsers: Browser[] = [];
const pages = new Map<string, Page>();

async function enter(name: string, region: string, actor: number): Promise<void> {
  const browser = await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), actor));
  browsers.push(browser);
  pages.set(name, await joinCall(browser, cluster.origin, { room: 'processes', name, region }));
}

/** Frames of `other` that `viewer` has decoded. */
async function decoded(viewer: string, other: string): Promise<number> {
  const { peers } = await reportOf(pages.get(viewer)!);
  return peers.find((peer) => peer.name === other)?.video.framesDecoded ?? -1;
}

async function sees(viewer: string, other: string, ms = 60_000): Promise<void> {
  const before = await decoded(viewer, other);
  await eventually(
    `${viewer} sees ${other}`,
    () => decoded(viewer, other),
    (now) => now > Math.max(before, 0) + 5,
    ms,
  );
}

beforeAll(async () => {
  cluster = await ClusterProcesses.start('eu,us');
  await Promise.all([enter('Ada', 'eu', 1), enter('Bob', 'us', 2)]);
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await cluster?.end();
});

it('runs Redis, two signaling, two cascade-routers and two nodes a region', async () => {
  expect([...(await cluster.byName()).keys()].toSorted()).toEqual([
    'cascade-router-1',
    'cascade-router-2',
    'eu-1',
    'eu-2',
    'redis',
    'signaling-1',
    'signaling-2',
    'us-1',
    'us-2',
  ]);
});

it('two people in two regions see each other, over a node of each', async () => {
  await Promise.all([sees('Ada', 'Bob'), sees('Bob', 'Ada')]);
  const { self, peers, e2ee } = await reportOf(pages.get('Ada')!);
  expect(self.region).toBe('eu');
  expect(e2ee).toMatchObject({ state: 'encrypted', members: 2 });
  const [from, to, more] = peers[0]?.path ?? [];
  expect([from?.slice(0, 3), to, more]).toEqual(['us-', self.node, undefined]);
});

it('ends within 5 s and leaves no process', async () => {
  const pids = [...(await cluster.byName()).values()];
  const began = Date.now();
  cluster.up.kill('SIGTERM');
  expect(await once(cluster.up, 'close')).toEqual([0, null]);
  expect(Date.now() - began).toBeLessThan(END_MS);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
