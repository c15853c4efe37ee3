/**
 * From the start of a join to the first decoded remote frame by each rung of the ladder. The page is left one way at a time: by its
 * list of TURN servers, and by which of the SFU's candidates it gets to see.
 */
import type { Browser, BrowserContext } from 'playwright-core';
import { startCluster } from '@veilcast/cli';
import type { PathKind } from '@veilcast/client';
import { RegionId } from '@veilcast/protocol';
import { eventually, joinCall, openBrowser, reportOf } from '../../test/support/browser.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';

const EFFORTS = { full: 20, tiny: 1 } as const;
const RUNGS: readonly PathKind[] = ['udp', 'tcp', 'relay-udp', 'relay-tcp', 'relay-tls'];
const PATIENCE_MS = 60_000;

/** Runs in the page before anything else. Self-contained. */
function leaveOneWay(rung: string): void {
  const isWanted = (url: string): boolean =>
    rung === 'relay-tls'
      ? url.startsWith('turns:')
      : url.startsWith('turn:') && url.endsWith(rung.slice('relay-'.length));
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration: RTCConfiguration = {}) {
      const iceServers = (configuration.iceServers ?? []).flatMap((server) => {
        const urls = [server.urls].flat().filter(isWanted);
        return urls.length === 0 ? [] : [{ ...server, urls }];
      });
      super({ ...configuration, iceServers });
    }

    override setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
      const { type, sdp = '' } = description;
      const lines = sdp.split('\r\n').filter((line) => {
        if (!line.startsWith('a=candidate:') || rung.startsWith('relay')) return true;
        return / tcp /i.test(line) === (rung === 'tcp');
      });
      return super.setRemoteDescription({ type, sdp: lines.join('\r\n') });
    }
  };
}

async function contextOn(browser: Browser, rung: PathKind): Promise<BrowserContext> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'], ignoreHTTPSErrors: true });
  await context.addInitScript(leaveOneWay, rung);
  return context;
}

/** @throws Error when media came by another rung */
async function joinBy(browser: Browser, origin: string, rung: PathKind): Promise<number> {
  const context = await contextOn(browser, rung);
  try {
    const relay = rung.startsWith('relay');
    const page = await joinCall(context, origin, { room: 'rungs', name: 'Bob', region: 'eu', relay });
    const { self } = await eventually(
      'a decoded frame',
      () => reportOf(page),
      (report) => report.self.joinMs !== null,
      PATIENCE_MS,
    );
    if (self.path?.kind !== rung) throw new Error(`media came by ${self.path?.kind}, not by ${rung}`);
    return self.joinMs ?? Number.NaN;
  } finally {
    await context.close();
  }
}

async function bench(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const load = loadNow();
  const cluster = await startCluster({ port: 0, regions: [RegionId.parse('eu')], lan: false });
  // The certificate of `up` is signed by nobody.
  const browsers = [await openBrowser(), await openBrowser(undefined, ['--ignore-certificate-errors'])] as const;
  try {
    const standing = await joinCall(browsers[0], cluster.origin, { room: 'rungs', name: 'Ada', region: 'eu' });
    const alone = () =>
      eventually(
        'to be alone',
        () => reportOf(standing),
        ({ e2ee }) => e2ee.members === 1,
        PATIENCE_MS,
      );
    const samples = new Map(RUNGS.map((rung) => [rung, [] as number[]]));
    await alone();
    await joinBy(browsers[1], cluster.origin, 'udp');
    for (let round = 1; round <= EFFORTS[effort]; round++) {
      for (const rung of RUNGS) {
        await alone();
        const ms = await joinBy(browsers[1], cluster.origin, rung);
        samples.get(rung)?.push(ms);
        say(`round ${round}, ${rung}: ${ms} ms`);
      }
    }
    const note = 'Chromium, cluster and coturn on one machine, from connect() to the first decoded frame, encrypted';
    return RUNGS.flatMap((rung) =>
      figures(load, [{ name: `first media by ${rung}`, unit: 'ms', spread: spreadOf(samples.get(rung) ?? []), note }]),
    );
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await cluster.close();
  }
}

export const rungs: Bench = { name: 'rungs', title: 'time to first media on each rung of the ladder', run: bench };
