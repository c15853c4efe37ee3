/** The built page with the made-up call behind it, on a port of its own. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** Builds into a temporary folder and serves it as `veilcast up` does: the page for `/` and `/r/*`, files for the rest. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-page-'));
  await build({ root: ROOT, mode: 'fixture', logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/api/token') {
      response.setHeader('content-type', 'application/json').end('{"token":"made-up"}');
      return;
    }
    const page = pathname === '/' || pathname.startsWith('/r/') || extname(pathname) === '';
    const file = join(folder, page ? 'index.html' : normalize(pathname));
    readFile(file).then(
      (body) => response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream').end(body),
      () => response.writeHead(404).end(),
    );
  });
  return { url: await listen(server), close: () => closeSite(server, folder) };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`);
    });
  });
}

async function closeSite(server: Server, folder: string): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  await rm(folder, { recursive: true, force: true });
}
