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
import type { TransformTask, TransformTimes } from './transform.worker.ts';

const EFFORTS = { full: { batches: 100, warmUp: 20 }, tiny: { batches: 3, warmUp: 1 } } as const;
const SIZES = [
  { bytes: 1_200, name: '1.2 kB', goal: 50 },
  { bytes: 10_000, name: '10 kB' },
] as const;

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
function inWorker(task: TransformTask): Promise<TransformTimes> {
  return new Promise((resolve, reject) => {
    const worker = new Worker('/worker.js', { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<{ times: TransformTimes } | { error: string }>) => {
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
    for (const { bytes, name, ...goal } of SIZES) {
      const load = loadNow();
      const times = await tab.evaluate(inWorker, { bytes, ...EFFORTS[effort] });
      const note = 'Chromium, dedicated worker, AES-256-GCM by WebCrypto; VP8 delta frames, means of 200 in a row';
      const [seal, open] = [spreadOf(times.seal), spreadOf(times.open)];
      say(`${name}: seal ${seal.median.toFixed(1)} µs, open ${open.median.toFixed(1)} µs`);
      const rows = [
        { name: `seal a frame of ${name}`, unit: 'µs', spread: seal, note, ...goal },
        { name: `open a frame of ${name}`, unit: 'µs', spread: open, note, ...goal },
      ];
      all.push(...figures(load, rows));
    }
    return all;
  } finally {
    await browser.close();
    page.close();
  }
}

export const transform: Bench = { name: 'transform', title: 'sealing and opening frames in a browser', run };
