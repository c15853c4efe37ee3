/**
 * Chromium and Firefox in one call, both ways, in every codec that both have: packetizers, transforms and post-quantum
 * primitives of two makers. Firefox gathers no candidate of the loopback interface, so this is a cluster with `--lan`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Browser as Firefox, Page as FirefoxPage } from 'puppeteer-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually as within, joinCall, openBrowser, reportOf, type Report } from './support/browser.ts';
import { FPS } from './support/film.ts';
import { Filmed, serveFilmPage } from './support/film-page.ts';
import { openFirefox } from './support/firefox.ts';
import type { ServedSdk } from './support/sdk-page.ts';

let cluster: Cluster;
let served: ServedSdk;
let chromium: Browser;
let context: BrowserContext;
let firefox: Firefox;

beforeAll(async () => {
  const regions = ['eu', 'us'].map((name) => RegionId.parse(name));
  [cluster, served, chromium, firefox] = await Promise.all([
    startCluster({ port: 0, regions, lan: true }),
    serveFilmPage(),
    openBrowser(),
    openFirefox(),
  ]);
  context = await chromium.newContext({ permissions: ['camera', 'microphone'], ignoreHTTPSErrors: true });
});

afterAll(async () => {
  await Promise.all([chromium?.close(), firefox?.close()]);
  await served?.close();
  await cluster?.close();
});

/** Two browsers that encode and decode share this machine with whatever else runs. */
const PATIENCE_MS = 60_000;
const eventually = <T>(what: string, ask: () => Promise<T>, pleases: (answer: T) => boolean): Promise<T> =>
  within(what, ask, pleases, PATIENCE_MS);

/** A call has come up for one of two: film and voice of the other, sealed. */
function whole({ peers: [other], e2ee }: Report): boolean {
  if (!other || e2ee.state !== 'encrypted' || e2ee.members !== 2) return false;
  return other.video.framesDecoded > FPS && other.audio.packetsReceived > 20;
}

function expectOneGroup(one: Report, other: Report): void {
  expect(one.e2ee.code).toMatch(/^\d{5}( \d{5}){5}$/);
  expect(other.e2ee).toMatchObject({ code: one.e2ee.code, epoch: one.e2ee.epoch });
}

describe.each(['vp8', 'vp9', 'av1'] as const)('%s and Opus', (codec) => {
  const room = `both-${codec}`;
  let ada: Filmed;
  let bob: Filmed;
  const peers = { ada: '', bob: '' };

  beforeAll(async () => {
    const [one, other] = await Promise.all([context.newPage(), firefox.newPage()]);
    await Promise.all([one.goto(served.url), other.goto(served.url)]);
    await Promise.all([one.waitForFunction("'film' in window"), other.waitForFunction("'film' in window")]);
    ada = new Filmed(one, 'Chromium');
    bob = new Filmed(other, 'Firefox');
    peers.ada = await enter(ada, 'eu', 1);
    peers.bob = await enter(bob, 'us', 2);
  });

  afterAll(async () => {
    await Promise.all([ada?.leave(), bob?.leave()]);
  });

  async function enter(filmed: Filmed, region: string, actor: number): Promise<string> {
    const answer = await context.request.post(`${cluster.origin}/api/token`, { data: { room, role: 'speaker' } });
    const { token } = (await answer.json()) as { token: string };
    await filmed.enter({ url: cluster.origin, token, region, name: filmed.name, codec, actor });
    return (await filmed.report<Report>()).self.peerId;
  }

  it('each sees the film of the other and hears the tone', async () => {
    for (const [viewer, peer, actor] of [
      [ada, peers.bob, 2],
      [bob, peers.ada, 1],
    ] as const) {
      const seen = await eventually(
        `${codec} at ${viewer.name}`,
        () => viewer.sees(peer),
        (each) => each !== undefined,
      );
      expect(seen?.actor).toBe(actor);
      await eventually(
        'the next frames',
        () => viewer.sees(peer),
        (each) => each !== undefined && each.frame !== seen?.frame,
      );
      await eventually(
        'the tone',
        () => viewer.loudness(peer),
        (level) => level > 0.01,
      );
    }
  });

  it('each decodes what the other sealed, in one group', async () => {
    const reports: Report[] = [];
    for (const viewer of [ada, bob]) {
      const report = await eventually(`what ${viewer.name} gets`, () => viewer.report<Report>(), whole);
      const { video, path } = report.peers[0]!;
      console.log(`${codec} at ${viewer.name}: ${video.framesDecoded} frames decoded of ${path.join(' to ')}`);
      expect(video.codec.toLowerCase()).toBe(codec);
      expect(path).toHaveLength(2);
      reports.push(report);
    }
    expectOneGroup(reports[0]!, reports[1]!);
  });
});

function tile(name: string, state: 'live' | 'muted'): string {
  return `[data-testid="tile"][data-name="${name}"][data-video="${state}"]`;
}

describe('the call page in Firefox', () => {
  let ada: Page;
  let bob: FirefoxPage;

  beforeAll(async () => {
    ada = await joinCall(context, cluster.origin, { room: 'page', name: 'Ada', region: 'eu' });
    bob = await firefox.newPage();
    bob.on('pageerror', (error) => console.error(`page in Firefox: ${String(error)}`));
    await bob.goto(`${cluster.origin}/r/page?name=Bob&region=us&join=1`);
  });

  const press = (control: string) => bob.locator(`[data-testid="${control}"]`).click();

  it('joins, and both decode each other in one group', async () => {
    const [one, other] = [
      await eventually('what Ada gets', () => reportOf(ada), whole),
      await eventually('what Bob gets', () => reportOf(bob), whole),
    ];
    expectOneGroup(one, other);
    expect(other.self).toMatchObject({ name: 'Bob', region: 'us', transport: 'udp' });
    await ada.locator(tile('Bob', 'live')).waitFor();
    await bob.waitForSelector(tile('Ada', 'live'));
  });

  it('mutes microphone and camera, and opens them again', async () => {
    await press('mic');
    const off = ada.locator(tile('Bob', 'live')).getByText('microphone off');
    await off.waitFor({ state: 'attached' });
    await press('mic');
    await off.waitFor({ state: 'detached' });
    await press('camera');
    await ada.locator(tile('Bob', 'muted')).waitFor();
    await press('camera');
    await ada.locator(tile('Bob', 'live')).waitFor();
    const { peers } = await reportOf(ada);
    const before = peers[0]?.video.framesDecoded ?? 0;
    await eventually(
      'new frames',
      () => reportOf(ada),
      (report) => report.peers[0]!.video.framesDecoded !== before && report.peers[0]!.video.framesDecoded > 0,
    );
  });

  it('leaves', async () => {
    await press('leave');
    await ada.locator('[data-testid="tile"][data-name="Bob"]').waitFor({ state: 'detached' });
    await eventually(
      'the group of one',
      () => reportOf(ada),
      ({ e2ee }) => e2ee.members === 1,
    );
  });
});
