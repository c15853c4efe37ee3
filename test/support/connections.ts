/** What a page's connections carry, by the wire's own figures, and what its tiles show while the way changes. */
import { spawnSync } from 'node:child_process';
import type { Page } from 'playwright-core';
import { eventually, reportOf, type Report } from './browser.ts';

/** Of a call of two. */
export const isDirect = ({ peers, e2ee }: Report): boolean =>
  e2ee.state === 'encrypted' && peers.length === 1 && peers[0]?.direct === true && peers[0].video.framesDecoded > 0;
export const isByServer = ({ peers }: Report): boolean =>
  peers.length > 0 &&
  peers.every(({ direct, path, video }) => direct !== true && path.length > 0 && video.framesDecoded > 0);

export function untilAll(
  what: string,
  pages: readonly Page[],
  pleases: (report: Report) => boolean,
): Promise<Report[]> {
  return Promise.all(pages.map((page) => eventually(what, () => reportOf(page), pleases, 60_000)));
}

/**
 * Notes every RTCPeerConnection of the page. A direct one is known by its channel of beats, which those to the server do not have.
 */
export const watchConnections = `
const Native = RTCPeerConnection;
globalThis.connections = {
  all: [],
  made: 0,
  direct: () => connections.all.filter((one) => one.channels > 0),
  async packets() {
    const carried = { server: 0, direct: 0 };
    for (const one of connections.all) {
      if (one.connection.connectionState === 'closed') continue;
      for (const entry of (await one.connection.getStats()).values()) {
        const way = one.channels > 0 ? 'direct' : 'server';
        if (entry.type === 'inbound-rtp') carried[way] += entry.packetsReceived;
        if (entry.type === 'outbound-rtp') carried[way] += entry.packetsSent;
      }
    }
    return carried;
  },
  async directPorts() {
    const [one] = connections.direct().filter(({ connection }) => connection.connectionState === 'connected');
    const entries = one ? [...(await one.connection.getStats()).values()] : [];
    // Of every pair: ICE would go over to another one.
    return entries.flatMap(({ type, port }) => (type.endsWith('-candidate') ? port : []));
  },
};
globalThis.RTCPeerConnection = class extends Native {
  constructor(...options) {
    super(...options);
    this.noted = { connection: this, channels: 0 };
    connections.all.push(this.noted);
  }
  createDataChannel(...options) {
    this.noted.channels += 1;
    connections.made += 1;
    return super.createDataChannel(...options);
  }
};
`;

/** What the end of one frame says (docs/e2ee/frames.md), as it came. */
export interface TappedFrame {
  readonly kind: 'audio' | 'video';
  /** Clear bytes at its beginning. */
  readonly prefix: number;
  /** Bytes of its header. */
  readonly header: number;
  readonly version: number;
}

/**
 * Reads the ends of all frames that come by direct connections, in place of the page's own transform, and lets none of them
 * through. To be run after `watchConnections`.
 */
export const tapDirect = `
globalThis.tapped = [];
const code = \`onrtctransform = ({ transformer }) => {
  const { kind } = transformer.options;
  transformer.readable.pipeTo(new WritableStream({
    write({ data }) {
      const bytes = new Uint8Array(data);
      const end = bytes.at(-1);
      postMessage({ kind, prefix: bytes.at(-2), header: end & 31, version: end >> 5 });
    },
  }));
};\`;
const tap = new Worker(URL.createObjectURL(new Blob([code])));
tap.onmessage = ({ data }) => tapped.length < 400 && tapped.push(data);
const native = Object.getOwnPropertyDescriptor(RTCRtpReceiver.prototype, 'transform');
Object.defineProperty(RTCRtpReceiver.prototype, 'transform', {
  get: native.get,
  set(transform) {
    const isDirect = connections.direct().some(({ connection }) => connection.getReceivers().includes(this));
    native.set.call(this, isDirect ? new RTCRtpScriptTransform(tap, { kind: this.track.kind }) : transform);
  },
});
`;

interface Gaps {
  longest: number;
  last: number;
  track: string | undefined;
  /** From the last picture of one way to the first of the next. */
  moves: number[];
  states: Set<string>;
  blank: number;
}

/** Notes from now on the longest time between two frames that the page shows of somebody, and whether it ever shows none. */
export function watchGaps(page: Page, name: string): Promise<void> {
  return page.evaluate((of) => {
    const watched: Gaps = {
      longest: 0,
      last: performance.now(),
      track: undefined,
      moves: [],
      states: new Set(),
      blank: 0,
    };
    const before = (globalThis as { gapWatch?: Gaps & { stop?: boolean } }).gapWatch;
    if (before) before.stop = true;
    Object.assign(globalThis, { gapWatch: watched });
    const tile = document.querySelector(`[data-testid="tile"][data-name="${of}"]`) as HTMLElement;
    const video = tile.querySelector('video') as HTMLVideoElement;
    const note = (): void => void watched.states.add(tile.dataset['video'] ?? 'none');
    new MutationObserver(note).observe(tile, { attributes: true, attributeFilter: ['data-video'] });
    note();
    const frame = (): void => {
      if ((watched as { stop?: boolean }).stop) return;
      const now = performance.now();
      const track = (video.srcObject as MediaStream).getVideoTracks()[0]?.id;
      if (watched.track !== undefined && track !== watched.track) watched.moves.push(now - watched.last);
      watched.longest = Math.max(watched.longest, now - watched.last);
      watched.last = now;
      watched.track = track;
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
    const look = (): void => {
      if ((watched as { stop?: boolean }).stop) return;
      if (!video.isConnected || video.videoWidth === 0) watched.blank += 1;
      requestAnimationFrame(look);
    };
    look();
  }, name);
}

export interface Watched {
  readonly longest: number;
  readonly moves: readonly number[];
  readonly states: readonly string[];
  readonly blank: number;
}

export async function gapsOf(page: Page): Promise<Watched> {
  return page.evaluate(() => {
    const { longest, last, moves, states, blank } = (globalThis as unknown as { gapWatch: Gaps }).gapWatch;
    return { longest: Math.max(longest, performance.now() - last), moves, states: [...states], blank };
  });
}

/** Packets of media that were sent and received, by the server and directly. */
export function packetsOf(page: Page): Promise<{ server: number; direct: number }> {
  return page.evaluate<{ server: number; direct: number }>('connections.packets()');
}

/**
 * Drops every packet of the direct path without telling anybody, as a firewall that closes does; undone by what is returned. Where this
 * user may not tell the kernel so, the connection is closed under one of the pages, and that is printed.
 */
export async function cutDirect(page: Page): Promise<() => void> {
  const ports = await page.evaluate<number[]>('connections.directPorts()');
  const rules = ports.map((port) => ['INPUT', '-p', 'udp', '--dport', String(port), '-j', 'DROP']);
  const change = (how: '-I' | '-D'): boolean =>
    ['iptables', 'ip6tables']
      .flatMap((filter) => rules.map((rule) => spawnSync(filter, ['-w', how, ...rule]).status === 0))
      .every(Boolean);
  if (ports.length > 0 && change('-I')) return () => void change('-D');
  change('-D');
  console.log('no packet filter for this user: the connection is closed under one page instead');
  await page.evaluate('for (const { connection } of connections.direct()) connection.close()');
  return () => undefined;
}
