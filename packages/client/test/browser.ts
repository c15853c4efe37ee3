/** A real Chromium on a page that Vite built from here: what a test of the SDK in its own surroundings needs. */
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, extname, join, resolve } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { build } from 'vite';

const PAGES = resolve(import.meta.dirname, 'pages');

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
];

const TYPES: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript' };

export interface BrowserLab {
  readonly page: Page;
  close(): Promise<void>;
}

/** Builds `pages/<name>.html`, serves it on a loopback port and opens it. */
export async function openPage(name: string): Promise<BrowserLab> {
  const dist = await mkdtemp(join(tmpdir(), 'veilcast-page-'));
  await build({
    configFile: false,
    root: PAGES,
    logLevel: 'error',
    build: {
      outDir: dist,
      emptyOutDir: true,
      target: 'esnext',
      minify: false,
      rollupOptions: { input: join(PAGES, `${name}.html`) },
    },
    worker: { format: 'es' },
  });
  const server = createServer((request, response) => {
    const path = join(dist, new URL(request.url ?? '/', 'http://localhost').pathname);
    readFile(path).then(
      (file) => response.setHeader('content-type', TYPES[extname(path)] ?? 'text/plain').end(file),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    server.closeAllConnections();
    server.close();
    await rm(dist, { recursive: true, force: true });
  };
  try {
    browser = await chromium.launch({ executablePath: await chromiumPath(), args: FLAGS });
    const page = await browser.newPage();
    page.on('pageerror', (error) => process.stderr.write(`page: ${error.message}\n`));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}.html`);
    return { page, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first `chromium` of the PATH. */
export async function chromiumPath(): Promise<string> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'chromium');
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new Error('no chromium on the PATH');
}
