/**
 * A cluster as processes of their own: `veilcast up --cluster` over a real Redis with mutual TLS, and people in real browsers in two
 * regions, who came to different signaling processes, and what `kill -9` does to them.
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

async function enter(name: string, region: string, actor: number, at: string): Promise<void> {
  const browser = await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), actor));
  browsers.push(browser);
  pages.set(name, await joinCall(browser, at, { room: 'processes', name, region }));
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
  // Ada first: the process that she comes to owns the Room.
  await enter('Ada', 'eu', 1, cluster.origin);
  await enter('Bob', 'us', 2, cluster.other);
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await cluster?.end();
});

it('runs Redis, two signaling, two cascade-routers, and two nodes and a TURN server a region', async () => {
  expect([...(await cluster.byName()).keys()].toSorted()).toEqual([
    'cascade-router-1',
    'cascade-router-2',
    'eu-1',
    'eu-2',
    'redis',
    'signaling-1',
    'signaling-2',
    'turn-eu',
    'turn-us',
    'us-1',
    'us-2',
  ]);
});

it('lets the pages of one signaling process measure the regions at the other', async () => {
  const { status, headers } = await fetch(`${cluster.other}/probe/us`, { headers: { origin: cluster.origin } });
  expect([status, headers.get('access-control-allow-origin')]).toEqual([204, '*']);
});

it('two people in two regions, at two signaling processes, see each other, over a node of each', async () => {
  await Promise.all([sees('Ada', 'Bob'), sees('Bob', 'Ada')]);
  const { self, peers, e2ee } = await reportOf(pages.get('Ada')!);
  expect(self.region).toBe('eu');
  expect(e2ee).toMatchObject({ state: 'encrypted', members: 2 });
  const [from, to, more] = peers[0]?.path ?? [];
  expect([from?.slice(0, 3), to, more]).toEqual(['us-', self.node, undefined]);
});

async function say(speaker: string, text: string): Promise<void> {
  await pages.get(speaker)!.getByTestId('chat-input').fill(text);
  await pages.get(speaker)!.getByTestId('chat-input').press('Enter');
}

/** Of these, in the order in which they stand. */
async function linesOf(reader: string, texts: readonly string[]): Promise<string[]> {
  const lines = await pages.get(reader)!.getByTestId('chat-line').allTextContents();
  return lines.flatMap((line) => texts.filter((text) => line.includes(text)));
}

async function reads(reader: string, texts: readonly string[], count: number): Promise<string[]> {
  return eventually(
    `${reader} reads ${count}`,
    () => linesOf(reader, texts),
    (now) => now.length >= count,
    60_000,
  );
}

it('says everything once when the signaling process that owns the Room is killed, and the media goes on', async () => {
  for (const page of pages.values()) await page.getByTestId('chat').first().click();
  const said = ['one, before', 'two, before', 'three, meanwhile', 'four, after', 'five, after'];
  await say('Ada', said[0]!);
  await reads('Bob', said, 1);
  await say('Bob', said[1]!);
  await reads('Ada', said, 2);
  process.kill((await cluster.byName()).get('signaling-1') ?? -1, 'SIGKILL');
  await say('Bob', said[2]!);
  // Over the nodes, whoever owns the Room.
  await Promise.all([sees('Ada', 'Bob'), sees('Bob', 'Ada')]);
  await reads('Ada', said, 3);
  await say('Ada', said[3]!);
  await reads('Bob', said, 4);
  await say('Bob', said[4]!);
  for (const reader of ['Ada', 'Bob']) expect(await reads(reader, said, 5)).toEqual(said);
});

it('ends within 5 s and leaves no process', async () => {
  const pids = [...(await cluster.byName()).values()];
  const began = Date.now();
  cluster.up.kill('SIGTERM');
  expect(await once(cluster.up, 'close')).toEqual([0, null]);
  expect(Date.now() - began).toBeLessThan(END_MS);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
