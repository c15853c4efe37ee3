/** A page with the SDK and nothing else, as an application would bundle it: calls as light as they come. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

/** What a test calls on the page. */
export interface SdkPage {
  /** Joins, publishes a small camera and a microphone, and stays until `leave`. */
  enter(options: SdkOptions): Promise<void>;
  leave(): Promise<void>;
  snapshot(): { state: string; people: number; encryption: string; members: number };
}

export interface SdkOptions {
  readonly url: string;
  readonly token: string;
  readonly region: string;
  readonly name: string;
}

const ENTRY = 'virtual:sdk-page';
const SOURCE = `
import { connect } from '@veilcast/client';
let call, stream;
window.sdk = {
  async enter(options) {
    call = await connect(options);
    stream ??= await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 180 } });
    await call.publish(stream);
  },
  leave: () => call.leave(),
  snapshot: () => ({
    state: call.snapshot.state,
    people: call.snapshot.people.length,
    encryption: call.snapshot.encryption.state,
    members: call.snapshot.encryption.members.length,
  }),
};
`;

export interface ServedSdk {
  readonly url: string;
  close(): Promise<void>;
}

/** Bundles the page, or another of this source, and serves it on a loopback port. */
export async function serveSdk(source = SOURCE): Promise<ServedSdk> {
  const dist = await mkdtemp(join(tmpdir(), 'veilcast-sdk-'));
  const root = fileURLToPath(new URL('../../packages/client', import.meta.url));
  await build({
    configFile: false,
    root,
    logLevel: 'error',
    plugins: [
      {
        name: 'sdk-page',
        resolveId: (id) => (id === ENTRY ? join(root, 'sdk-page.js') : undefined),
        load: (id) => (id === join(root, 'sdk-page.js') ? source : undefined),
      },
    ],
    build: {
      outDir: dist,
      target: 'esnext',
      minify: false,
      rollupOptions: { input: { page: ENTRY }, output: { entryFileNames: 'page.js' } },
    },
    worker: { format: 'es' },
  });
  const page = '<!doctype html><meta charset="utf-8"><title>sdk</title><script type="module" src="/page.js"></script>';
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('content-type', extname(pathname) === '.js' ? 'text/javascript' : 'text/html');
    if (pathname === '/') response.end(page);
    else
      void readFile(join(dist, pathname)).then(
        (file) => response.end(file),
        () => response.writeHead(404).end(),
      );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await rm(dist, { recursive: true, force: true });
    },
  };
}
