/**
 * The counter-proof to every tap: a page that publishes the same film without any encryption, with mediasoup-client alone,
 * straight into a Router of the test. It shows that the tap would show the film if it could.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import type { types } from 'mediasoup';
import type { Browser } from 'playwright-core';

const ENTRY = 'virtual:plain-publisher';
const SOURCE = `
import { Device } from 'mediasoup-client';
window.publish = async (capabilities, options, connect, produce) => {
  const device = await Device.factory();
  await device.load({ routerRtpCapabilities: capabilities });
  const transport = device.createSendTransport(options);
  transport.on('connect', ({ dtlsParameters }, ok, no) => connect(dtlsParameters).then(ok, no));
  transport.on('produce', ({ kind, rtpParameters }, ok, no) => produce({ kind, rtpParameters }).then((id) => ok({ id }), no));
  const stream = await navigator.mediaDevices.getUserMedia({ video: true });
  const codec = device.recvRtpCapabilities.codecs.find((each) => each.mimeType.toLowerCase() === 'video/vp8');
  const producer = await transport.produce({ track: stream.getVideoTracks()[0], codec, encodings: [{ maxBitrate: 1_000_000 }] });
  return producer.id;
};
`;

async function bundle(): Promise<string> {
  const output = await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(new URL('../../packages/client', import.meta.url)),
    plugins: [
      {
        name: 'plain-publisher',
        resolveId: (id) => (id === ENTRY ? `\0${ENTRY}` : undefined),
        load: (id) => (id === `\0${ENTRY}` ? SOURCE : undefined),
      },
    ],
    build: { write: false, minify: false, rollupOptions: { input: ENTRY } },
  });
  const [first] = Array.isArray(output) ? output : [output];
  const chunk = first && 'output' in first ? first.output[0] : undefined;
  if (chunk?.type !== 'chunk') throw new Error('the plain publisher was not built');
  return chunk.code;
}

export interface PlainPublisher {
  readonly producerId: string;
  close(): Promise<void>;
}

/** Publishes the browser's camera in clear VP8 into a Router. */
export async function publishPlain(browser: Browser, router: types.Router): Promise<PlainPublisher> {
  const script = await bundle();
  const server = createServer((request, response) => {
    const isScript = request.url === '/publish.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? script : '<!doctype html><title>plain</title><script type="module" src="/publish.js"></script>',
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  const transport = await router.createWebRtcTransport({ listenInfos: [{ protocol: 'udp', ip: '127.0.0.1' }] });
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  const page = await context.newPage();
  await page.exposeFunction('connect', (dtlsParameters: types.DtlsParameters) => transport.connect({ dtlsParameters }));
  await page.exposeFunction('produce', async (options: types.ProducerOptions) => (await transport.produce(options)).id);
  await page.goto(`http://127.0.0.1:${address.port}/`);
  await page.waitForFunction(() => 'publish' in window);
  const { id, iceParameters, iceCandidates, dtlsParameters } = transport;
  const producerId = await page.evaluate(
    ([capabilities, options]) => {
      const { publish, connect, produce } = window as unknown as Record<
        string,
        (...args: unknown[]) => Promise<string>
      >;
      return publish?.(capabilities, options, connect, produce) ?? '';
    },
    [router.rtpCapabilities, { id, iceParameters, iceCandidates, dtlsParameters }] as const,
  );
  return {
    producerId,
    close: async () => {
      await context.close();
      transport.close();
      server.close();
    },
  };
}
