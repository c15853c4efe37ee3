/**
 * Nobody in the middle can listen: what a node has of a call does not decode to the film and does not contain it, while the
 * same tap on the same film without encryption does.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { types } from 'mediasoup';
import type { Browser, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually, joinCall, openBrowser, reportOf } from './support/browser.ts';
import { makeFilm } from './support/film.ts';
import { publishPlain } from './support/plain-page.ts';
import { bitsPerByte, decode, RANDOM_BITS_PER_BYTE, tapVideo } from './support/tap.ts';

const ROOM = 'tapped';
const ACTOR = 5;
const TAP_MS = 4_000;

let cluster: Cluster;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  cluster = await startCluster({ port: 0, regions: [RegionId.parse('eu')], lan: false });
  browser = await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), ACTOR));
  page = await joinCall(browser, cluster.origin, { room: ROOM, name: 'Ada' });
});

afterAll(async () => {
  await browser?.close();
  await cluster?.close();
});

/** The Router of the Room and its video Producer, as somebody who runs the node finds them. */
async function tapPoint(): Promise<{ router: types.Router; producerId: string }> {
  const [node] = cluster.nodes;
  if (!node) throw new Error('no node');
  const [worker] = node.report().workers ?? [];
  const router = node.routerOf(ROOM, worker?.workerId ?? '') as types.Router | undefined;
  if (!router) throw new Error('no router of the room');
  const dump = await router.dump();
  for (const { key } of dump.mapProducerIdConsumerIds) {
    const transport = await router.createDirectTransport();
    const consumer = await transport.consume({
      producerId: key,
      rtpCapabilities: router.rtpCapabilities,
      paused: true,
    });
    transport.close();
    if (consumer.kind === 'video') return { router, producerId: key };
  }
  throw new Error('no video producer in the room');
}

it('a tap on the node gets frames, and neither film nor picture out of them', async () => {
  await eventually(
    'sealed frames',
    () => reportOf(page),
    ({ e2ee }) => e2ee.state === 'encrypted' && e2ee.framesSealed > 50,
    30_000,
  );
  const { router, producerId } = await tapPoint();
  const frames = await tapVideo(router, producerId, TAP_MS);
  expect(frames.length).toBeGreaterThan(20);
  const { pictures, actors } = await decode(frames);
  console.log(
    `tap, encrypted: ${frames.length} frames, ${pictures} pictures decoded, films read: ${[...actors].join() || 'none'}`,
  );
  expect([...actors]).toEqual([]);
  const bodies = Buffer.concat(frames.map(({ bytes }) => bytes.subarray(10)));
  expect(bitsPerByte(bodies)).toBeGreaterThan(RANDOM_BITS_PER_BYTE);
});

it('the same tap without encryption gets the film, so the test above can fail', async () => {
  const { router } = await tapPoint();
  const plain = await publishPlain(browser, router);
  try {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const frames = await tapVideo(router, plain.producerId, TAP_MS);
    const { pictures, actors } = await decode(frames);
    console.log(
      `tap, in clear: ${frames.length} frames, ${pictures} pictures decoded, films read: ${[...actors].join() || 'none'}`,
    );
    expect([...actors]).toEqual([ACTOR]);
  } finally {
    await plain.close();
  }
});
