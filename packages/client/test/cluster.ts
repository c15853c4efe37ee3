/** A cluster of two regions in this process, and pages on which the SDK runs alone. */
import { startCluster, type Cluster } from '@veilcast/cli';
import type { RegionId } from '@veilcast/protocol';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchBrowser } from '@veilcast/testkit/browser';
import { servePage, type ServedPage } from './served-page.ts';

export interface ClusterLab {
  readonly cluster: Cluster;
  /** Opens the page in a browser context of its own, with `example = { url, token }` there before its module runs, and what `lay` adds. */
  open(room: string, lay?: (context: BrowserContext) => Promise<void>): Promise<Page>;
  token(room: string): Promise<string>;
  close(): Promise<void>;
}

/** The pages run `module`. */
export async function openCluster(module: string): Promise<ClusterLab> {
  let cluster: Cluster | undefined;
  let served: ServedPage | undefined;
  let browser: Browser | undefined;
  const close = async () => {
    await browser?.close();
    await served?.close();
    await cluster?.close();
  };
  try {
    cluster = await startCluster({ port: 0, regions: ['eu', 'us'] as RegionId[], lan: false });
    served = await servePage(module);
    browser = await launchBrowser();
  } catch (thrown) {
    await close();
    throw thrown;
  }
  const { origin } = cluster;
  const { url } = served;
  const chromium = browser;
  const token = async (room: string) => {
    const response = await fetch(`${origin}/api/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ room, role: 'speaker' }),
    });
    return ((await response.json()) as { token: string }).token;
  };
  const open = async (room: string, lay?: (context: BrowserContext) => Promise<void>) => {
    const context = await chromium.newContext({ permissions: ['camera', 'microphone'] });
    await lay?.(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => process.stderr.write(`page: ${error.stack ?? error.message}\n`));
    const example = { url: origin, token: await token(room) };
    await page.addInitScript((value) => Object.assign(globalThis, { example: value }), example);
    await page.goto(url);
    return page;
  };
  return { cluster, open, token, close };
}
