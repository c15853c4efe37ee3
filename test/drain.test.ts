/**
 * A Node is emptied while people on it are in a call: those who watch see no gap in the picture, nobody leaves, and the Node
 * is left with nothing. The gap is read off the frames that the page of a viewer presents, and off what its tile says meanwhile:
 * a picture that is taken away before the next is there would be `waiting`.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually, joinCall, openBrowser, reportOf } from './support/browser.ts';
import { makeFilm } from './support/film.ts';
import { clearOfRotations } from './support/rotation.ts';

const ROOM = 'drained';
/** On a busy machine pictures stand still without any drain; the figure is printed, and this only bounds it. */
const GAP_MAX_MS = 8_000;

let cluster: Cluster;
const browsers: Browser[] = [];
const pages: Page[] = [];

beforeAll(async () => {
  cluster = await startCluster({ port: 0, regions: [RegionId.parse('eu'), RegionId.parse('us')], lan: false });
  const people = [
    { name: 'Ada', region: 'us', actor: 1 },
    { name: 'Bob', region: 'eu', actor: 2 },
  ] as const;
  for (const { name, region, actor } of people) {
    const browser = await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), actor));
    browsers.push(browser);
    pages.push(await joinCall(browser, cluster.origin, { room: ROOM, name, region }));
  }
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await cluster?.close();
});

/** Notes from now on the longest time between two frames that the page shows of somebody. */
function watchGaps(page: Page, name: string): Promise<void> {
  return page.evaluate((of) => {
    const watched = { longest: 0, frames: 0, last: performance.now(), states: new Set<string>() };
    Object.assign(globalThis, { gapWatch: watched });
    const video = document.querySelector(`[data-testid="tile"][data-name="${of}"] video`) as HTMLVideoElement;
    const tile = video.closest('[data-testid="tile"]') as HTMLElement;
    const note = (): void => void watched.states.add(tile.dataset['video'] ?? 'none');
    new MutationObserver(note).observe(tile, { attributes: true, attributeFilter: ['data-video'] });
    note();
    const frame = (): void => {
      const now = performance.now();
      watched.longest = Math.max(watched.longest, now - watched.last);
      watched.last = now;
      watched.frames += 1;
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  }, name);
}

async function gapsOf(page: Page): Promise<{ longest: number; frames: number; states: string[] }> {
  return page.evaluate(() => {
    const { gapWatch } = globalThis as unknown as {
      gapWatch: { longest: number; frames: number; last: number; states: Set<string> };
    };
    const { longest, frames, last, states } = gapWatch;
    return { longest: Math.max(longest, performance.now() - last), frames, states: [...states] };
  });
}

it('a Node that is emptied leaves no gap in what anybody sees, and has nobody left', async () => {
  const [ada, bob] = pages as [Page, Page];
  for (const page of [ada, bob]) {
    await eventually(
      'each other',
      () => reportOf(page),
      ({ peers }) => (peers[0]?.video.framesDecoded ?? 0) > 50,
      60_000,
    );
  }
  await clearOfRotations();
  await Promise.all([watchGaps(ada, 'Bob'), watchGaps(bob, 'Ada')]);
  const node = cluster.nodes.find(({ nodeId }) => nodeId === 'us-1');
  const before = await reportOf(bob);
  expect(await node?.drain()).toBe(true);
  const report = await eventually(
    'the move',
    () => reportOf(ada),
    ({ self }) => self.node === 'eu-1',
    20_000,
  );
  const gaps = await Promise.all([gapsOf(ada), gapsOf(bob)]);
  console.log(
    `longest picture of the other while a Node was emptied: ${gaps.map(({ longest }) => longest.toFixed(0)).join(', ')} ms`,
  );
  for (const { longest, frames, states } of gaps) {
    expect(frames).toBeGreaterThan(5);
    expect(longest).toBeLessThan(GAP_MAX_MS);
    expect(states).not.toContain('waiting');
    expect(states).not.toContain('none');
  }
  expect(report.peers).toHaveLength(1);
  const after = await reportOf(bob);
  // The same Peer in the same group: nobody was told new keys for it.
  expect(after.peers.map(({ peerId }) => peerId)).toEqual(before.peers.map(({ peerId }) => peerId));
  expect(after.e2ee.epoch).toBe(before.e2ee.epoch);
  expect(node?.report().workers?.[0]?.routers).toEqual([]);
});
