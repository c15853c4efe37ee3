/**
 * DESIGN §7 with real processes, browsers and media: what is killed or stopped, and how long the pictures stood still that viewers saw.
 * The gaps are printed; the bounds are those of a busy machine with two cores, the goals are in docs/failure.md and its bench.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, joinCall, openBrowser, reportOf, type Report } from './support/browser.ts';
import { makeFilm } from './support/film.ts';
import { gapOf, watchGaps } from './support/gaps.ts';
import { ClusterProcesses, isRunning } from './support/processes.ts';

/** Several times the goals: 1.5 s and 3 s. Waiting for ICE alone, without being told, takes longer. */
const BOUND_MS = { death: 9_000, silence: 12_000 } as const;
/** A busy machine drops frames by itself. */
const NO_GAP_MS = 3_000;

let cluster: ClusterProcesses;
let browser: Browser;
const pages = new Map<string, Page>();
const stopped = new Set<number>();

const page = (name: string): Page => pages.get(name)!;

/** Ada looks at Bob, and Bob at Ada. */
const VIEWS = [
  ['Ada', 'Bob'],
  ['Bob', 'Ada'],
] as const;

async function enter(name: string, region: string): Promise<void> {
  pages.set(name, await joinCall(browser, cluster.origin, { room: 'failure', name, region }));
}

/** Both see fresh frames of the other. */
async function flows(ms = 60_000): Promise<void> {
  await Promise.all(
    VIEWS.map(async ([viewer, other]) => {
      const { frames } = await gapOf(page(viewer), other);
      await eventually(
        `${viewer} sees ${other}`,
        () => gapOf(page(viewer), other),
        (now) => now.frames > frames + 10,
        ms,
      );
    }),
  );
}

interface Outcome {
  readonly before: Report;
  readonly after: Report;
  readonly gapMs: number;
}

/** Breaks something of Bob's, waits until both see the other again, and says how long pictures stood still. */
async function after(
  what: string,
  happens: (bob: Report) => Promise<void>,
  isOver: (before: Report, now: Report) => boolean = () => true,
): Promise<Outcome> {
  await Promise.all(VIEWS.map(([viewer, other]) => watchGaps(page(viewer), other)));
  await flows();
  const before = await reportOf(page('Bob'));
  await happens(before);
  await eventually(
    'it is over',
    () => reportOf(page('Bob')),
    (now) => isOver(before, now),
    60_000,
  );
  await flows();
  const gaps = await Promise.all(VIEWS.map(async ([viewer, other]) => (await gapOf(page(viewer), other)).gapMs));
  console.log(`${what}: ${gaps.join(' and ')} ms without a picture (this machine, under whatever load)`);
  return { before, after: await reportOf(page('Bob')), gapMs: Math.max(...gaps) };
}

/** Media went elsewhere; the Peer, its group and its keys are the same. */
function keptItsSeat({ before, after: now }: Outcome): void {
  expect(now.self.peerId).toBe(before.self.peerId);
  expect(now.e2ee).toMatchObject({ state: 'encrypted', epoch: before.e2ee.epoch, members: 2 });
}

function stop(pid: number): void {
  stopped.add(pid);
  process.kill(pid, 'SIGSTOP');
}

beforeAll(async () => {
  const film = await makeFilm(join(tmpdir(), 'veilcast-films'), 1);
  [cluster, browser] = await Promise.all([ClusterProcesses.start('eu,us'), openBrowser(film)]);
  await enter('Ada', 'eu');
  await enter('Bob', 'us');
  await Promise.all(VIEWS.map(([viewer, other]) => watchGaps(page(viewer), other)));
  await flows(120_000);
}, 240_000);

afterAll(async () => {
  for (const pid of stopped) if (isRunning(pid)) process.kill(pid, 'SIGCONT');
  await browser?.close();
  await cluster?.end();
});

it('a worker dies: its people are moved', async () => {
  const outcome = await after('kill -9 of a worker', async ({ self }) => {
    for (const pid of await cluster.workersOf(self.node)) process.kill(pid, 'SIGKILL');
  });
  keptItsSeat(outcome);
  expect(outcome.gapMs).toBeLessThan(BOUND_MS.death);
});

it('a worker hangs: its node kills it', async () => {
  let hung: number[] = [];
  const outcome = await after('SIGSTOP of a worker', async ({ self }) => {
    hung = await cluster.workersOf(self.node);
    for (const pid of hung) stop(pid);
    await eventually(
      'they are killed',
      async () => hung.filter(isRunning),
      (left) => left.length === 0,
      20_000,
    );
  });
  keptItsSeat(outcome);
  expect(outcome.gapMs).toBeLessThan(BOUND_MS.silence);
});

it('a node process dies: its people are moved to another, and it is started again', async () => {
  let killed = 0;
  const outcome = await after('kill -9 of a node process', async ({ self }) => {
    killed = (await cluster.byName()).get(self.node) ?? 0;
    process.kill(killed, 'SIGKILL');
  });
  keptItsSeat(outcome);
  expect(outcome.gapMs).toBeLessThan(BOUND_MS.death);
  expect(outcome.after.self.region).toBe('us');
  const { node } = outcome.before.self;
  await eventually(
    'it runs again',
    () => cluster.byName(),
    (now) => (now.get(node) ?? killed) !== killed,
    20_000,
  );
});

it('a host hangs, node process and workers: its people are moved, and it comes back clean', async () => {
  const hung: number[] = [];
  const outcome = await after(
    'SIGSTOP of a node process and its workers',
    async ({ self }) => {
      hung.push((await cluster.byName()).get(self.node) ?? 0, ...(await cluster.workersOf(self.node)));
      for (const pid of hung) stop(pid);
    },
    (was, { self }) => self.node !== was.self.node && self.node !== '',
  );
  keptItsSeat(outcome);
  expect(outcome.after.self.node).not.toBe(outcome.before.self.node);
  expect(outcome.gapMs).toBeLessThan(BOUND_MS.silence);
  for (const pid of hung) process.kill(pid, 'SIGCONT');
  await flows();
});

it('the cascade-router dies: the call goes on, and another lets people in', async () => {
  const outcome = await after('kill -9 of a cascade-router', async () => {
    process.kill((await cluster.byName()).get('cascade-router-1') ?? 0, 'SIGKILL');
  });
  keptItsSeat(outcome);
  expect(outcome.gapMs).toBeLessThan(NO_GAP_MS);
  // A newcomer needs a Worker and Pipes, which only a cascade-router gives.
  await page('Bob').reload();
  await watchGaps(page('Bob'), 'Ada');
  await flows();
});

it('the one that started them all is killed: nobody is left behind', async () => {
  const pids = [...(await cluster.byName()).values()];
  expect(pids.length).toBeGreaterThan(8);
  cluster.up.kill('SIGKILL');
  await eventually(
    'all have ended',
    async () => pids.filter(isRunning),
    (left) => left.length === 0,
    30_000,
  );
});
