/**
 * What somebody who runs a node can do with a browser: take Producers off a Router and have them decoded, every codec by the
 * browser's own depacketizer and decoder, with no key. It also publishes a film in clear, which shows that a tap would show a film.
 */
import type { types } from 'mediasoup';
import type { Browser } from 'playwright-core';
import { FILM_SCRIPT, filmOf } from './film-page.ts';
import { readCode, WIDTH } from './film.ts';
import { serveSdk } from './sdk-page.ts';

const SOURCE = `
import { Device } from 'mediasoup-client';
${FILM_SCRIPT}
const taps = new Map();
let device, sending, receiving;
window.tap = {
  async open(routerRtpCapabilities, send, receive) {
    device = await Device.factory();
    await device.load({ routerRtpCapabilities });
    sending = device.createSendTransport(send);
    receiving = device.createRecvTransport(receive);
    for (const transport of [sending, receiving]) {
      transport.on('connect', ({ dtlsParameters }, ok, no) => connected(transport.id, dtlsParameters).then(ok, no));
    }
    sending.on('produce', ({ kind, rtpParameters }, ok, no) => produced({ kind, rtpParameters }).then((id) => ok({ id }), no));
    return device.recvRtpCapabilities;
  },
  async publish(mimeType, codes) {
    const codec = device.recvRtpCapabilities.codecs.find((each) => each.mimeType.toLowerCase() === mimeType);
    const track = film(codes, ${WIDTH}).getVideoTracks()[0];
    return (await sending.produce({ track, codec, encodings: [{ maxBitrate: 1_000_000 }] })).id;
  },
  async watch(options) {
    const consumer = await receiving.consume(options);
    const video = document.createElement('video');
    video.autoplay = true;
    video.muted = true;
    video.srcObject = new MediaStream([consumer.track]);
    document.body.append(video);
    void video.play().catch(() => undefined);
    taps.set(options.producerId, { consumer, video });
  },
  async shows(producerId) {
    const { consumer, video } = taps.get(producerId);
    const stats = [...(await consumer.getStats()).values()].find(({ type }) => type === 'inbound-rtp');
    const { framesReceived = 0, framesDecoded = 0 } = stats ?? {};
    return { framesReceived, framesDecoded, look: look(video) };
  },
};
`;

export interface Shown {
  /** Put together from packets. */
  readonly framesReceived: number;
  readonly framesDecoded: number;
  /** Whose film can be read off the picture. */
  readonly actor: number | undefined;
}

export interface TapPage {
  /** The Producer of a film in clear. @param mimeType in lower case */
  publish(mimeType: string, actor: number): Promise<string>;
  watch(producerId: string): Promise<void>;
  shows(producerId: string): Promise<Shown>;
  close(): Promise<void>;
}

export async function openTapPage(browser: Browser, router: types.Router): Promise<TapPage> {
  const [served, send, receive] = await Promise.all([serveSdk(SOURCE), openTransport(router), openTransport(router)]);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.exposeFunction('connected', async (id: string, dtlsParameters: types.DtlsParameters) =>
    (id === send.id ? send : receive).connect({ dtlsParameters }),
  );
  await page.exposeFunction('produced', async (options: types.ProducerOptions) => (await send.produce(options)).id);
  await page.goto(served.url);
  await page.waitForFunction(() => 'tap' in window);
  const call = (name: string, ...args: readonly unknown[]): Promise<unknown> =>
    page.evaluate(`tap.${name}(${args.map((each) => JSON.stringify(each)).join(', ')})`);
  const rtpCapabilities = (await call(
    'open',
    router.rtpCapabilities,
    optionsOf(send),
    optionsOf(receive),
  )) as types.RtpCapabilities;
  return {
    publish: async (mimeType, actor) => (await call('publish', mimeType, filmOf(actor))) as string,
    async watch(producerId) {
      const consumer = await receive.consume({ producerId, rtpCapabilities, paused: true });
      const { id, kind, rtpParameters } = consumer;
      await call('watch', { id, producerId, kind, rtpParameters });
      await consumer.resume();
    },
    async shows(producerId) {
      const { look, ...counts } = (await call('shows', producerId)) as Omit<Shown, 'actor'> & {
        readonly look?: { readonly luminances: number[] };
      };
      return { ...counts, actor: look && readCode(look.luminances)?.actor };
    },
    async close() {
      await context.close();
      send.close();
      receive.close();
      await served.close();
    },
  };
}

function openTransport(router: types.Router): Promise<types.WebRtcTransport> {
  return router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
}

function optionsOf({ id, iceParameters, iceCandidates, dtlsParameters }: types.WebRtcTransport): object {
  return { id, iceParameters, iceCandidates, dtlsParameters };
}
