/**
 * Chromium and Firefox in one call, both ways, in every codec that both have: packetizers, transforms and post-quantum
 * primitives of two makers. Firefox gathers no candidate of the loopback interface, so this is a cluster with `--lan`.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { Browser as Firefox, Page as FirefoxPage } from 'puppeteer-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import type { VideoCodec } from '@veilcast/client';
import { RegionId } from '@veilcast/protocol';
import { eventually as within, joinCall, openBrowser, reportOf, seenOn, type Report } from './support/browser.ts';
import { FPS, makeFilm } from './support/film.ts';
import { Filmed, serveFilmPage } from './support/film-page.ts';
import { openFirefox } from './support/firefox.ts';
import type { ServedSdk } from './support/sdk-page.ts';

/** Whose film Chromium has for a camera; on the film page everybody draws their own. */
const PAGE_ACTOR = 3;

let cluster: Cluster;
let served: ServedSdk;
let chromium: Browser;
let context: BrowserContext;
let firefox: Firefox;

beforeAll(async () => {
  const film = await makeFilm(join(tmpdir(), 'veilcast-films'), PAGE_ACTOR);
  const regions = ['eu', 'us'].map((name) => RegionId.parse(name));
  [cluster, served, chromium, firefox] = await Promise.all([
    startCluster({ port: 0, regions, lan: true }),
    serveFilmPage(),
    openBrowser(film),
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

/** Ada in Chromium and Bob in Firefox, each with what the other must see. */
interface Pair {
  readonly ada: Side;
  readonly bob: Side;
  close(): Promise<void>;
}

interface Side {
  readonly filmed: Filmed;
  readonly other: { readonly peerId: string; readonly actor: number };
}

async function openPair(codec: VideoCodec): Promise<Pair> {
  const [one, other] = await Promise.all([context.newPage(), firefox.newPage()]);
  await Promise.all([one.goto(served.url), other.goto(served.url)]);
  await Promise.all([one.waitForFunction("'film' in window"), other.waitForFunction("'film' in window")]);
  const [ada, bob] = [new Filmed(one, 'Chromium'), new Filmed(other, 'Firefox')];
  const enter = async (filmed: Filmed, region: string, actor: number) => {
    const request = { data: { room: `both-${codec}`, role: 'speaker' } };
    const answer = await context.request.post(`${cluster.origin}/api/token`, request);
    const { token } = (await answer.json()) as { token: string };
    await filmed.enter({ url: cluster.origin, token, region, name: filmed.name, codec, actor });
    return { peerId: (await filmed.report<Report>()).self.peerId, actor };
  };
  const [asAda, asBob] = [await enter(ada, 'eu', 1), await enter(bob, 'us', 2)];
  return {
    ada: { filmed: ada, other: asBob },
    bob: { filmed: bob, other: asAda },
    async close() {
      await Promise.all([ada.leave(), bob.leave()]);
      await Promise.all([one.close(), other.close()]);
    },
  };
}

async function expectFilmAndVoice({ filmed, other: { peerId, actor } }: Side): Promise<void> {
  const seen = await eventually(
    `the film at ${filmed.name}`,
    () => filmed.sees(peerId),
    (each) => each !== undefined,
  );
  expect(seen?.actor).toBe(actor);
  await eventually(
    'the next frames',
    () => filmed.sees(peerId),
    (each) => each !== undefined && each.frame !== seen?.frame,
  );
  await eventually(
    'the voice',
    () => filmed.loudness(peerId),
    (level) => level > 0.01,
  );
}

async function expectLayers({ filmed, other: { peerId } }: Side): Promise<void> {
  for (const [shown, width] of [
    [160, 320],
    [640, 640],
  ] as const) {
    await filmed.show(peerId, shown);
    await eventually(
      `${width} wide at ${filmed.name}`,
      () => filmed.sees(peerId),
      (each) => each?.width === width,
    );
  }
}

/** Both decode the other's frames in this codec, through two nodes, with the keys of one group. */
async function expectSealed({ ada, bob }: Pair, codec: VideoCodec): Promise<void> {
  const reports: Report[] = [];
  for (const { filmed } of [ada, bob]) {
    const report = await eventually(`what ${filmed.name} gets`, () => filmed.report<Report>(), whole);
    const { video, path } = report.peers[0]!;
    console.log(`${video.codec} at ${filmed.name}: ${video.framesDecoded} frames decoded, ${path.join(' to ')}`);
    expect(video.codec.toLowerCase()).toBe(codec);
    expect(path).toHaveLength(2);
    reports.push(report);
  }
  expectOneGroup(reports[0]!, reports[1]!);
}

describe.each(['vp8', 'vp9', 'av1'] as const)('%s and Opus', (codec) => {
  let pair: Pair;

  beforeAll(async () => {
    pair = await openPair(codec);
  });

  afterAll(() => pair?.close());

  it('each sees the film of the other and hears the voice', async () => {
    await expectFilmAndVoice(pair.ada);
    await expectFilmAndVoice(pair.bob);
  });

  it('layers follow what is shown', async () => {
    await expectLayers(pair.bob);
    // Firefox has no spatial layers in one stream to send.
    if (codec === 'vp8') await expectLayers(pair.ada);
  });

  it('each decodes what the other sealed, in one group', () => expectSealed(pair, codec));
});

it('what Firefox cannot decode comes again in what it can', async () => {
  // Debian's has no H.264 (ADR 0018).
  const pair = await openPair('h264');
  await expectFilmAndVoice(pair.bob);
  await expectFilmAndVoice(pair.ada);
  await expectSealed(pair, 'vp8');
  await pair.close();
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
    const seen = await eventually(
      'the film in Firefox',
      () => seenOn(bob, 'Ada'),
      (each) => each !== undefined,
    );
    expect(seen?.actor).toBe(PAGE_ACTOR);
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
