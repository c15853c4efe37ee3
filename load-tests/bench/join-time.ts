/**
 * From the click on Join to the first decoded remote frame, encrypted, in one region: one person publishes all the time,
 * another comes and goes. Real pages of a real cluster; the page itself takes the time and tells it in its report.
 */
import type { Browser, Page } from 'playwright-core';
import { startCluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually, joinCall, openBrowser, reportOf } from '../../test/support/browser.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

/** The first join fills the browser's caches and is not counted. */
const EFFORTS = { full: { joins: 30, warmUp: 1 }, tiny: { joins: 1, warmUp: 0 } } as const;
const ROOM = 'bench';
const STANDING = { room: ROOM, name: 'Ada', region: 'eu' };
const PATIENCE_MS = 60_000;

/** Loads the page, clicks when it is ready to be clicked, and waits for the figure. */
async function joinOnce(browser: Browser, origin: string): Promise<number> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  try {
    const page = await context.newPage();
    await page.goto(`${origin}/r/${ROOM}?name=Bob&region=eu`);
    await clickJoin(page);
    // The page takes the time itself. Asking for reports meanwhile would slow down what is measured.
    await page.locator('[data-testid="tile"][data-name="Ada"][data-video="live"]').waitFor({ timeout: PATIENCE_MS });
    const report = await eventually(
      'a decoded frame',
      () => reportOf(page),
      ({ self }) => self.joinMs !== null,
      PATIENCE_MS,
    );
    if (report.e2ee.state !== 'encrypted') throw new Error(`not encrypted: ${report.e2ee.state}`);
    return report.self.joinMs ?? Number.NaN;
  } finally {
    await context.close();
  }
}

async function clickJoin(page: Page): Promise<void> {
  const button = page.getByTestId('join');
  await button.waitFor();
  // The preview starts by itself; a person looks at it before the click, so its start is not part of joining.
  await page.waitForFunction(() => [...document.querySelectorAll('video')].some((video) => video.videoWidth > 0));
  await button.click();
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const cluster = await startCluster({ port: 0, regions: [RegionId.parse('eu')], lan: false });
  const browsers: Browser[] = [];
  try {
    const open = async (): Promise<Browser> => {
      const browser = await openBrowser();
      browsers.push(browser);
      return browser;
    };
    const standing = await joinCall(await open(), cluster.origin, STANDING);
    const alone = () =>
      eventually(
        'to be alone',
        () => reportOf(standing),
        ({ e2ee }) => e2ee.members === 1,
        PATIENCE_MS,
      );
    const comer = await open();
    await alone();
    const load = loadNow();
    const samples: number[] = [];
    const { joins, warmUp } = EFFORTS[effort];
    for (let join = 1 - warmUp; join <= joins; join++) {
      const ms = await joinOnce(comer, cluster.origin);
      if (join > 0) samples.push(ms);
      if (join % 5 === 0) say(`join ${join}${join === 0 ? ', to warm up' : ''}: ${ms} ms`);
      await alone();
    }
    const note =
      'Chromium and cluster on one machine, page loaded and camera open before the click; looked at each 50 ms';
    const spread = spreadOf(samples);
    return [
      ...figures(load, [{ name: 'Join to first decoded frame', unit: 'ms', spread, goal: 800, note }]),
      ...figures(
        load,
        [{ name: 'Join to first decoded frame, slowest', unit: 'ms', spread, goal: 1_500, note }],
        'p95',
      ),
    ];
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await cluster.close();
  }
}

export const joinTime: Bench = { name: 'join-time', title: 'from Join to the first decoded frame', run };
