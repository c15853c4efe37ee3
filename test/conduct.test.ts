/**
 * What people do to each other in a call, by the controls of the page, seen where it must arrive: on the other's page, and at
 * the node that saves what nobody sees. Ada in one region, Bob in another, Cleo at the door.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { observer, type types } from 'mediasoup';
import type { Browser, Locator, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually, joinCall, openBrowser, reportOf, type Report } from './support/browser.ts';
import { makeFilm } from './support/film.ts';

const ROOM = 'conduct';
const PATIENCE_MS = 30_000;

/** Consumers towards browsers, whichever node they are on. */
const consumers = new Set<types.Consumer>();
observer.on('newworker', (worker) => {
  worker.observer.on('newrouter', (router) => {
    router.observer.on('newtransport', (transport) => {
      if (transport.type !== 'webrtc') return;
      transport.observer.on('newconsumer', (consumer) => {
        consumers.add(consumer);
        consumer.observer.once('close', () => consumers.delete(consumer));
      });
    });
  });
});

let cluster: Cluster;
let browser: Browser;
let ada: Page;
let bob: Page;

beforeAll(async () => {
  const regions = [RegionId.parse('eu'), RegionId.parse('us')];
  cluster = await startCluster({ port: 0, regions, lan: false });
  browser = await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), 7));
  ada = await joinCall(browser, cluster.origin, { room: ROOM, name: 'Ada', region: 'eu' });
  await until(ada, 'her place', ({ self, e2ee }) => self.role === 'host' && e2ee.state === 'encrypted');
  bob = await joinCall(browser, cluster.origin, { room: ROOM, name: 'Bob', region: 'us' });
  await sees(ada, 'Bob', 'live');
  await sees(bob, 'Ada', 'live');
});

afterAll(async () => {
  await browser?.close();
  await cluster?.close();
});

function until(page: Page, what: string, pleases: (report: Report) => boolean): Promise<Report> {
  return eventually(what, () => reportOf(page), pleases, PATIENCE_MS);
}

function tileOf(page: Page, name: string, kind: 'tile' | 'screen' = 'tile'): Locator {
  return page.locator(`[data-testid="${kind}"][data-name="${name}"]`);
}

async function sees(
  page: Page,
  name: string,
  state: 'live' | 'muted',
  kind: 'tile' | 'screen' = 'tile',
): Promise<void> {
  const tile = tileOf(page, name, kind);
  await tile.and(page.locator(`[data-video="${state}"]`)).waitFor({ timeout: PATIENCE_MS });
}

function press(page: Page, control: string): Promise<void> {
  return page.getByTestId(control).first().click({ timeout: PATIENCE_MS });
}

describe('what one sends', () => {
  it('a microphone that is off is silent at the other, and back when it is on', async () => {
    const off = tileOf(bob, 'Ada').getByText('microphone off');
    await press(ada, 'mic');
    await off.waitFor({ state: 'attached', timeout: PATIENCE_MS });
    await eventually('no more sound at the node', async () => carried('audio'), quiet(), PATIENCE_MS);
    await press(ada, 'mic');
    await off.waitFor({ state: 'detached', timeout: PATIENCE_MS });
    const heard = packetsFromAda(await reportOf(bob));
    await until(bob, 'sound again', (report) => packetsFromAda(report) > heard + 10);
  });

  it('a camera that is off is no picture at the other, and back when it is on', async () => {
    await press(ada, 'camera');
    await sees(bob, 'Ada', 'muted');
    await press(ada, 'camera');
    await sees(bob, 'Ada', 'live');
    const decoded = framesFromAda(await reportOf(bob));
    await until(bob, 'pictures again', (report) => framesFromAda(report) > decoded + 5);
  });

  it('a screen is shown beside the camera, and gone when sharing ends', async () => {
    await press(ada, 'share');
    await sees(bob, 'Ada', 'live', 'screen');
    await sees(bob, 'Ada', 'live');
    const width = await tileOf(bob, 'Ada', 'screen')
      .locator('video')
      .evaluate((video) => (video as HTMLVideoElement).videoWidth);
    expect(width).toBeGreaterThan(0);
    await press(ada, 'share');
    await tileOf(bob, 'Ada', 'screen').waitFor({ state: 'detached', timeout: PATIENCE_MS });
  });
});

function packetsFromAda({ peers }: Report): number {
  return peers.find(({ name }) => name === 'Ada')?.audio.packetsReceived ?? 0;
}

function framesFromAda({ peers }: Report): number {
  return peers.find(({ name }) => name === 'Ada')?.video.framesDecoded ?? 0;
}

/** Bob's Consumer of Ada, at his own node; undefined while there is none. Looked up anew each time: a path may be repaired. */
async function bobsConsumer(kind: types.MediaKind): Promise<types.Consumer | undefined> {
  const { self } = await reportOf(bob);
  const worker = cluster.nodes.map((node) => node.report()).find(({ nodeId }) => nodeId === self.node)?.workers?.[0];
  const router = cluster.nodes.map((node) => node.routerOf(ROOM, worker?.workerId ?? '')).find((each) => each);
  const dump = await (router as types.Router | undefined)?.dump();
  const here = dump?.mapConsumerIdProducerId.map(({ key }) => key) ?? [];
  return [...consumers].find((consumer) => consumer.kind === kind && here.includes(consumer.id));
}

/** Packets that Bob's node has sent him of it. */
async function carried(kind: types.MediaKind): Promise<number> {
  const stats = (await (await bobsConsumer(kind))?.getStats()) ?? [];
  return stats.find(({ type }) => type === 'outbound-rtp')?.packetCount ?? 0;
}

/** Pleased when the same number came five times in a row: half a second without a packet. */
function quiet(): (count: number) => boolean {
  let last = -1;
  let times = 0;
  return (count) => {
    times = count === last ? times + 1 : 0;
    last = count;
    return times >= 5;
  };
}

describe('what one sees', () => {
  it('a smaller tile gets a lower layer, a larger one a higher again', async () => {
    await layer('more than the lowest layer', (spatial) => spatial > 0);
    await bob.setViewportSize({ width: 320, height: 280 });
    await layer('the lowest layer', (spatial) => spatial === 0);
    const { peers } = await until(bob, 'the lowest layer', (report) => layerOfAda(report) === 0);
    expect(peers[0]?.video.width).toBeGreaterThan(0);
    await bob.setViewportSize({ width: 1280, height: 800 });
    await layer('a higher layer', (spatial) => spatial > 0);
  });

  it('a hidden tile costs nothing: its Consumer is paused at the node until it is seen again', async () => {
    await paused(false);
    const hidden = '[data-testid="tile"][data-name="Ada"] { display: none !important }';
    const style = await bob.addStyleTag({ content: hidden });
    await paused(true);
    await style.evaluate((element) => (element as Element).remove());
    await paused(false);
    const decoded = framesFromAda(await reportOf(bob));
    await until(bob, 'pictures again', (report) => framesFromAda(report) > decoded + 5);
  });
});

/** The spatial layer that Bob is told he gets: `S0T2`. */
function layerOfAda({ peers }: Report): number {
  return Number(/^S(\d)/.exec(peers.find(({ name }) => name === 'Ada')?.video.layer ?? '')?.[1] ?? Number.NaN);
}

/** What Bob's node makes of Ada's picture. */
async function shown(): Promise<{ paused: boolean; spatial: number } | undefined> {
  const consumer = await bobsConsumer('video');
  return consumer && { paused: consumer.paused, spatial: consumer.preferredLayers?.spatialLayer ?? Number.NaN };
}

async function layer(what: string, fits: (spatial: number) => boolean): Promise<void> {
  await eventually(what, shown, (now) => now !== undefined && fits(now.spatial), PATIENCE_MS);
}

async function paused(expected: boolean): Promise<void> {
  const what = expected ? 'a paused Consumer' : 'a Consumer that goes on';
  await eventually(what, shown, (now) => now?.paused === expected, PATIENCE_MS);
}

describe('what one says', () => {
  it('a line of chat arrives', async () => {
    await press(ada, 'chat');
    await press(bob, 'chat');
    await ada.getByTestId('chat-input').fill('Does this reach you?');
    await ada.getByTestId('chat-input').press('Enter');
    const line = bob.getByTestId('chat-line').filter({ hasText: 'Does this reach you?' });
    await line.waitFor({ timeout: PATIENCE_MS });
    expect(await line.innerText()).toContain('Ada');
    await press(ada, 'chat');
    await press(bob, 'chat');
  });

  it('a raised hand is seen until it is lowered', async () => {
    const hand = tileOf(ada, 'Bob').getByText('Hand raised');
    await press(bob, 'hand');
    await hand.waitFor({ timeout: PATIENCE_MS });
    await press(bob, 'hand');
    await hand.waitFor({ state: 'detached', timeout: PATIENCE_MS });
  });
});

describe('who is in', () => {
  let cleo: Page;

  it('a locked Room lets people wait until its host admits them', async () => {
    await press(ada, 'people');
    await ada.getByText('Lock the room').click({ timeout: PATIENCE_MS });
    await bob.getByTestId('people').click();
    await bob.getByText('The room is locked').waitFor({ timeout: PATIENCE_MS });

    cleo = await joinCall(browser, cluster.origin, { room: ROOM, name: 'Cleo', region: 'eu' });
    const admit = ada.getByTestId('lobby-admit').first();
    await admit.waitFor({ timeout: PATIENCE_MS });
    expect((await reportOf(cleo)).peers).toEqual([]);
    expect(await bob.getByTestId('lobby-admit').count()).toBe(0);
    expect((await reportOf(bob)).e2ee.members).toBe(2);
    await eventually(
      'her place',
      async () => {
        // Whoever comes back after a broken path knocks again.
        if (await admit.isVisible()) await admit.click().catch(() => undefined);
        return reportOf(cleo);
      },
      ({ peers, e2ee }) => peers.length === 2 && e2ee.members === 3,
      60_000,
    );
    await sees(cleo, 'Ada', 'live');
    await sees(bob, 'Cleo', 'live');
  });

  it('who is removed is out at once, is told so, and has no keys any more', async () => {
    const { e2ee } = await reportOf(bob);
    await ada.getByRole('button', { name: 'Remove Cleo' }).press('Enter', { timeout: PATIENCE_MS });
    await ada.getByRole('button', { name: 'Remove', exact: true }).press('Enter', { timeout: PATIENCE_MS });
    await cleo.locator('[data-testid="error"][data-code="REMOVED"]').waitFor({ timeout: PATIENCE_MS });
    for (const page of [ada, bob]) {
      const after = await until(
        page,
        'two members',
        (report) => report.e2ee.members === 2 && report.peers.length === 1,
      );
      expect(after.e2ee.epoch).toBeGreaterThan(e2ee.epoch);
      expect(after.e2ee.code).not.toBe(e2ee.code);
    }
    await tileOf(bob, 'Cleo').waitFor({ state: 'detached', timeout: PATIENCE_MS });
  });

  it('who leaves is gone for the other', async () => {
    await press(bob, 'leave');
    await until(ada, 'nobody else', ({ peers, e2ee }) => peers.length === 0 && e2ee.members === 1);
    await tileOf(ada, 'Bob').waitFor({ state: 'detached', timeout: PATIENCE_MS });
  });
});
