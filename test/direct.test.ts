/**
 * Calls between two that go directly (ADR 0034), with real browsers: two go directly, a third moves them to the server and back, a
 * path that is cut is left, and who hides their address never makes a connection to the other at all.
 *
 * Gaps are read off the frames that the page presents. Every RTCPeerConnection of a page is noted as it is made, so that the
 * figures are those of the wire and not those that the page tells of itself.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually, joinCall, openBrowser, reportOf, seenOn } from './support/browser.ts';
import { makeFilm } from './support/film.ts';
import {
  cutDirect,
  gapsOf,
  isByServer,
  isDirect,
  packetsOf,
  tapDirect,
  untilAll,
  watchConnections,
  watchGaps,
  type TappedFrame,
  type Watched,
} from './support/connections.ts';

/** On a busy machine pictures stand still anyway; the figure is printed, and this only bounds it. */
const GAP_MAX_MS = 8_000;

let cluster: Cluster;
/** By film. */
const browsers: (Browser | undefined)[] = [];

beforeAll(async () => {
  cluster = await startCluster({
    port: 0,
    regions: [RegionId.parse('eu')],
    lan: false,
    peerToPeer: 'on',
  });
});

afterAll(async () => {
  await Promise.all(browsers.map(async (browser) => browser?.close()));
  await cluster?.close();
});

/** One browser a film; each page has a device of its own. */
async function enter(room: string, name: string, actor: number, taps = false): Promise<Page> {
  const film = await makeFilm(join(tmpdir(), 'veilcast-films'), actor);
  const browser = (browsers[actor] ??= await openBrowser(film));
  const viewport = { width: 960, height: 640 };
  const context = await browser.newContext({ permissions: ['camera', 'microphone'], viewport });
  await context.addInitScript(watchConnections);
  if (taps) await context.addInitScript(tapDirect);
  return joinCall(context, cluster.origin, { room, name });
}

const ms = (figures: readonly number[]): string => figures.map((figure) => figure.toFixed(0)).join(' and ') || 'none';

/** Gaps of a move are those of the pictures before and after it; the longest has everything else that the machine did too. */
function print(what: string, watched: readonly Watched[]): void {
  const each = watched.map(({ moves, longest }) => `moves ${ms(moves)} ms, longest picture ${longest.toFixed(0)} ms`);
  console.log(`${what}: ${each.join('; ')}`);
}

/** One picture or the other was there all the time. */
function expectSeen({ longest, states, blank }: Watched): void {
  expect(longest).toBeLessThan(GAP_MAX_MS);
  expect(states).not.toContain('waiting');
  expect(states).not.toContain('none');
  expect(blank).toBe(0);
}

describe('two people', () => {
  let ada: Page;
  let bob: Page;

  it('see and hear each other directly, and the server carries nothing', async () => {
    [ada, bob] = await Promise.all([enter('two', 'Ada', 1), enter('two', 'Bob', 2)]);
    const reports = await untilAll('a direct path', [ada, bob], isDirect);
    for (const { peers, self } of reports) {
      expect(peers[0]?.path).toEqual([]);
      expect(self.transport).toBe('udp');
    }
    const films = await Promise.all([
      eventually(
        'the film of Bob',
        () => seenOn(ada, 'Bob'),
        (seen) => seen?.actor === 2,
      ),
      eventually(
        'the film of Ada',
        () => seenOn(bob, 'Ada'),
        (seen) => seen?.actor === 1,
      ),
    ]);
    expect(films.map((seen) => seen?.actor)).toEqual([2, 1]);
    // Our own side rests once the other has said so; what was on its way is over then.
    const rests = async (): Promise<{ server: number; direct: number }> => {
      const before = await Promise.all([ada, bob].map(packetsOf));
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const after = await Promise.all([ada, bob].map(packetsOf));
      const grown = (way: 'server' | 'direct') =>
        after.reduce((sum, each, at) => sum + each[way] - before[at]![way], 0);
      return { server: grown('server'), direct: grown('direct') };
    };
    const carried = await eventually('the server carries nothing', rests, ({ server, direct }) => server < direct / 20);
    console.log(`packets of media in 1.5 s: by the server ${carried.server}, directly ${carried.direct}`);
    expect(carried.direct).toBeGreaterThan(50);
  });

  it('go by the server while a third is there, and directly again when two are left', async () => {
    await Promise.all([watchGaps(ada, 'Bob'), watchGaps(bob, 'Ada')]);
    const before = await Promise.all([ada, bob].map(reportOf));
    const cleo = await enter('two', 'Cleo', 3);
    const three = await untilAll(
      'three by the server',
      [ada, bob, cleo],
      (report) => report.peers.length === 2 && isByServer(report),
    );
    expect(three.every(({ peers }) => peers.every(({ path }) => path.join() === 'eu-1'))).toBe(true);
    const up = await Promise.all([gapsOf(ada), gapsOf(bob)]);
    await Promise.all([watchGaps(ada, 'Bob'), watchGaps(bob, 'Ada')]);
    await cleo.getByTestId('leave').click();
    const two = await untilAll('directly again', [ada, bob], isDirect);
    const down = await Promise.all([gapsOf(ada), gapsOf(bob)]);
    const heard = two.map(
      ({ peers }, at) => (peers[0]?.audio.concealedMs ?? 0) - (before[at]?.peers[0]?.audio.concealedMs ?? 0),
    );
    print('to the server', up);
    print('directly again', down);
    console.log(`sound made up over both moves: ${heard.join(', ')} ms`);
    for (const watched of [...up, ...down]) expectSeen(watched);
    // The figures of the report go on over every way.
    for (const [at, { peers }] of two.entries())
      expect(peers[0]!.video.framesDecoded).toBeGreaterThan(before[at]!.peers[0]!.video.framesDecoded);
  });

  it('go by the server when the direct path is cut, and are told so by nobody', async () => {
    await Promise.all([watchGaps(ada, 'Bob'), watchGaps(bob, 'Ada')]);
    const mend = await cutDirect(ada);
    await untilAll('the way back', [ada, bob], isByServer).finally(mend);
    const gaps = await Promise.all([gapsOf(ada), gapsOf(bob)]);
    print('the path was cut', gaps);
    for (const watched of gaps) expectSeen(watched);
  });

  it('keep their addresses to themselves from the moment that one of them wishes so', async () => {
    await untilAll('another try', [ada, bob], isDirect);
    await Promise.all([watchGaps(ada, 'Bob'), watchGaps(bob, 'Ada')]);
    await bob.getByTestId('more').click();
    await bob.getByRole('menuitem', { name: /devices/i }).click();
    await bob.getByTestId('hide-address').click();
    await untilAll('by the server', [ada, bob], isByServer);
    // A move with nobody who comes: what the join of a third costs is not in it.
    print('an address was hidden', await Promise.all([gapsOf(ada), gapsOf(bob)]));
    const made = await Promise.all([ada, bob].map((page) => page.evaluate('connections.made')));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await Promise.all([ada, bob].map((page) => page.evaluate('connections.made')))).toEqual(made);
    // The device remembers it: who comes again makes no connection but to the server, and the other makes none to them.
    await bob.reload();
    await eventually(
      'Bob again',
      () => reportOf(ada),
      ({ peers }) => peers.length === 1 && peers[0]!.video.framesDecoded > 0,
    );
    await untilAll('by the server from the first', [ada, bob], isByServer);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    expect(await bob.evaluate('connections.direct().length')).toBe(0);
    expect(await ada.evaluate('connections.made')).toBe(made[0]);
    for (const page of [ada, bob]) {
      expect((await reportOf(page)).peers[0]?.direct).toBeUndefined();
      await page.context().close();
    }
  });
});

/** Both sides: who offers and who answers make their streams in other ways. */
it('every frame that comes directly is a sealed one, from the first', async () => {
  const pages = await Promise.all([enter('tapped', 'Fay', 1, true), enter('tapped', 'Gus', 2, true)]);
  for (const page of pages) {
    const frames = await eventually(
      'frames on the direct path',
      () => page.evaluate<TappedFrame[]>('tapped'),
      (tapped) => ['audio', 'video'].every((kind) => tapped.filter((frame) => frame.kind === kind).length > 20),
      60_000,
    );
    for (const { kind, prefix, header, version } of frames) {
      expect(kind === 'audio' ? [0] : [1, 10]).toContain(prefix);
      expect(version).toBe(0);
      expect(header).toBeGreaterThan(1);
      expect(header).toBeLessThanOrEqual(17);
    }
  }
});
