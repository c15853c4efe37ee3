/**
 * The page as people see it, with a made-up call behind it: screenshots of every state at three widths and in both
 * themes (their folder is printed), no serious accessibility violation in any, and every control within reach of Tab.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '@veilcast/testkit/browser';
import { openSite, type Site } from './site.ts';

interface Scene {
  readonly name: string;
  readonly path: string;
  readonly act?: (page: Page) => Promise<void>;
}

const call = '/r/demo?join=1&name=Ada';
const press = (key: string) => (page: Page) => page.keyboard.press(key);
async function openPictures(page: Page): Promise<void> {
  await page.keyboard.press('e');
  await page.getByTestId('pictures').click();
}

async function openPerson(page: Page, name: string): Promise<void> {
  await page.keyboard.press('e');
  await page.getByRole('button', { name }).first().click();
  await page.getByTestId('safety-number').waitFor();
}

async function openIdentity(page: Page): Promise<void> {
  await page.getByTestId('more').click();
  await page.getByRole('menuitem', { name: 'Your identity' }).click();
  await page.getByText('Keep a copy').click();
}

async function openIdentityBefore(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Will be encrypted' }).click();
  await page.getByTestId('identity').click();
  await page.getByTestId('fingerprint').waitFor();
}

const SCENES: readonly Scene[] = [
  { name: 'landing', path: '/' },
  { name: 'lost', path: '/r/no%20room' },
  { name: 'pre-join', path: '/r/demo?name=Ada%20Lovelace' },
  { name: 'alone', path: `${call}&people=1` },
  { name: 'two', path: `${call}&people=2` },
  { name: 'five', path: `${call}&people=5&show=frozen,waiting` },
  { name: 'right-to-left', path: `${call}&people=5&show=rtl` },
  { name: 'many', path: `${call}&people=26` },
  { name: 'screen', path: `${call}&people=7&show=screen` },
  { name: 'speaker', path: `${call}&people=7`, act: press('l') },
  { name: 'everything fails', path: `${call}&people=4&show=keys,lost` },
  { name: 'people', path: `${call}&people=6&role=host&show=knock`, act: press('p') },
  { name: 'knock', path: `${call}&people=3&role=host&show=knock` },
  { name: 'chat', path: `${call}&people=4&show=chat`, act: press('c') },
  { name: 'encryption', path: `${call}&people=5`, act: press('e') },
  { name: 'pictures', path: `${call}&people=5`, act: openPictures },
  { name: 'warned', path: `${call}&people=4&show=warned,changed,undecryptable` },
  { name: 'warnings', path: `${call}&people=4&show=warned`, act: press('e') },
  { name: 'safety number', path: `${call}&people=4`, act: (page) => openPerson(page, 'Grace Hopper') },
  { name: 'changed', path: `${call}&people=4&show=changed`, act: (page) => openPerson(page, 'Alan Turing') },
  { name: 'identity', path: `${call}&people=3`, act: openIdentity },
  { name: 'identity before', path: '/r/demo?name=Ada%20Lovelace', act: openIdentityBefore },
  { name: 'shortcuts', path: `${call}&people=3`, act: press('?') },
  { name: 'more', path: `${call}&people=3`, act: (page) => page.getByTestId('more').click() },
  { name: 'viewer', path: `${call}&people=3&role=viewer` },
  { name: 'slow', path: `${call}&people=3&show=slow-network`, act: (page) => page.getByTestId('slow').waitFor() },
  { name: 'check', path: '/check' },
  { name: 'lobby', path: `${call}&show=lobby` },
  { name: 'in line', path: `${call}&show=queue`, act: (page) => page.getByTestId('queue').waitFor() },
  {
    name: 'full',
    path: `${call}&fail=CLUSTER_FULL&retry=60000`,
    act: (page) => page.getByTestId('again-in').waitFor(),
  },
  { name: 'failed', path: `${call}&fail=TRANSPORT_FAILED` },
  { name: 'left', path: `${call}&people=2`, act: (page) => page.getByTestId('leave').click() },
];
const CALLS = SCENES.filter(({ name }) => ['alone', 'two', 'five', 'many'].includes(name));

let site: Site;
let browser: Browser;
let shots: string;

beforeAll(async () => {
  [site, browser, shots] = await Promise.all([openSite(), launchBrowser(), mkdtemp(join(tmpdir(), 'veilcast-shots-'))]);
  console.log(`screenshots: ${shots}`);
});

afterAll(async () => {
  await browser?.close();
  await site?.close();
});

async function open(width: number, height: number, theme: 'dark' | 'light'): Promise<BrowserContext> {
  return browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: 'reduce',
    permissions: ['camera', 'microphone', 'clipboard-read', 'clipboard-write'],
  });
}

async function show(page: Page, scene: Scene): Promise<void> {
  await page.goto(site.url + scene.path);
  await page.locator('#app > *').first().waitFor();
  await settle(page);
  if (!scene.act) return;
  await scene.act(page);
  await settle(page);
}

/** Until the page has stood still for a tenth of a second: what it asks for has come and is drawn. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(async () => {
    await document.fonts.ready;
    await new Promise<void>((still) => {
      let quiet = setTimeout(still, 100);
      const most = performance.now() + 1_000;
      const changes = new MutationObserver(() => {
        if (performance.now() > most) return;
        clearTimeout(quiet);
        quiet = setTimeout(still, 100);
      });
      changes.observe(document.body, { subtree: true, childList: true, attributes: true });
    });
  });
}

/** Violations are all we read, and our pages have no frames: so axe neither gathers what passes nor opens a page to sum up. */
async function whole(page: Page) {
  return new AxeBuilder({ page })
    .options({ resultTypes: ['violations'] })
    .setLegacyMode()
    .analyze();
}

/** The calls of every size in all six looks; every other screen once wide and light and once narrow and dark. */
const LOOKS = [
  { theme: 'light', width: 1440, height: 900, scenes: SCENES },
  { theme: 'dark', width: 360, height: 720, scenes: SCENES },
  { theme: 'dark', width: 1440, height: 900, scenes: CALLS },
  { theme: 'dark', width: 900, height: 700, scenes: CALLS },
  { theme: 'light', width: 900, height: 700, scenes: CALLS },
  { theme: 'light', width: 360, height: 720, scenes: CALLS },
] as const;

describe.each(LOOKS)('in $theme at $width px', ({ theme, width, height, scenes }) => {
  let context: BrowserContext;

  beforeAll(async () => {
    context = await open(width, height, theme);
  });

  afterAll(() => context?.close());

  it.each(scenes)('$name is whole and accessible', async (scene) => {
    const page = await context.newPage();
    const broken: string[] = [];
    page.on('pageerror', (error) => broken.push(error.message));
    await show(page, scene);
    await page.screenshot({ path: join(shots, `${scene.name} ${width} ${theme}.png`) });
    if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth))
      broken.push('scrolls sideways');
    // axe reads the whole page anew: once for every screen wide, once narrow.
    const { violations } = scenes === SCENES ? await whole(page) : { violations: [] };
    for (const { id, impact, nodes } of violations) {
      if (impact === 'serious' || impact === 'critical') broken.push(`${id} ${nodes[0]?.html ?? ''}`);
    }
    await page.close();
    expect(broken).toEqual([]);
  });
});

describe('the call', () => {
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    context = await open(1280, 800, 'dark');
    page = await context.newPage();
    await show(page, { name: 'tab', path: `${call}&people=4&role=host&show=chat` });
  });

  afterAll(() => context?.close());

  it('lets Tab reach every control', async () => {
    const all = await page.locator('button:visible').evaluateAll((found) => found.map((one) => one.ariaLabel));
    const reached = new Set<string | null>();
    for (let i = 0; i < all.length * 2; i++) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate(() => document.activeElement?.ariaLabel ?? null));
    }
    expect(all.length).toBeGreaterThan(8);
    expect([...reached]).toEqual(expect.arrayContaining(all));
  });

  it('has touch targets of 44 px', async () => {
    const small = await page
      .locator('button:visible')
      .evaluateAll((found) => found.filter((one) => one.clientHeight < 44 || one.clientWidth < 44).length);
    expect(small).toBe(0);
  });

  it('answers the fixed test ids and tells the code without opening anything', async () => {
    for (const id of ['leave', 'mic', 'camera', 'share', 'people', 'hand', 'e2ee']) {
      expect(await page.getByTestId(id).count()).toBe(1);
    }
    expect(await page.getByTestId('e2ee').getAttribute('data-state')).toBe('encrypted');
    expect(await page.getByTestId('e2ee').getAttribute('data-epoch')).toBe('7');
    expect(await page.getByTestId('code').textContent()).toMatch(/^\d{5}( \d{5}){5}$/);
    expect(await page.getByTestId('tile').count()).toBe(4);
    expect(await page.locator('[data-testid=tile][data-self]').getAttribute('data-video')).toBe('live');
    expect(await page.locator('[data-testid=tile][data-name="Grace Hopper"]').getAttribute('data-peer')).toBe('peer-0');
  });

  it('reports the size of what it shows, and what it does not show', async () => {
    const told = JSON.parse((await page.locator('html').getAttribute('data-tiles')) ?? '[]') as {
      readonly width: number;
      readonly visible: boolean;
    }[];
    expect(told).toHaveLength(3);
    for (const tile of told) expect(tile.visible && tile.width > 200).toBe(true);
    await page.keyboard.press('l');
    await page.waitForTimeout(500);
    expect(await page.locator('html').getAttribute('data-tiles')).not.toBe(JSON.stringify(told));
    await page.keyboard.press('l');
  });

  it('mutes, raises a hand and writes by keyboard, and a letter in the chat is only a letter', async () => {
    await page.keyboard.press('m');
    expect(await page.getByTestId('mic').getAttribute('data-on')).toBe('false');
    await page.keyboard.press('h');
    await page.getByText('Hand raised').first().waitFor();
    await page.keyboard.press('c');
    await page.getByTestId('chat-input').fill('hm, come');
    await page.keyboard.press('m');
    await page.keyboard.press('Enter');
    await page.getByTestId('chat-line').getByText('hm, comem').waitFor();
    expect(await page.getByTestId('mic').getAttribute('data-on')).toBe('false');
    await page.keyboard.press('Escape');
    expect(await page.getByTestId('chat-input').count()).toBe(0);
  });

  it('recedes after three seconds and is back at once, the lock never gone', async () => {
    const opacity = (): Promise<string> => page.getByRole('toolbar').evaluate((bar) => getComputedStyle(bar).opacity);
    await page.mouse.move(300, 300);
    await page.mouse.click(640, 60);
    await page.waitForTimeout(3_500);
    expect(await opacity()).toBe('0');
    expect(await page.getByTestId('e2ee').evaluate((lock) => getComputedStyle(lock).opacity)).toBe('1');
    await page.mouse.move(310, 310);
    await expect.poll(opacity).toBe('1');
  });

  it('gives the same report by script and by the clipboard', async () => {
    const report = await page.evaluate(() => window.veilcast.report());
    expect(report.e2ee.members).toBe(4);
    await page.getByTestId('more').click();
    await page.getByText('Copy diagnostics').click();
    await page.getByText('Diagnostics are on the clipboard').waitFor();
    expect(JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))).toEqual(report);
  });
});

it('reports before the call in the same shape', async () => {
  const context = await open(900, 700, 'dark');
  const page = await context.newPage();
  await page.goto(`${site.url}/r/demo?name=Ada&role=host`);
  const report = await page.evaluate(() => window.veilcast.report());
  expect(report).toMatchObject({ room: 'demo', self: { name: 'Ada', role: 'host' }, peers: [], e2ee: { epoch: 0 } });
  await context.close();
});

it('goes in by itself once a full cluster has room, and is left by keyboard while it waits', async () => {
  const context = await open(360, 720, 'light');
  const page = await context.newPage();
  await page.goto(`${site.url}${call}&people=2&fail=CLUSTER_FULL&fails=1&retry=500`);
  await page.getByTestId('again-in').waitFor();
  expect(await page.getByTestId('error').getAttribute('data-code')).toBe('CLUSTER_FULL');
  await page.getByTestId('tile').first().waitFor();
  await page.goto(`${site.url}${call}&fail=CLUSTER_FULL&retry=60000`);
  await page.getByTestId('again-in').waitFor();
  for (let i = 0; i < 8 && !(await page.getByTestId('leave').evaluate((one) => one.matches(':focus'))); i++)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByText('You left').waitFor();
  await context.close();
});

it('shows the place in line, and how far one has come', async () => {
  const context = await open(360, 720, 'dark');
  const page = await context.newPage();
  await page.goto(`${site.url}${call}&show=queue`);
  await page.getByText('Place 396 in line').waitFor();
  await page.getByText('about 4 seconds').waitFor();
  expect(await page.getByRole('progressbar').evaluate((bar: HTMLProgressElement) => bar.position)).toBeCloseTo(0.72, 2);
  await page.getByTestId('leave').click();
  await page.getByText('You left').waitFor();
  await context.close();
});
