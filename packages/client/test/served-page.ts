/** Pages that Vite builds on the spot: what a test of the SDK in its own surroundings needs. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { build } from 'vite';

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

export interface ServedPage {
  readonly url: string;
  close(): Promise<void>;
}

/** Bundles one module of this package as an application would, and serves it on a loopback port with an empty page. */
export async function servePage(module: string): Promise<ServedPage> {
  const dist = await mkdtemp(join(tmpdir(), 'veilcast-page-'));
  const page = 'virtual:page';
  await build({
    configFile: false,
    root: import.meta.dirname,
    logLevel: 'error',
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === page ? join(import.meta.dirname, 'page.ts') : undefined),
        load: (id) => (id === join(import.meta.dirname, 'page.ts') ? module : undefined),
      },
    ],
    build: {
      outDir: dist,
      target: 'esnext',
      minify: false,
      rollupOptions: { input: { page }, output: { entryFileNames: 'page.js' } },
    },
    worker: { format: 'es' },
  });
  const empty =
    '<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="/page.js"></script>';
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/') {
      response.setHeader('content-type', 'text/html').end(empty);
      return;
    }
    readFile(join(dist, pathname)).then(
      (file) => response.setHeader('content-type', TYPES[extname(pathname)] ?? 'text/plain').end(file),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.closeAllConnections();
      server.close();
      await rm(dist, { recursive: true, force: true });
    },
  };
}
