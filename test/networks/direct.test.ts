/**
 * The call page of two people behind every two kinds of NAT, where the cluster lets calls of two go directly (ADR 0034): directly where
 * two such NATs let that happen, by the server elsewhere, and with pictures both ways in either case. `VEILCAST_LONG=1` runs all.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingForLab, type Client } from '@veilcast/testkit/lab';
import { eventually, joinCall, reportOf } from '../support/browser.ts';
import { makeFilm } from '../support/film.ts';
import { startRegions, type RegionCluster } from './cluster.ts';
import { PAIRS } from './pairs.ts';

const missing = missingForLab();
if (missing !== undefined) console.warn(`direct calls between networks are not tested: ${missing}`);
const isLong = process.env.VEILCAST_LONG === '1';
const SHORT = new Set(['port-restricted port-restricted', 'port-restricted symmetric']);
const wanted = PAIRS.filter(({ one, other }) => isLong || SHORT.has(`${one} ${other}`));
const CELL_MS = 60_000;
/** Longer than a direct path is tried for. */
const NEVER_MS = 12_000;
const PEOPLE = ['Ada', 'Bob'] as const;
const rows: string[] = [];

describe.skipIf(missing !== undefined)('a call of two from every two networks', () => {
  let cluster: RegionCluster;
  let clients: Client[] = [];
  const browsers: Browser[] = [];

  beforeAll(async () => {
    const region = 'us-east-1';
    cluster = await startRegions(
      [
        { name: 'store', region, runs: ['store'] },
        { name: 'sfu', region, runs: ['signaling', 'cascade-router', 'sfu-node'] },
        { name: 'turn', region, runs: ['turn'] },
      ],
      undefined,
      { VEILCAST_SIGNALING_POLICY_PEER_TO_PEER: 'on' },
    );
    const { lab, browserFlags } = cluster;
    clients = [await lab.client('ada', 'open'), await lab.client('bob', 'open')];
    const films = await Promise.all([1, 2].map((actor) => makeFilm(join(tmpdir(), 'veilcast-films'), actor)));
    const flags = films.map(({ video, audio }) => [
      ...browserFlags,
      `--use-file-for-fake-video-capture=${video}`,
      `--use-file-for-fake-audio-capture=${audio}`,
    ]);
    browsers.push(...(await Promise.all(clients.map((client, at) => client.browser(flags[at])))));
  });
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await cluster?.close();
    console.log(['one                 other               way        after', ...rows].join('\n'));
  });

  it.each(wanted)('$one and $other', async ({ one, other, direct }) => {
    await Promise.all(clients.map((client, at) => client.become(at === 0 ? one : other)));
    const began = performance.now();
    const room = `${one}-${other}`;
    const origin = cluster.origins.get('sfu')!;
    const pages = await Promise.all(PEOPLE.map((name, at) => joinCall(browsers[at]!, origin, { room, name })));
    try {
      await seeEachOther(pages);
      const areDirect = () => Promise.all(pages.map(isDirect));
      const got = await eventually('a direct way', areDirect, all, direct ? CELL_MS : NEVER_MS).catch(areDirect);
      const way = all(got) ? 'direct' : 'server';
      rows.push(`${one.padEnd(20)}${other.padEnd(20)}${way.padEnd(11)}${Math.round(performance.now() - began)} ms`);
      expect(way).toBe(direct ? 'direct' : 'server');
      await seeEachOther(pages);
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
    }
  });
});

function all(ways: readonly boolean[]): boolean {
  return ways.every(Boolean);
}

async function isDirect(page: Page): Promise<boolean> {
  return (await reportOf(page)).peers[0]?.direct === true;
}

/** More of each other than at first. */
async function seeEachOther(pages: readonly Page[]): Promise<void> {
  const frames = () =>
    Promise.all(pages.map(async (page) => (await reportOf(page)).peers[0]?.video.framesDecoded ?? 0));
  const before = await frames();
  await eventually(
    'pictures of each other',
    frames,
    (now) => now.every((each, at) => each > before[at]! + 10),
    CELL_MS,
  );
}
