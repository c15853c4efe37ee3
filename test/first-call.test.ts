/**
 * A whole call: three people in three Chromiums, each with a film of their own for a camera, in two regions of a real cluster.
 * Each must see and hear every other, and what is seen must be what was sent.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually, joinCall, openBrowser, reportOf, seenOn } from './support/browser.ts';
import { FPS, makeFilm, SECONDS } from './support/film.ts';

const people = [
  { name: 'Ada', region: 'eu', actor: 1 },
  { name: 'Bob', region: 'us', actor: 2 },
  { name: 'Cleo', region: 'eu', actor: 3 },
] as const;

let cluster: Cluster;
const browsers: Browser[] = [];
const pages = new Map<string, Page>();

beforeAll(async () => {
  cluster = await startCluster({ port: 0, regions: [RegionId.parse('eu'), RegionId.parse('us')], lan: false });
  for (const { name, region, actor } of people) {
    const browser = await openBrowser(await makeFilm(join(tmpdir(), 'veilcast-films'), actor));
    browsers.push(browser);
    pages.set(name, await joinCall(browser, cluster.origin, { room: 'first-call', name, region }));
  }
});

afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await cluster?.close();
});

function pageOf(name: string): Page {
  const page = pages.get(name);
  if (!page) throw new Error(`no page of ${name}`);
  return page;
}

const pairs = people.flatMap((viewer) =>
  people.filter((other) => other !== viewer).map((other) => ({ viewer, other })),
);

describe('three people in two regions', () => {
  it.each(people)('$name decodes the video and audio of both others', async ({ name }) => {
    const report = await eventually(
      `what ${name} receives`,
      () => reportOf(pageOf(name)),
      ({ peers, e2ee }) =>
        e2ee.state === 'encrypted' &&
        peers.length === 2 &&
        peers.every((peer) => peer.video.framesDecoded > FPS && peer.audio.packetsReceived > 20),
      60_000,
    );
    expect(report.e2ee.members).toBe(3);
    expect(report.peers.map((peer) => peer.name).sort()).toEqual(
      people
        .map((each) => each.name)
        .filter((each) => each !== name)
        .sort(),
    );
  });

  it('everybody reads the same code, in the same Epoch', async () => {
    const reports = await Promise.all(people.map(({ name }) => reportOf(pageOf(name))));
    expect(new Set(reports.map((report) => report.e2ee.code)).size).toBe(1);
    expect(new Set(reports.map((report) => report.e2ee.epoch)).size).toBe(1);
    expect(reports[0]?.e2ee.code).toMatch(/^\d{5}( \d{5}){5}$/);
  });

  it('media between regions crosses both nodes, and within one only its own', async () => {
    for (const { viewer, other } of pairs) {
      const report = await reportOf(pageOf(viewer.name));
      const path = report.peers.find((peer) => peer.name === other.name)?.path;
      const expected =
        other.region === viewer.region ? [`${other.region}-1`] : [`${other.region}-1`, `${viewer.region}-1`];
      expect(path, `${other.name} to ${viewer.name}`).toEqual(expected);
    }
  });

  it.each(pairs)('$viewer.name sees the film of $other.name and no other', async ({ viewer, other }) => {
    const seen = await eventually(
      `${other.name} on ${viewer.name}'s page`,
      () => seenOn(pageOf(viewer.name), other.name),
      (each) => each !== undefined,
    );
    expect(seen?.actor).toBe(other.actor);
    const later = await eventually(
      'the next frames',
      () => seenOn(pageOf(viewer.name), other.name),
      (each) => each !== undefined && each.frame !== seen?.frame,
    );
    expect(later?.actor).toBe(other.actor);
  });

  it('prints glass to glass: from the self view of one to the tile of another', async () => {
    const samples: number[] = [];
    const far = pageOf('Bob');
    for (let round = 0; round < 20; round++) {
      const [sent, seen] = await Promise.all([seenOn(pageOf('Ada'), 'Ada'), seenOn(far, 'Ada')]);
      if (!sent || !seen) continue;
      const frames = (sent.frame - seen.frame + FPS * SECONDS) % (FPS * SECONDS);
      samples.push((frames / FPS) * 1000 - (sent.at - seen.at));
    }
    samples.sort((one, other) => one - other);
    expect(samples.length).toBeGreaterThan(5);
    const median = samples[Math.floor(samples.length / 2)] ?? Number.NaN;
    console.log(
      `glass to glass, eu to us on one machine: median ${median.toFixed(0)} ms of ${samples.length} samples (film of ${FPS} fps)`,
    );
    expect(median).toBeLessThan(2_000);
  });
});
