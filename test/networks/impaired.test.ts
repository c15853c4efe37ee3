/**
 * Paths that lose, vary, are long or narrow, for a time, on the viewer's side and on the publisher's: what is heard goes on, the picture
 * falls to a layer that fits, and comes back. Real browsers, a real cluster. A minute each, with `VEILCAST_LONG=1` alone.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingForLab, type Client, type Impairment } from '@veilcast/testkit/lab';
import { eventually, joinCall } from '../support/browser.ts';
import { makeFilm, WIDTH } from '../support/film.ts';
import { startRegions, type RegionCluster } from './cluster.ts';
import { keepConnections } from './path.ts';
import {
  frameJitterMs,
  keepSamples,
  longestBreakMs,
  lostShare,
  narrowAfterMs,
  nowOn,
  samplesOf,
  wideAfterMs,
} from './samples.ts';

const isLong = process.env.VEILCAST_LONG === '1';
const missing = isLong ? missingForLab() : 'each takes a minute of a quiet machine: npm run test:networks';
if (missing !== undefined) console.warn(`calls over bad networks are not tested: ${missing}`);
const LASTS_MS = 60_000;
/** What DESIGN §7 and its issue ask for. */
const BREAK_MAX_MS = 200;
const FALLS_WITHIN_MS = 3_000;
const BACK_WITHIN_MS = 10_000;
const SETTLE_MS = 60_000;

interface Case {
  readonly name: string;
  readonly by: Impairment;
  /** The picture cannot stay as it is. */
  readonly isNarrow?: true;
  /** Most that may be lost for good. */
  readonly lostMax?: number;
}

const CASES: readonly Case[] = [
  { name: '300 kb/s', by: { bitsPerSecond: 300_000 }, isNarrow: true },
  { name: '5 % lost', by: { loss: 0.05 } },
  { name: '1 % lost', by: { loss: 0.01 }, lostMax: 0.001 },
  { name: '50 ms of jitter', by: { jitterMs: 50 } },
  { name: '150 ms longer', by: { delayMs: 150 } },
];
const LEGS = ["the viewer's leg", "the publisher's leg"] as const;
const cells = CASES.flatMap((one) => LEGS.map((leg) => ({ ...one, leg })));
const rows: string[] = [];

describe.skipIf(missing !== undefined)('a call over a bad network', () => {
  let folder: string;
  let cluster: RegionCluster;
  let publisher: Client;
  let viewer: Client;
  const browsers: Browser[] = [];
  let page: Page;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'veilcast-impaired-'));
    cluster = await startRegions([
      { name: 'store', region: 'us-east-1', runs: ['store'] },
      { name: 'sfu', region: 'us-east-1', runs: ['signaling', 'cascade-router', 'sfu-node'] },
    ]);
    const region = cluster.lab.region('us-east-1');
    publisher = await cluster.lab.client('publisher', 'open', region);
    viewer = await cluster.lab.client('viewer', 'open', region);
    const film = await makeFilm(join(tmpdir(), 'veilcast-films'), 1);
    const voice = makeVoice(join(folder, 'voice.wav'));
    const flags = [`--use-file-for-fake-video-capture=${film.video}`, `--use-file-for-fake-audio-capture=${voice}`];
    browsers.push(await publisher.browser([...cluster.browserFlags, ...flags]));
    browsers.push(await viewer.browser(cluster.browserFlags));
    const origin = cluster.origins.get('sfu')!;
    await joinCall(browsers[0]!, origin, { room: 'impaired', name: 'Ada' });
    const context = await browsers[1]!.newContext({ viewport: { width: 1280, height: 800 } });
    await keepConnections(context);
    await keepSamples(context);
    page = await joinCall(context, origin, { room: 'impaired', name: 'Bob', role: 'viewer' });
  });
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await cluster?.close();
    await rm(folder, { recursive: true, force: true });
    console.log(
      ['what              where                longest break  falls    back     lost     frame jitter', ...rows].join(
        '\n',
      ),
    );
  });

  async function isWide(): Promise<void> {
    const since = await nowOn(page);
    await eventually(
      'the whole picture',
      () => samplesOf(page, since),
      (samples) =>
        (samples.at(-1)?.width ?? 0) >= WIDTH && (samples.at(-1)?.frames ?? 0) > (samples[0]?.frames ?? 0) + 15,
      SETTLE_MS,
    );
  }

  it.each(cells)(
    '$name on $leg',
    async ({ name, leg, by, isNarrow = false, lostMax }) => {
      await isWide();
      const { lab } = cluster;
      const end = leg === LEGS[0] ? viewer : publisher;
      const began = await nowOn(page);
      await lab.impair(end, 'all', by);
      await new Promise((resolve) => setTimeout(resolve, LASTS_MS));
      if (isNarrow)
        await eventually(
          'a smaller picture',
          () => samplesOf(page, began),
          (samples) => narrowAfterMs(samples, began, WIDTH) !== undefined,
          FALLS_WITHIN_MS,
        );
      const during = await samplesOf(page, began);
      const healed = await nowOn(page);
      await lab.impair(end, 'all', {});
      const after = await eventually(
        'the whole picture again',
        () => samplesOf(page, healed),
        (samples) => wideAfterMs(samples, healed, WIDTH) !== undefined,
        BACK_WITHIN_MS + SETTLE_MS,
      );
      const [falls, back] = [narrowAfterMs(during, began, WIDTH), wideAfterMs(after, healed, WIDTH)];
      const [pause, lost, jitter] = [longestBreakMs(during), lostShare(during), frameJitterMs(during)];
      rows.push(
        [
          name.padEnd(18),
          leg.padEnd(21),
          `${pause} ms`.padEnd(15),
          (isNarrow ? `${falls} ms` : '-').padEnd(9),
          (isNarrow ? `${back} ms` : '-').padEnd(9),
          `${(lost * 100).toFixed(2)} %`.padEnd(9),
          `${jitter.toFixed(0)} ms`,
        ].join(''),
      );
      expect(during.at(-1)!.samples, 'something is heard').toBeGreaterThan(during[0]!.samples);
      expect(pause, 'the longest break in what is heard, ms').toBeLessThanOrEqual(BREAK_MAX_MS);
      if (isNarrow) expect(falls).toBeLessThanOrEqual(FALLS_WITHIN_MS);
      expect(back).toBeLessThanOrEqual(BACK_WITHIN_MS);
      if (lostMax !== undefined) expect(lost).toBeLessThan(lostMax);
    },
    LASTS_MS + 4 * SETTLE_MS,
  );
});

/** Something like talking without a pause: a voice that a suppressor of noise takes for one, and a break in it can be heard. */
function makeVoice(path: string): string {
  const pitch = '120+30*sin(2*PI*0.7*t)';
  const voice = [1, 2, 3, 4, 5, 6].map((n) => `sin(2*PI*${n}*(${pitch})*t)/${n}`).join('+');
  const source = `aevalsrc='0.25*(0.6+0.4*sin(2*PI*4*t))*(${voice})':s=48000:d=20`;
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', '-f', 'lavfi', '-i', source, path], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`ffmpeg: ${stderr}`);
  return path;
}
