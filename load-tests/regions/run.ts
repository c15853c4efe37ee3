/** Runs a scenario: a cluster, people in real browsers in its regions, faults, and what they see after each. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { reportOf, joinCall } from '../../test/support/browser.ts';
import { makeFilm } from '../../test/support/film.ts';
import { hostsOf, startRegions, type RegionCluster } from '../../test/networks/cluster.ts';
import type { Expectation, Fault, Scenario } from './scenarios.ts';

/** Who sees somebody decodes so many frames of them more. */
const SEEN_FRAMES = 5;
const LOOK_EVERY_MS = 200;
/** How long a picture must have stood still to be taken for gone. */
const STILL_MS = 2_000;
const JOIN_MS = 60_000;
/** Of each process, where something was not as expected. */
const COMPLAINTS = 5;
const COMPLAINT_CHARACTERS = 300;

export interface Outcome {
  readonly what: string;
  /** ms until all that was expected was so; undefined: never in time. */
  readonly tookMs: number | undefined;
  /** What was missing. */
  readonly missing: string;
}

/** @throws Error when the call does not even begin */
export async function runScenario(scenario: Scenario, say: (line: string) => void): Promise<Outcome[]> {
  const cluster = await startRegions(hostsOf(scenario.regions));
  const browsers: Browser[] = [];
  try {
    const pages = await enter(cluster, scenario, browsers);
    const everybody = scenario.people.map(({ name }) => name);
    const sees = everybody.flatMap((viewer) =>
      everybody.filter((who) => who !== viewer).map((who) => [viewer, who] as const),
    );
    const outcomes = [await outcomeOf(pages, 'the call begins', { sees, withinMs: JOIN_MS })];
    say(lineOf(outcomes[0]!));
    for (const { when, fault, expect } of scenario.steps) {
      await pause(when);
      await inflict(cluster, fault);
      const outcome = await outcomeOf(pages, wordsOf(fault), expect);
      outcomes.push(outcome);
      say(lineOf(outcome));
      if (outcome.tookMs === undefined) for (const line of await statesOf(pages, cluster)) say(line);
    }
    return outcomes;
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await cluster.close();
  }
}

/** People of a region share a browser, each on a device of their own. */
async function enter(
  { lab, origins, browserFlags }: RegionCluster,
  { people, name: room }: Scenario,
  browsers: Browser[],
): Promise<Map<string, Page>> {
  const pages = new Map<string, Page>();
  const regions = [...new Set(people.map(({ region }) => region))];
  const opened = await Promise.all(
    regions.map(async (region, at) => {
      const client = await lab.client(`people-${at}`, 'port-restricted', lab.region(region));
      const film = await makeFilm(join(tmpdir(), 'veilcast-films'), at + 1);
      const flags = [
        ...browserFlags,
        `--use-file-for-fake-video-capture=${film.video}`,
        `--use-file-for-fake-audio-capture=${film.audio}`,
      ];
      return [region, await client.browser(flags)] as const;
    }),
  );
  browsers.push(...opened.map(([, browser]) => browser));
  const byRegion = new Map(opened);
  for (const { name, region, at } of people)
    pages.set(name, await joinCall(byRegion.get(region)!, origins.get(at) ?? '', { room, name, region }));
  return pages;
}

async function inflict(cluster: RegionCluster, fault: Fault): Promise<void> {
  const { programs } = cluster;
  if ('cut' in fault) return cluster.impair(...fault.cut, { cut: true }, fault.oneWay);
  if ('heal' in fault) return cluster.impair(...fault.heal, {});
  if ('impair' in fault) return cluster.impair(...fault.impair, fault.by);
  const [kind = '', name = ''] = Object.entries(fault)[0] ?? [];
  const program = programs.get(name);
  if (program === undefined) throw new Error(`no program ${name}; there are: ${[...programs.keys()].join(', ')}`);
  if (kind === 'kill') await program.signal('SIGKILL');
  else if (kind === 'freeze') await program.signal('SIGSTOP');
  else if (kind === 'thaw') await program.signal('SIGCONT');
  else program.start();
}

async function outcomeOf(
  pages: ReadonlyMap<string, Page>,
  what: string,
  { sees, blind = [], withinMs }: Expectation,
): Promise<Outcome> {
  const began = performance.now();
  let missing = '';
  // Who must be gone first: else the frames that were under way would pass for being seen.
  const still = await Promise.all(blind.map(([viewer, who]) => standsStill(pages, viewer, who, withinMs)));
  for (const [at, [viewer, who]] of blind.entries()) if (still[at] !== true) missing += `${viewer} still sees ${who}; `;
  const least = new Map(await decodedBy(pages));
  for (;;) {
    const now = await decodedBy(pages);
    // A new Consumer counts anew.
    for (const [pair, frames] of now) least.set(pair, Math.min(frames, least.get(pair) ?? 0));
    const unseen = sees.filter(
      ([viewer, who]) => framesOf(now, viewer, who) < framesOf(least, viewer, who) + SEEN_FRAMES,
    );
    const tookMs = Math.round(performance.now() - began);
    if (unseen.length === 0) return { what, tookMs: missing === '' ? tookMs : undefined, missing };
    if (tookMs > withinMs)
      return {
        what,
        tookMs: undefined,
        missing: missing + unseen.map(([viewer, who]) => `${viewer} does not see ${who}`).join('; '),
      };
    await pause(LOOK_EVERY_MS);
  }
}

type Decoded = ReadonlyMap<string, number>;

async function decodedBy(pages: ReadonlyMap<string, Page>): Promise<Decoded> {
  const reports = await Promise.all(
    Array.from(pages, async ([viewer, page]) => ({ viewer, report: await reportOf(page).catch(() => undefined) })),
  );
  return new Map(
    reports.flatMap(({ viewer, report }) =>
      (report?.peers ?? []).map(({ name, video }) => [`${viewer} ${name}`, video.framesDecoded] as const),
    ),
  );
}

function framesOf(decoded: Decoded, viewer: string, who: string): number {
  return decoded.get(`${viewer} ${who}`) ?? 0;
}

async function standsStill(
  pages: ReadonlyMap<string, Page>,
  viewer: string,
  who: string,
  withinMs: number,
): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  let last = framesOf(await decodedBy(pages), viewer, who);
  let since = performance.now();
  while (performance.now() - since < STILL_MS) {
    if (performance.now() > deadline) return false;
    await pause(LOOK_EVERY_MS);
    const now = framesOf(await decodedBy(pages), viewer, who);
    if (now !== last) since = performance.now();
    last = now;
  }
  return true;
}

/** For who wants to know why: how it looks from each page, and what the processes complained of. */
async function statesOf(pages: ReadonlyMap<string, Page>, { programs }: RegionCluster): Promise<string[]> {
  const people = Array.from(pages, async ([name, page]) => {
    const { self, peers, e2ee } = await reportOf(page);
    const shown = await page.getByTestId('error').allTextContents();
    const others = peers.map((peer) => `${peer.name} ${peer.video.framesDecoded}`).join(', ');
    return `  ${name}: on ${self.node || 'no node'}, ${e2ee.state} in Epoch ${e2ee.epoch}; sees ${others || 'nobody'}; ${shown.join(' ')}`;
  });
  const complaints = Array.from(programs, ([name, { words }]) => {
    const lines = words.split('\n').filter((line) => /"level":"(?:warn|error|fatal)"/.test(line));
    return lines.slice(-COMPLAINTS).map((line) => `  ${name}: ${line.slice(0, COMPLAINT_CHARACTERS)}`);
  });
  return [...(await Promise.all(people)), ...complaints.flat()];
}

function wordsOf(fault: Fault): string {
  const [kind, at] = Object.entries(fault)[0] ?? [];
  return `${kind} ${[at].flat().join(', ')}${'oneWay' in fault ? ', one way' : ''}`;
}

function lineOf({ what, tookMs, missing }: Outcome): string {
  return tookMs === undefined ? `✗ ${what}: ${missing}` : `✓ ${what}: as expected after ${tookMs} ms`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
