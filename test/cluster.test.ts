/**
 * A cluster as processes of their own: `veilcast up --cluster` over a real Redis with mutual TLS, people in real browsers in two
 * regions, and what `kill -9` does to them.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, joinCall, openBrowser, reportOf } from './support/browser.ts';
import { makeFilm } from './support/film.ts';

const MAIN = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));
const END_MS = 5_000;

let up: ChildProcessByStdio<null, Readable, Readable>;
let origin = '';
let output = '';
const browsers: Browser[] = [];
const pages = new Map<string, Page>();

/** Names of the processes below `up`, by their configuration files. */
async function processes(): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) !== up.pid) continue;
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    found.set(/([\w-]+)\.toml/.exec(line)?.[1] ?? 'redis', Number(entry));
  }
  return found;
}

async function enter(name: string, region: string, actor: number): Promise<void> {
  const browser = await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), actor));
  browsers.push(browser);
  pages.set(name, await joinCall(browser, origin, { room: 'processes', name, region }));
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
  up = spawn(process.execPath, [MAIN, 'up', '--cluster', '--port', '0', '--regions', 'eu,us'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [up.stdout, up.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  while (!/^ready$/m.test(output)) {
    if (up.exitCode !== null) throw new Error(`ended with ${up.exitCode}: ${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  origin = /(https?:\/\/[^/\s]+)\/operator/.exec(output)?.[1] ?? '';
  await Promise.all([enter('Ada', 'eu', 1), enter('Bob', 'us', 2)]);
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  if (up === undefined || up.exitCode !== null || up.signalCode !== null) return;
  // Not SIGKILL: nobody could end its children then.
  const gone = once(up, 'close');
  up.kill('SIGTERM');
  await gone;
});

it('runs Redis, two signaling, two cascade-routers and two nodes a region', async () => {
  expect([...(await processes()).keys()].toSorted()).toEqual([
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

it('goes on when the cascade-router is killed, and lets somebody in by the other one', async () => {
  const killed = (await processes()).get('cascade-router-1');
  process.kill(killed ?? -1, 'SIGKILL');
  await Promise.all([sees('Ada', 'Bob'), sees('Bob', 'Ada')]);
  // A newcomer needs a Worker and Pipes, which only a cascade-router gives.
  await pages.get('Bob')!.reload();
  await Promise.all([sees('Ada', 'Bob'), sees('Bob', 'Ada')]);
});

it('brings the media back when the node process of somebody is killed, and starts it again', async () => {
  const { self } = await reportOf(pages.get('Bob')!);
  const before = (await processes()).get(self.node);
  process.kill(before ?? -1, 'SIGKILL');
  const began = Date.now();
  await eventually(
    'Bob is on another node',
    () => reportOf(pages.get('Bob')!),
    (now) => now.self.node !== self.node && now.self.node !== '',
    60_000,
  );
  await Promise.all([sees('Ada', 'Bob'), sees('Bob', 'Ada')]);
  console.log(
    `media back ${Date.now() - began} ms after kill -9 of the node's process (this machine, under whatever load)`,
  );
  expect((await reportOf(pages.get('Bob')!)).self.region).toBe('us');
  await eventually('it runs again', processes, (now) => (now.get(self.node) ?? before) !== before, 20_000);
});

it('ends within 5 s and leaves no process', async () => {
  const pids = [...(await processes()).values()];
  const began = Date.now();
  up.kill('SIGTERM');
  expect(await once(up, 'close')).toEqual([0, null]);
  expect(Date.now() - began).toBeLessThan(END_MS);
  for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});
