/**
 * People come and go in every way there is, and nothing of them stays: no Router, Transport, Producer, Consumer, Pipe, timer
 * or file. One person stands in the Room throughout; after each kind of churn all counts are what they were with her alone,
 * and at the very end what they were before anybody came.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromium, type Browser, type BrowserServer, type Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { chromiumPath, eventually, FLAGS, joinCall, openBrowser, reportOf } from './support/browser.ts';
import { isBackAt, levelOf, watchWorkers, type Level } from './support/level.ts';
import { tokenFor } from './support/member.ts';
import { openProxy } from './support/proxy.ts';
import { serveSdk, type SdkOptions, type SdkPage, type ServedSdk } from './support/sdk-page.ts';

const ROOM = 'churn';
const ROUNDS = 50;
/** Pipes linger for 5 s, reservations for 10 s, dead sockets are found within 12 s; the rest is for slow machines. */
const SETTLE_MS = 60_000;

let cluster: Cluster;
let sdk: ServedSdk;
let browser: Browser;
let standing: Page;
let visitor: Page;
const workers = watchWorkers();
let atRest: Level;
let withHer: Level;

beforeAll(async () => {
  sdk = await serveSdk();
  cluster = await startCluster({
    port: 0,
    regions: [RegionId.parse('eu'), RegionId.parse('us')],
    lan: false,
  });
  atRest = await levelOf(cluster, workers());
  browser = await openBrowser();
  standing = await openSdk();
  await enter(standing, 'eu');
  await onlyHer();
  visitor = await openSdk();
  withHer = await levelOf(cluster, workers());
});

afterAll(async () => {
  await browser?.close();
  await cluster?.close();
  await sdk?.close();
});

async function openSdk(): Promise<Page> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(error.stack ?? error.message));
  await page.goto(sdk.url);
  await page.waitForFunction(() => 'sdk' in window);
  return page;
}

async function enter(page: Page, region: string): Promise<void> {
  const options: SdkOptions = {
    url: cluster.origin,
    token: await tokenFor(cluster.origin, ROOM),
    region,
    name: 'Somebody',
  };
  await page.evaluate((each) => (window as unknown as { sdk: SdkPage }).sdk.enter(each), options);
}

function snapshotOf(page: Page): Promise<ReturnType<SdkPage['snapshot']>> {
  return page.evaluate(() => (window as unknown as { sdk: SdkPage }).sdk.snapshot());
}

/** The person who stands sees so many others, and shares keys with exactly them. */
async function sheSees(people: number): Promise<void> {
  await eventually(
    `${people} others`,
    () => snapshotOf(standing),
    (now) => now.people === people && now.members === people + 1 && now.encryption === 'encrypted',
    SETTLE_MS,
  );
}

async function onlyHer(): Promise<void> {
  await sheSees(0);
  await eventually(
    'her Producers',
    async () => cluster.nodes.flatMap((node) => node.report().workers ?? []).map(({ producers }) => producers),
    (counts) => counts.join() === '2,0',
  );
}

async function backAt(before: Level, what: string): Promise<void> {
  const level = await eventually(
    `${what}, as before: ${JSON.stringify(before)}`,
    () => levelOf(cluster, workers()),
    (now) => isBackAt(now, before),
    SETTLE_MS,
  );
  console.log(`${what}: ${JSON.stringify(level)}`);
}

it(`${ROUNDS} joins and leaves in a row, in both regions`, { timeout: 300_000 }, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    await enter(visitor, round % 2 === 0 ? 'eu' : 'us');
    // Most stay until they have the keys; some are gone before.
    if (round % 5 !== 4) {
      await eventually(
        `the keys of visitor ${round}`,
        () => snapshotOf(visitor),
        (now) => now.encryption === 'encrypted' && now.people === 1,
        SETTLE_MS,
      );
    }
    await visitor.evaluate(() => (window as unknown as { sdk: SdkPage }).sdk.leave());
  }
  await sheSees(0);
  await backAt(withHer, 'after the joins and leaves');
});

it('page reloads', async () => {
  const page = await joinCall(browser, cluster.origin, { room: ROOM, name: 'Bob', region: 'us' });
  for (let round = 0; round < 4; round++) {
    await sheSees(1);
    await page.reload();
  }
  await sheSees(1);
  await page.context().close();
  await sheSees(0);
  await backAt(withHer, 'after the reloads');
});

it('two tabs of one person', async () => {
  const token = await tokenFor(cluster.origin, ROOM);
  const first = await joinCall(browser, cluster.origin, { room: ROOM, name: 'Bob', region: 'eu', token });
  // On the same device: a token is bound to the first that uses it.
  const second = await joinCall(first.context(), cluster.origin, { room: ROOM, name: 'Bob', region: 'us', token });
  await sheSees(2);
  await first.close();
  await sheSees(1);
  const { peers } = await eventually(
    'what the other tab still sees',
    () => reportOf(second),
    (report) => report.peers.length === 1 && (report.peers[0]?.video.framesDecoded ?? 0) > 0,
    SETTLE_MS,
  );
  expect(peers).toHaveLength(1);
  await second.context().close();
  await backAt(withHer, 'after the tabs');
});

it('a browser that is killed', async () => {
  const server: BrowserServer = await chromium.launchServer({ executablePath: await chromiumPath(), args: FLAGS });
  const doomed = await chromium.connect(server.wsEndpoint());
  await joinCall(doomed, cluster.origin, { room: ROOM, name: 'Bob', region: 'us' });
  await sheSees(1);
  await server.kill();
  await sheSees(0);
  await backAt(withHer, 'after the kill');
});

it('a socket that goes dead without a word', async () => {
  const proxy = await openProxy(cluster.origin);
  try {
    const page = await joinCall(browser, proxy.origin, { room: ROOM, name: 'Bob', region: 'us' });
    await sheSees(1);
    const next = page.waitForEvent('websocket', { timeout: SETTLE_MS });
    expect(proxy.cut()).toBeGreaterThan(0);
    // Both ends find out by themselves; the person goes on as the same Peer, or comes back as another where that took too long.
    await (await next).waitForEvent('framereceived', { timeout: SETTLE_MS });
    await eventually(
      'to be in the group',
      () => reportOf(page),
      ({ self, e2ee }) => self.peerId !== '' && e2ee.state === 'encrypted' && e2ee.members === 2,
      SETTLE_MS,
    );
    await sheSees(1);
    await page.context().close();
    await sheSees(0);
  } finally {
    proxy.close();
  }
  await backAt(withHer, 'after the cut');
});

it('everybody leaves, and it is as if nobody had come', async () => {
  await standing.evaluate(() => (window as unknown as { sdk: SdkPage }).sdk.leave());
  await browser.close();
  await backAt(atRest, 'at rest');
});
