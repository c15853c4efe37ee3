/**
 * The call page behind every kind of NAT and firewall, in a real Chromium, against a real cluster: each connects, by the path that
 * is expected there, or says why it cannot. The table is printed. `VEILCAST_LONG=1` runs all of it; otherwise what differs most.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingForLab, type Client, type Network } from '@veilcast/testkit/lab';
import { eventually, joinCall, reportOf } from '../support/browser.ts';
import { makeFilm } from '../support/film.ts';
import { gapOf, watchGaps } from '../support/gaps.ts';
import { startRegions, type RegionCluster } from './cluster.ts';
import { keepConnections, waysOf, type Way } from './path.ts';

const missing = missingForLab();
if (missing !== undefined) console.warn(`the matrix of networks is not tested: ${missing}`);
const isLong = process.env.VEILCAST_LONG === '1';
const ROOM = 'networks';
/** A cell takes 2 to 4 s here; many times that on a busy machine. */
const CELL_MS = 60_000;
/** Each way, to everybody. */
const DISTANCE_MS = 20;
/** A path that was broken before the next was made takes longer than this to come back; a busy machine takes less. */
const STILL_MAX_MS = 2_000;
/** Longer than a carrier keeps what is silent. */
const CARRIER_MS = 35_000;

interface Cell {
  readonly network: Network;
  /** The person wants everything to go through a relay. */
  readonly relay?: true;
  readonly way: Way;
  /** Works as well, and where it happened to answer first Chromium keeps it: it looks for no other once it is connected. */
  readonly or?: Way;
  /** A firewall that is opened while people talk: the better way is taken then. */
  readonly opens?: { readonly as: Network; readonly way: Way };
  /** Also in the short run. */
  readonly always?: true;
}

const CELLS: readonly Cell[] = [
  { network: 'open', way: 'udp' },
  { network: 'full-cone', way: 'udp' },
  { network: 'address-restricted', way: 'udp' },
  { network: 'port-restricted', way: 'udp', always: true },
  { network: 'symmetric', way: 'udp', always: true },
  { network: 'carrier', way: 'udp' },
  { network: 'no-udp', way: 'tcp', opens: { as: 'port-restricted', way: 'udp' }, always: true },
  { network: 'tcp-443', way: 'relay-tcp', opens: { as: 'no-udp', way: 'tcp' } },
  { network: 'tls-443', way: 'relay-tls', always: true },
  { network: 'ipv6-only', way: 'udp', always: true },
  { network: 'open', relay: true, way: 'relay-udp', or: 'relay-tcp' },
  { network: 'symmetric', relay: true, way: 'relay-udp', or: 'relay-tcp', always: true },
  { network: 'no-udp', relay: true, way: 'relay-tcp' },
  { network: 'ipv6-only', relay: true, way: 'relay-udp', or: 'relay-tcp' },
];

const rows: string[] = [];

/** Frames of somebody that were decoded there. */
async function seenBy(page: Page, who: string): Promise<number> {
  const { peers } = await reportOf(page);
  return peers.find(({ name }) => name === who)?.video.framesDecoded ?? 0;
}

describe.skipIf(missing !== undefined)('a call from every network', () => {
  let cluster: RegionCluster;
  let client: Client;
  const browsers: Browser[] = [];
  let ada: Page;

  beforeAll(async () => {
    cluster = await startRegions(
      [
        { name: 'store', region: 'us-east-1', runs: ['store'] },
        { name: 'sfu', region: 'us-east-1', runs: ['signaling', 'cascade-router', 'sfu-node'] },
        // Of its own address, so that it has a port 443 too.
        { name: 'turn', region: 'us-east-1', runs: ['turn'] },
      ],
      { port: 443, https: true },
    );
    const region = cluster.lab.region('us-east-1');
    const near = await cluster.lab.client('ada', 'open', region);
    client = await cluster.lab.client('client', 'open', region);
    // UDP needs fewer round trips: without a distance it would be chance which relay answers first.
    await cluster.lab.impair(client, 'all', { delayMs: DISTANCE_MS });
    const opened = await Promise.all(
      [near, client].map(async (host, at) => {
        const film = await makeFilm(join(tmpdir(), 'veilcast-films'), at + 1);
        return host.browser([
          ...cluster.browserFlags,
          `--use-file-for-fake-video-capture=${film.video}`,
          `--use-file-for-fake-audio-capture=${film.audio}`,
        ]);
      }),
    );
    browsers.push(...opened);
    ada = await joinCall(opened[0]!, cluster.origins.get('sfu')!, { room: ROOM, name: 'Ada' });
  });
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await cluster?.close();
    console.log(['network                   path                    media after', ...rows].join('\n'));
  });

  /** Where the page is, for who has only this or that kind of address. */
  function originFor(network: Network): string {
    const { v6 } = cluster.hosts.get('sfu')!.address;
    return network === 'ipv6-only' ? new URL(`https://[${v6}]`).origin : cluster.origins.get('sfu')!;
  }

  async function enter(
    name: string,
    network: Network,
    relay: boolean,
  ): Promise<{ context: BrowserContext; page: Page }> {
    const permissions = ['camera', 'microphone'];
    const context = await browsers[1]!.newContext({ permissions, ignoreHTTPSErrors: true });
    await keepConnections(context);
    return { context, page: await joinCall(context, originFor(network), { room: ROOM, name, relay }) };
  }

  async function mediaBothWays(page: Page, name: string): Promise<void> {
    const [ours, theirs] = await Promise.all([seenBy(page, 'Ada'), seenBy(ada, name)]);
    await eventually(
      `pictures from and to ${name}`,
      async () => Promise.all([seenBy(page, 'Ada'), seenBy(ada, name)]),
      ([now, far]) => now > ours + 5 && far > theirs + 5,
      CELL_MS,
    );
  }

  /** The better way, once it is open; nobody tells the page. */
  async function takes(page: Page, name: string, { as, way }: NonNullable<Cell['opens']>): Promise<void> {
    await Promise.all([watchGaps(page, 'Ada'), watchGaps(ada, name)]);
    const opened = performance.now();
    await client.filterAs(as);
    await eventually(
      `${way} instead`,
      () => waysOf(page),
      (ways) => ways.every((each) => each === way),
      CELL_MS,
    );
    const tookMs = Math.round(performance.now() - opened);
    await mediaBothWays(page, name);
    const stills = (await Promise.all([gapOf(page, 'Ada'), gapOf(ada, name)])).map(({ gapMs }) => Math.round(gapMs));
    rows.push(
      `${`  opened: ${as}`.padEnd(26)}${way.padEnd(24)}${tookMs} ms, longest picture ${stills.join(' and ')} ms`,
    );
    expect(Math.max(...stills), 'the old way carries until the new one does').toBeLessThan(STILL_MAX_MS);
  }

  it.each(CELLS.filter(({ always }) => isLong || always))(
    'from $network by $way',
    async ({ network, way, or = way, relay = false, opens }) => {
      await client.become(network);
      const name = `${network} ${way}`;
      const began = performance.now();
      const { context, page } = await enter(name, network, relay);
      try {
        await mediaBothWays(page, name);
        const tookMs = Math.round(performance.now() - began);
        const ways = await waysOf(page);
        rows.push(`${(relay ? `${network}, relay only` : network).padEnd(26)}${ways.join(' ').padEnd(24)}${tookMs} ms`);
        expect(ways).toHaveLength(2);
        for (const each of ways) expect([way, or]).toContain(each);
        if (opens) await takes(page, name, opens);
        if (network === 'carrier' && isLong) {
          // Nothing but what keeps the path open passes.
          await page.getByTestId('camera').click();
          await page.getByTestId('mic').click();
          await new Promise((resolve) => setTimeout(resolve, CARRIER_MS));
          await page.getByTestId('camera').click();
          await mediaBothWays(page, name);
        }
      } finally {
        await context.close();
      }
    },
    2 * CELL_MS + CARRIER_MS,
  );
});
