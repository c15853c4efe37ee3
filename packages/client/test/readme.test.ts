/** The ten lines of the README, word for word, in two browsers against a whole cluster of two regions. */
import { startCluster, type Cluster } from '@veilcast/cli';
import type { RegionId } from '@veilcast/protocol';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, servePage, type ServedPage } from './browser.ts';

let cluster: Cluster;
let served: ServedPage;
let browser: Browser;

beforeAll(async () => {
  const regions = ['eu', 'us'] as RegionId[];
  [cluster, served, browser] = await Promise.all([
    startCluster({ port: 0, regions, lan: false }),
    servePage(await example()),
    openBrowser(),
  ]);
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
  await cluster?.close();
});

/** The first block of JavaScript, with what surrounds it in an application: where the cluster is, and a token. */
async function example(): Promise<string> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const block = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
  if (!block) throw new Error('the README has no example');
  return `const { url, token } = globalThis.example;\n${block}\nglobalThis.call = call;`;
}

async function tokenFor(room: string): Promise<string> {
  const response = await fetch(`${cluster.origin}/api/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ room, role: 'speaker' }),
  });
  return ((await response.json()) as { token: string }).token;
}

async function runExample(): Promise<Page> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
  const page = await context.newPage();
  page.on('pageerror', (error) => process.stderr.write(`page: ${error.stack ?? error.message}\n`));
  const given = { url: cluster.origin, token: await tokenFor('readme') };
  await page.addInitScript((value) => Object.assign(globalThis, { example: value }), given);
  await page.goto(served.url);
  return page;
}

it('makes a call: each sees and hears the other, encrypted', async () => {
  const pages = [await runExample(), await runExample()];
  for (const page of pages) {
    await page.waitForFunction(
      () => [...document.querySelectorAll('video')].some((video) => video.videoWidth > 0),
      undefined,
      {
        timeout: 60_000,
      },
    );
    await page.waitForFunction(() => [...document.querySelectorAll('audio')].some((audio) => audio.currentTime > 0));
    const report = await page.evaluate<{ e2ee: { state: string; framesOpened: number } }>('call.report()');
    expect(report.e2ee.state).toBe('encrypted');
    expect(report.e2ee.framesOpened).toBeGreaterThan(0);
  }
});
