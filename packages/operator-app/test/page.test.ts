/**
 * The operator page on pictures of a made-up cluster: screenshots of every place (their folder is printed), no serious
 * accessibility violation, links that reopen at the same state, and words when the connection is lost.
 */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '@veilcast/testkit/browser';
import { madeUp, openSite, quiet, type Site } from './site.ts';

const PLACES = [
  ['overview', '#/overview'],
  ['map', '#/map'],
  ['tree', '#/map?room=demo'],
  ['rooms', '#/rooms'],
  ['room', '#/rooms/demo'],
  ['nodes', '#/nodes?sort=-cpu'],
  ['node', '#/nodes/eu-1'],
  ['gone', '#/rooms/nowhere'],
] as const;
const LOOKS = [
  { theme: 'light', width: 1440, height: 900 },
  { theme: 'dark', width: 360, height: 720 },
] as const;

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

function open(width: number, height: number, colorScheme: 'dark' | 'light'): Promise<BrowserContext> {
  return browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: 'reduce' });
}

async function look(page: Page, name: string): Promise<string[]> {
  await page.screenshot({ path: join(shots, `${name}.png`) });
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return [
    ...(sideways ? ['scrolls sideways'] : []),
    ...serious.map(({ id, nodes }) => `${id} ${nodes[0]?.html ?? ''}`),
  ];
}

describe.each(LOOKS)('in $theme at $width px', ({ theme, width, height }) => {
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    site.show(() => madeUp(['eu', 'us', 'ap']));
    context = await open(width, height, theme);
    page = await context.newPage();
    await page.goto(`${site.url}/operator`);
    await page.getByText('People in calls').waitFor();
    // A past for the sparklines.
    await page.waitForTimeout(1_500);
  });

  afterAll(() => context?.close());

  it.each(PLACES)('%s is whole and accessible', async (name, hash) => {
    await page.evaluate((to) => (location.hash = to), hash);
    await page.waitForTimeout(200);
    await page.locator('main section').first().waitFor();
    expect(await look(page, `${name} ${width} ${theme}`)).toEqual([]);
  });

  it('an empty cluster says how to fill it', async () => {
    site.show(quiet);
    await page.evaluate(() => (location.hash = '#/map'));
    await page.getByText('No rooms yet').waitFor();
    expect(await page.getByRole('link', { name: `${site.url}/r/demo` }).count()).toBe(1);
    expect(await look(page, `empty ${width} ${theme}`)).toEqual([]);
    site.show(() => madeUp(['eu', 'us', 'ap']));
  });
});

describe('the page', () => {
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    site.show(() => madeUp(['eu', 'us', 'ap']));
    context = await open(1440, 900, 'light');
    page = await context.newPage();
  });

  afterAll(() => context?.close());

  it('reopens a link at the same filter and order', async () => {
    await page.goto(`${site.url}/operator#/nodes?sort=-id&q=eu`);
    await page.locator('tbody tr').first().waitFor();
    const ids = await page.locator('section[aria-label=Nodes] tbody tr td:first-child code').allTextContents();
    expect(ids).toEqual(['eu-2', 'eu-1']);
    await page.getByRole('button', { name: 'Node', exact: true }).click();
    expect(await page.evaluate(() => location.hash)).toBe('#/nodes?q=eu&sort=id');
    expect(await page.locator('section[aria-label=Nodes] tbody code').first().textContent()).toBe('eu-1');
  });

  it('finds an id and goes there by keyboard', async () => {
    await page.getByRole('combobox').fill('us-2');
    await page.getByRole('option').first().waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.evaluate(() => location.hash)).toBe('#/nodes/us-2');
    await page.getByText('draining').first().waitFor();
  });

  it('shows the chosen room’s tree and lets the rest step back', async () => {
    await page.goto(`${site.url}/operator#/map`);
    await page.getByRole('link', { name: 'calm-orchard-4417' }).click();
    await expect.poll(() => page.locator('svg path[marker-end]').count()).toBe(0);
    await page.getByRole('link', { name: 'demo', exact: true }).click();
    await expect.poll(() => page.locator('svg path[marker-end]').count()).toBe(4);
    expect(await page.getByText('origin').count()).toBe(1);
  });

  it('revokes the devices of a user with the key of the operator, and says why not without it', async () => {
    await page.goto(`${site.url}/operator#/overview`);
    await page.getByLabel('Fingerprint of the device').fill('ada');
    await page.getByTestId('revoke').click();
    await page.getByText("not the operator's key").waitFor();
    await page.getByLabel("The operator's key").fill('a key');
    await page.getByTestId('revoke').click();
    await page.getByText('2 devices are revoked').waitFor();
    await page.goto(`${site.url}/operator#/map?room=demo`);
  });

  it('says so when the connection is lost, keeps the last picture, and goes on when it is back', async () => {
    site.cut();
    await page.getByText('The connection to the cluster was lost').waitFor();
    expect(await page.locator('svg path[marker-end]').count()).toBe(4);
    expect(await look(page, 'lost')).toEqual([]);
    site.show(() => madeUp(['eu', 'us']));
    await page.getByText('The connection to the cluster was lost').waitFor({ state: 'detached', timeout: 15_000 });
    await expect.poll(() => page.locator('svg path[marker-end]').count()).toBe(2);
  });

  it('refuses what is not a picture, in words', async () => {
    site.show(() => ({ at: 'yesterday' }));
    await page.getByText('that this page cannot read').waitFor();
  });
});
