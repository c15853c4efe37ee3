/**
 * What sealing and opening a frame takes in Chromium's worker: packages/sframe as built for a browser, WebCrypto included,
 * one frame after another, as frames pass a transform stream.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { openBrowser } from '../../test/support/browser.ts';
import { figures, loadNow, type Bench, type Effort, type Figure, type Say } from './figure.ts';
import { spreadOf } from './spread.ts';
import type { CrowdTask, CrowdTimes, TransformTask, TransformTimes } from './transform.worker.ts';

const EFFORTS = { full: { batches: 100, warmUp: 20 }, tiny: { batches: 3, warmUp: 1 } } as const;
const FRAMES = [
  { codec: 'opus', bytes: 120, name: '120 B of Opus' },
  { codec: 'vp8', bytes: 1_200, name: '1.2 kB of VP8', goal: 50 },
  { codec: 'vp9', bytes: 1_200, name: '1.2 kB of VP9', goal: 50 },
  { codec: 'h264', bytes: 1_200, name: '1.2 kB of H.264', goal: 50 },
  { codec: 'av1', bytes: 1_200, name: '1.2 kB of AV1', goal: 50 },
  { codec: 'vp8', bytes: 10_000, name: '10 kB of VP8' },
  { codec: 'h264', bytes: 10_000, name: '10 kB of H.264' },
  { codec: 'av1', bytes: 10_000, name: '10 kB of AV1' },
] as const;
/** Videos of 25 people at 30 frames a second, of a size that makes 288 kb/s each. */
const CROWD = { senders: 25, framesPerSecond: 30, bytes: 1_200 } as const;
const CROWD_SECONDS = { full: 20, tiny: 1 } as const;
const CROWD_GOAL = 15;

async function bundle(): Promise<string> {
  const input = fileURLToPath(new URL('transform.worker.ts', import.meta.url));
  const output = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, target: 'chrome123', rollupOptions: { input } },
  });
  const [first] = Array.isArray(output) ? output : [output];
  const chunk = first && 'output' in first ? first.output[0] : undefined;
  if (chunk?.type !== 'chunk') throw new Error('the worker was not built');
  return chunk.code;
}

/** Serves the worker to a page that is isolated, since that is where browsers keep a clock of 5 µs. */
async function serve(script: string) {
  const server = createServer((request, response) => {
    const isScript = request.url === '/worker.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.setHeader('cross-origin-opener-policy', 'same-origin');
    response.setHeader('cross-origin-embedder-policy', 'require-corp');
    response.end(isScript ? script : '<!doctype html><title>transform</title>');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { url: `http://127.0.0.1:${address.port}/`, close: () => server.close() };
}

/** In the page. */
function inWorker<T>(task: TransformTask | CrowdTask): Promise<T> {
  return new Promise((resolve, reject) => {
    const worker = new Worker('/worker.js', { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<{ times: T } | { error: string }>) => {
      worker.terminate();
      if ('times' in data) resolve(data.times);
      else reject(new Error(data.error));
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage(task);
  });
}

async function run(effort: Effort, say: Say): Promise<readonly Figure[]> {
  const page = await serve(await bundle());
  const browser = await openBrowser();
  try {
    const tab = await browser.newPage();
    await tab.goto(page.url);
    const all: Figure[] = [];
    for (const { codec, bytes, name, ...goal } of FRAMES) {
      const load = loadNow();
      const times: TransformTimes = await tab.evaluate(inWorker<TransformTimes>, { codec, bytes, ...EFFORTS[effort] });
      const note = 'Chromium, dedicated worker, AES-256-GCM by WebCrypto; delta frames, means of 200 in a row';
      const [seal, open, overhead] = [spreadOf(times.seal), spreadOf(times.open), spreadOf([times.overhead])];
      say(`${name}: seal ${seal.median.toFixed(1)} µs, open ${open.median.toFixed(1)} µs, ${times.overhead} B more`);
      const rows = [
        { name: `seal a frame of ${name}`, unit: 'µs', spread: seal, note, ...goal },
        { name: `open a frame of ${name}`, unit: 'µs', spread: open, note, ...goal },
        { name: `bytes more in a frame of ${name}`, unit: 'B', spread: overhead, note: 'the largest of all frames' },
      ];
      all.push(...figures(load, rows));
    }
    for (const codec of ['vp8', 'h264', 'av1'] as const) {
      const load = loadNow();
      const seconds = CROWD_SECONDS[effort];
      const { shares }: CrowdTimes = await tab.evaluate(inWorker<CrowdTimes>, { ...CROWD, seconds, codec });
      const spread = spreadOf(shares);
      const name = `open 25 videos of ${codec.toUpperCase()}, share of a core`;
      say(`${name}: ${spread.median.toFixed(1)} %`);
      const note = 'Chromium, dedicated worker; 30 frames of 1.2 kB a second each, busy time over a second';
      all.push(...figures(load, [{ name, unit: '%', spread, note, goal: CROWD_GOAL }]));
    }
    return all;
  } finally {
    await browser.close();
    page.close();
  }
}

export const transform: Bench = { name: 'transform', title: 'sealing and opening frames in a browser', run };
