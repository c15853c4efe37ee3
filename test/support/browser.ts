/** Real Chromium with a film for a camera, and what a test reads off its call page. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { CallReport } from '@veilcast/client';
import { launchBrowser } from '@veilcast/testkit/browser';
import { LOOK, readCode, type Film, type Look } from './film.ts';

export { chromiumPath, FLAGS } from '@veilcast/testkit/browser';
export type Report = CallReport;

/** A browser process whose camera and microphone are the film, or Chromium's own test picture without one. */
export function openBrowser(film?: Film, flags: readonly string[] = []): Promise<Browser> {
  const files = film
    ? [`--use-file-for-fake-video-capture=${film.video}`, `--use-file-for-fake-audio-capture=${film.audio}`]
    : [];
  return launchBrowser([...files, ...flags]);
}

export interface JoinOptions {
  readonly room: string;
  readonly name: string;
  readonly region?: string;
  readonly role?: string;
  readonly token?: string;
  /** Everything through a TURN server. */
  readonly relay?: boolean;
}

/** Opens the call page, on a device of its own or in a context that is there, and joins without a click. Errors on the page end the test with their text. */
export async function joinCall(on: Browser | BrowserContext, origin: string, options: JoinOptions): Promise<Page> {
  const context = 'newContext' in on ? await newDevice(on) : on;
  const page = await context.newPage();
  page.on('pageerror', (error) => console.error(`page of ${options.name}: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') console.error(`console of ${options.name}: ${message.text()}`);
  });
  const query = new URLSearchParams({ name: options.name, join: '1' });
  if (options.region) query.set('region', options.region);
  if (options.role) query.set('role', options.role);
  if (options.token) query.set('token', options.token);
  if (options.relay) query.set('relay', '1');
  await page.goto(`${origin}/r/${options.room}?${query}`);
  return page;
}

/** Keeps nothing of others: a device of its own. */
function newDevice(browser: Browser): Promise<BrowserContext> {
  return browser.newContext({
    permissions: ['camera', 'microphone'],
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 800 },
  });
}

/** A page of any driver. */
export interface Tab {
  evaluate(script: string): Promise<unknown>;
}

export function reportOf(page: Tab): Promise<Report> {
  return page.evaluate('veilcast.report()') as Promise<Report>;
}

/** Asks until the answer pleases, and says what it was last when it never does. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T>,
  pleases: (answer: T) => boolean,
  ms = 20_000,
): Promise<T> {
  const deadline = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (pleases(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${ms} ms; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What the tile of a person shows: whose film, which frame, and when it was looked at (ms since the epoch). */
export async function seenOn(
  page: Tab,
  name: string,
): Promise<{ actor: number; frame: number; at: number } | undefined> {
  const video = `document.querySelector('[data-testid="tile"][data-name="${name}"] video')`;
  const looked = page.evaluate(`({ at: performance.timeOrigin + performance.now(), seen: (${LOOK})(${video}) })`);
  const { at, seen } = (await looked) as { at: number; seen?: Look };
  const code = seen && readCode(seen.luminances);
  return code && { ...code, at };
}
