/**
 * Two browsers behind every two kinds of NAT, with a relay between: who reaches whom directly, and who only through the relay. Plain
 * connections with nothing of ours in them, so it is the laboratory that is proven, and what a direct call can be asked for.
 */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingForLab, openLab, type Client, type Host, type Lab } from '@veilcast/testkit/lab';
import { eventually } from '../support/browser.ts';
import { PAIRS } from './pairs.ts';

const missing = missingForLab();
const isLong = process.env.VEILCAST_LONG === '1';
if (missing !== undefined || !isLong)
  console.warn(`pairs of networks without our page are not tested: ${missing ?? 'only by npm run test:networks'}`);
const PORT = 3_478;
/** Candidates are all there after that. */
const GATHER_MS = 3_000;

/** Addresses as they are: these two do not know each other's names. */
const FLAGS = ['--disable-features=WebRtcHideLocalIpsWithMdns'];

const rows: string[] = [];

describe.skipIf(missing !== undefined || !isLong)('two networks', () => {
  let lab: Lab;
  let relay: Host;
  let clients: [Client, Client];
  const browsers: Browser[] = [];

  beforeAll(async () => {
    lab = await openLab();
    relay = await lab.host('relay');
    const { v4 } = relay.address;
    const settings = [
      '-n',
      '--no-cli',
      '--no-tls',
      '--no-dtls',
      '-a',
      '-u',
      'u:p',
      '-r',
      'lab',
      '--log-file',
      'stdout',
    ];
    relay.spawn('turnserver', [...settings, '-L', v4, '-E', v4, '-p', `${PORT}`], { stdio: 'ignore' });
    clients = [await lab.client('one', 'open'), await lab.client('other', 'open')];
    browsers.push(...(await Promise.all(clients.map((client) => client.browser(FLAGS)))));
  });
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await lab?.close();
    console.log(['one                 other               way', ...rows].join('\n'));
  });

  /** Opens a page with a connection in it. */
  async function connection(browser: Browser): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    const url = `${relay.address.v4}:${PORT}`;
    await page.evaluate(`(() => {
      window.candidates = [];
      window.connection = new RTCPeerConnection({ iceServers: [
        { urls: 'stun:${url}' }, { urls: 'turn:${url}?transport=udp', username: 'u', credential: 'p' } ] });
      connection.onicecandidate = ({ candidate }) => candidate && candidates.push(candidate.toJSON());
      connection.ondatachannel = () => undefined;
    })()`);
    return page;
  }

  /** Until the browser has noticed its new address: before that it finds no way but the relay. */
  async function settled(browser: Browser): Promise<void> {
    const found = async (): Promise<boolean> => {
      const page = await connection(browser);
      await page.evaluate(`connection.createDataChannel('x') && connection.setLocalDescription()`);
      const all = (await gathered(page)) as { candidate: string }[];
      await page.context().close();
      return all.some(({ candidate }) => candidate.includes(' srflx ') || candidate.includes(' host '));
    };
    await eventually('an address', found, (is) => is);
  }

  it.each(PAIRS)('$one and $other', async ({ one, other, direct }) => {
    await Promise.all([clients[0].become(one), clients[1].become(other)]);
    await Promise.all(browsers.map(settled));
    const [near, far] = await Promise.all(browsers.map(connection));
    if (near === undefined || far === undefined) throw new Error('two browsers are needed');
    const offer = await near.evaluate(`(async () => {
      connection.createDataChannel('x');
      await connection.setLocalDescription();
      return connection.localDescription.toJSON();
    })()`);
    const answer = await far.evaluate(`(async () => {
      await connection.setRemoteDescription(${told(offer)});
      await connection.setLocalDescription();
      return connection.localDescription.toJSON();
    })()`);
    await near.evaluate(`connection.setRemoteDescription(${told(answer)})`);
    const [ours, theirs] = await Promise.all([gathered(near), gathered(far)]);
    // Both at once, as two people would: who knocks first finds the other's door shut.
    await Promise.all([
      far.evaluate(`Promise.all(${told(ours)}.map((one) => connection.addIceCandidate(one)))`),
      near.evaluate(`Promise.all(${told(theirs)}.map((one) => connection.addIceCandidate(one)))`),
    ]);
    const way = await eventually(
      'a connection',
      () => wayOf(near),
      (now) => now === (direct ? 'direct' : 'relay'),
    ).catch(() => wayOf(near));
    rows.push(`${one.padEnd(20)}${other.padEnd(20)}${way}`);
    expect(way).toBe(direct ? 'direct' : 'relay');
    await Promise.all([near.context().close(), far.context().close()]);
  });
});

async function gathered(page: Page): Promise<unknown> {
  const state = () => page.evaluate<string>('connection.iceGatheringState');
  await eventually('candidates', state, (now) => now === 'complete', GATHER_MS).catch(() => undefined);
  return page.evaluate('candidates');
}

const told = (value: unknown): string => JSON.stringify(value);

function wayOf(page: Page): Promise<string> {
  return page.evaluate<string>(`connection.getStats().then((report) => {
    const stats = new Map([...report]);
    const transport = [...stats.values()].find(({ type }) => type === 'transport');
    const pair = stats.get(transport?.selectedCandidatePairId);
    if (!pair || connection.connectionState !== 'connected') return 'none';
    const ends = [stats.get(pair.localCandidateId), stats.get(pair.remoteCandidateId)];
    return ends.some((end) => end?.candidateType === 'relay') ? 'relay' : 'direct';
  })`);
}
