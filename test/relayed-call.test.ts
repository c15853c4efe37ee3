/**
 * A call of two where one of them is only reached by way of TURN: the real coturn of `up`, real Chromium, and the relay killed in the
 * middle of it.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually, joinCall, openBrowser, reportOf, type Report } from './support/browser.ts';

let cluster: Cluster;
const browsers: Browser[] = [];
let ada: Page;
let bob: Page;

beforeAll(async () => {
  cluster = await startCluster({ port: 0, regions: [RegionId.parse('eu'), RegionId.parse('us')], lan: false });
  const [first, second] = [await openBrowser(), await openBrowser()];
  browsers.push(first, second);
  ada = await joinCall(first, cluster.origin, { room: 'relayed', name: 'Ada', region: 'eu', relay: true });
  bob = await joinCall(second, cluster.origin, { room: 'relayed', name: 'Bob', region: 'eu' });
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await cluster?.close();
});

const framesOf = ({ peers }: Report): number => peers[0]?.video.framesDecoded ?? 0;
const decodes = ({ e2ee, peers }: Report): boolean =>
  e2ee.state === 'encrypted' && peers.length === 1 && (peers[0]?.video.framesDecoded ?? 0) > 20;

it('all media of one who forces the relay goes through it, encrypted, and the other goes directly', async () => {
  const [relayed, direct] = await Promise.all(
    [ada, bob].map((page) => eventually('pictures both ways', () => reportOf(page), decodes, 100_000)),
  );
  expect(relayed?.self.path?.kind).toMatch(/^relay-/);
  expect(cluster.turns.flatMap(({ iceUrls }) => iceUrls)).toContain(relayed?.self.path?.server);
  expect(direct?.self.path?.kind).toBe('udp');
  expect(relayed?.e2ee.framesOpened).toBeGreaterThan(20);
  expect(cluster.turns.some(({ allocations }) => allocations > 0)).toBe(true);
});

it('when its TURN server is killed its media comes back through another', async () => {
  const used = (await reportOf(ada)).self.path?.server ?? '';
  const server = cluster.turns.find(({ iceUrls }) => iceUrls.includes(used));
  const killed = performance.now();
  process.kill(server?.pid ?? Number.NaN, 'SIGKILL');
  const before = framesOf(await reportOf(bob));
  let [last, lastAt, gap] = [before, killed, 0];
  await eventually(
    'pictures of Ada after the kill',
    async () => {
      const frames = framesOf(await reportOf(bob));
      if (frames > last) [gap, lastAt, last] = [Math.max(gap, performance.now() - lastAt), performance.now(), frames];
      return performance.now() - killed;
    },
    (ms) => ms > 4_000 && last > before + 40,
    60_000,
  );
  console.log(`TURN server killed: pictures stood still for ${gap.toFixed(0)} ms at the longest`);
  expect((await reportOf(ada)).self.path?.kind).toMatch(/^relay-/);
  await eventually(
    'coturn again',
    () => Promise.resolve(server?.ready()),
    (ready) => ready === true,
  );
});
