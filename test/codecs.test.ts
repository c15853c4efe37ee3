/**
 * Every codec through the whole cluster: two people in two regions, each sending in a codec of their own, so that every
 * picture passes a transform, mediasoup, a Pipe, mediasoup and a transform before it is compared with the film.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { types } from 'mediasoup';
import type { Browser } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually as within, openBrowser, type Report } from './support/browser.ts';
import { Filmed, serveFilmPage } from './support/film-page.ts';
import { tokenFor } from './support/member.ts';
import { bitsPerByte, openPayloadTap, RANDOM_BITS_PER_BYTE } from './support/tap.ts';
import { openTapPage, type Shown } from './support/tap-page.ts';
import type { ServedSdk } from './support/sdk-page.ts';

let cluster: Cluster;
let served: ServedSdk;
let browser: Browser;

beforeAll(async () => {
  const starting = [startCluster({ port: 0, regions: ['eu', 'us'].map((name) => RegionId.parse(name)), lan: false })];
  [cluster, served, browser] = await Promise.all([starting[0]!, serveFilmPage(), openBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
  await cluster?.close();
});

/** Three encoders and six decoders share this machine with whatever else runs: what comes late is not wrong. */
const PATIENCE_MS = 60_000;
const eventually = <T>(what: string, ask: () => Promise<T>, pleases: (answer: T) => boolean): Promise<T> =>
  within(what, ask, pleases, PATIENCE_MS);

type Side = { readonly codec: 'vp8' | 'vp9' | 'h264' | 'av1'; readonly actor: number; readonly width?: number };
type Known = Report & { readonly error?: { readonly code: string } };

/** `before` runs on the page before anything else. */
async function person(room: string, name: string, region: string, side: Side, before?: () => void): Promise<Filmed> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  const page = await context.newPage();
  if (before) await page.addInitScript(before);
  page.on('pageerror', (error) => console.error(`page of ${name}: ${error.stack ?? error.message}`));
  await page.goto(served.url);
  await page.waitForFunction(() => 'film' in window);
  const filmed = new Filmed(page, name);
  await filmed.enter({ url: cluster.origin, token: await tokenFor(cluster.origin, room), region, name, ...side });
  return filmed;
}

const isSeen = (seen: object | undefined): boolean => seen !== undefined;
const isHeard = (level: number): boolean => level > 0.01;

const pairs: readonly (readonly [Side, Side])[] = [
  [
    { codec: 'vp9', actor: 1 },
    { codec: 'h264', actor: 2 },
  ],
  [
    { codec: 'av1', actor: 3 },
    { codec: 'vp8', actor: 4 },
  ],
];

/** Where Ada is: her own Producers, and Bob's as they come through the Pipe. */
function routerOf(room: string): types.Router {
  const node = cluster.nodes.find((each) => each.report().region === 'eu');
  const workers = node?.report().workers ?? [];
  const router = workers.map(({ workerId }) => node?.routerOf(room, workerId ?? '')).find((each) => each !== undefined);
  if (!router) throw new Error('no Router of the Room');
  return router as types.Router;
}

/** Every video Producer on it, as somebody finds them who runs the node. */
async function camerasOf(router: types.Router): Promise<{ codec: string; producerId: string }[]> {
  const { mapProducerIdConsumerIds } = await router.dump();
  const transport = await router.createDirectTransport();
  const { rtpCapabilities } = router;
  const consumers = await Promise.all(
    mapProducerIdConsumerIds.map(({ key: producerId }) =>
      transport.consume({ producerId, rtpCapabilities, paused: true }),
    ),
  );
  transport.close();
  return consumers
    .filter(({ kind }) => kind === 'video')
    .map(({ producerId, rtpParameters }) => ({
      producerId,
      codec: rtpParameters.codecs[0]?.mimeType.toLowerCase().replace('video/', '') ?? '',
    }));
}

const sawFilm = ({ actor }: Shown): boolean => actor !== undefined;
const gotFrames = ({ framesReceived }: Shown): boolean => framesReceived > 20;

describe.each(pairs)('%o and %o between two regions', (left, right) => {
  let ada: Filmed;
  let bob: Filmed;
  const room = `codecs-${left.codec}-${right.codec}`;
  const peers = { ada: '', bob: '' };

  beforeAll(async () => {
    ada = await person(room, 'Ada', 'eu', left);
    bob = await person(room, 'Bob', 'us', right);
    peers.ada = (await ada.report<Known>()).self.peerId;
    peers.bob = (await bob.report<Known>()).self.peerId;
  });

  afterAll(async () => {
    await Promise.all([ada?.leave(), bob?.leave()]);
  });

  it('both see the film of the other, in its codec, and hear the tone', async () => {
    for (const [viewer, other, side] of [
      [ada, peers.bob, right],
      [bob, peers.ada, left],
    ] as const) {
      const seen = await eventually(
        `${side.codec} at ${viewer.name}`,
        () => viewer.sees(other),
        (each) => each !== undefined,
      );
      expect(seen?.actor).toBe(side.actor);
      await eventually(
        'the next frames',
        () => viewer.sees(other),
        (each) => each !== undefined && each.frame !== seen?.frame,
      );
      await eventually('the tone', () => viewer.loudness(other), isHeard);
      const report = await viewer.report<Known>();
      expect(report.peers[0]?.video.codec.toLowerCase()).toBe(side.codec);
      expect(report.peers[0]?.path).toHaveLength(2);
    }
  });

  it('a tap on the node gets packets, and no film out of them; of the same film in clear it does', async () => {
    const router = routerOf(room);
    const sealed = await camerasOf(router);
    expect(sealed.map(({ codec }) => codec).toSorted()).toEqual([left.codec, right.codec].toSorted());
    const payloads = await Promise.all(sealed.map(({ producerId }) => openPayloadTap(router, producerId)));
    const page = await openTapPage(browser, router);
    try {
      for (const { producerId } of sealed) await page.watch(producerId);
      for (const side of [left, right]) {
        const clear = await page.publish(`video/${side.codec}`, side.actor);
        await page.watch(clear);
        const film = await eventually(`${side.codec} in clear`, () => page.shows(clear), sawFilm);
        expect(film.actor).toBe(side.actor);
      }
      for (const [index, { codec, producerId }] of sealed.entries()) {
        const got = await eventually(`packets of ${codec}`, () => page.shows(producerId), gotFrames);
        const bits = bitsPerByte(payloads[index]?.bytes() ?? Buffer.alloc(0));
        console.log(
          `tap of ${codec}: ${got.framesReceived} frames, ${got.framesDecoded} decoded, ${bits.toFixed(3)} bits a byte`,
        );
        expect(got.actor).toBeUndefined();
        // H.264's slice headers and VP8's first bytes are clear: a decoder makes pictures of noise from what follows.
        if (codec === 'vp9' || codec === 'av1') expect(got.framesDecoded).toBe(0);
        expect(bits).toBeGreaterThan(RANDOM_BITS_PER_BYTE);
      }
    } finally {
      for (const each of payloads) each.close();
      await page.close();
    }
  });

  it('layers follow what is shown', async () => {
    for (const [viewer, other] of [
      [ada, peers.bob],
      [bob, peers.ada],
    ] as const) {
      for (const [shown, width] of [
        [160, 320],
        [640, 640],
      ] as const) {
        await viewer.show(other, shown);
        await eventually(
          `${width} wide`,
          () => viewer.sees(other),
          (each) => each?.width === width,
        );
      }
    }
  });

  it('a shared screen comes through beside the camera', async () => {
    await ada.share(11);
    await bob.share(12);
    for (const [viewer, other, actor] of [
      [ada, peers.bob, 12],
      [bob, peers.ada, 11],
    ] as const) {
      const seen = await eventually(
        'the screen',
        () => viewer.sees(other, 'screen'),
        (each) => each !== undefined,
      );
      expect(seen?.actor).toBe(actor);
    }
  });
});

describe('a browser without script transforms', () => {
  it('has a call through createEncodedStreams, both ways', async () => {
    const room = 'codecs-streams';
    const old = await person(room, 'Ada', 'eu', { codec: 'vp9', actor: 5, width: 320 }, withoutScriptTransforms);
    const bob = await person(room, 'Bob', 'us', { codec: 'h264', actor: 6, width: 320 });
    const peers = { old: (await old.report<Known>()).self.peerId, bob: (await bob.report<Known>()).self.peerId };
    for (const [viewer, other, actor] of [
      [old, peers.bob, 6],
      [bob, peers.old, 5],
    ] as const) {
      const seen = await eventually(`at ${viewer.name}`, () => viewer.sees(other), isSeen);
      expect(seen?.actor).toBe(actor);
      await eventually('the tone', () => viewer.loudness(other), isHeard);
      expect((await viewer.report<Known>()).e2ee).toMatchObject({ state: 'encrypted', members: 2 });
    }
    await Promise.all([old.leave(), bob.leave()]);
  });

  it('is refused with a reason where there are no encoded streams either', async () => {
    const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
    const page = await context.newPage();
    await page.addInitScript(withoutScriptTransforms);
    await page.addInitScript(withoutEncodedStreams);
    await page.goto(`${cluster.origin}/r/codecs-none?name=Ada&join=1`);
    const error = page.locator('[data-testid="error"]');
    await error.waitFor();
    expect(await error.getAttribute('data-code')).toBe('MEDIA_UNSUPPORTED');
    await context.close();
  });
});

function withoutScriptTransforms(): void {
  Reflect.deleteProperty(globalThis, 'RTCRtpScriptTransform');
}

function withoutEncodedStreams(): void {
  for (const end of [RTCRtpSender, RTCRtpReceiver]) Reflect.deleteProperty(end.prototype, 'createEncodedStreams');
}

/** Offers what it offers but AV1. */
function withoutAv1(): void {
  const Whole = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Whole {
    override addTransceiver(...args: Parameters<RTCPeerConnection['addTransceiver']>): RTCRtpTransceiver {
      const transceiver = super.addTransceiver(...args);
      const known = RTCRtpReceiver.getCapabilities('video')?.codecs ?? [];
      const video = args[0] === 'video' || (typeof args[0] !== 'string' && args[0].kind === 'video');
      if (video) transceiver.setCodecPreferences(known.filter(({ mimeType }) => mimeType !== 'video/AV1'));
      return transceiver;
    }
  };
}

let tries = 0;
it('a publisher falls back to a codec that the newcomer can decode', async () => {
  // A second try must not meet who is left of the first: Cleo would still be there.
  const room = `codecs-fallback-${(tries += 1)}`;
  const ada = await person(room, 'Ada', 'eu', { codec: 'av1', actor: 7, width: 320 });
  const bob = await person(room, 'Bob', 'eu', { codec: 'vp8', actor: 8, width: 320 });
  const peer = (await ada.report<Known>()).self.peerId;
  const codecAt = async (viewer: Filmed, of = peer) => {
    const { peers } = await viewer.report<Known>();
    return peers.find(({ peerId }) => peerId === of)?.video.codec;
  };
  await eventually(
    'AV1 at Bob',
    () => codecAt(bob),
    (codec) => codec === 'AV1',
  );
  const cleo = await person(room, 'Cleo', 'us', { codec: 'av1', actor: 9, width: 320 }, withoutAv1);
  for (const viewer of [cleo, bob]) {
    await eventually(
      `VP8 at ${viewer.name}`,
      () => codecAt(viewer),
      (codec) => codec === 'VP8',
    );
    const seen = await eventually(`the film at ${viewer.name}`, () => viewer.sees(peer), isSeen);
    expect(seen?.actor).toBe(7);
  }
  // Cleo wanted AV1 and has none to send.
  const cleos = (await cleo.report<Known>()).self.peerId;
  await eventually(
    'VP8 of Cleo at Bob',
    () => codecAt(bob, cleos),
    (codec) => codec === 'VP8',
  );
  await Promise.all([ada.leave(), bob.leave(), cleo.leave()]);
});
