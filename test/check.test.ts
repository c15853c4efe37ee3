/**
 * The check before a call, as a newcomer makes it: by keyboard alone, against a real cluster, each row read; then the same page on a phone. What it
 * says of camera, sound and network is what is there, its result goes to the clipboard without a name, and its Room is gone afterwards.
 */
import { startCluster, type Cluster } from '@veilcast/cli';
import type { RegionId } from '@veilcast/protocol';
import { launchBrowser } from '@veilcast/testkit/browser';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What this machine has: fake devices that beep, both direct ways, and relays where coturn is installed. */
const expected = (relays: 'good' | 'none') => ({
  camera: 'good',
  microphone: 'good',
  encryption: 'good',
  postQuantum: 'good',
  codecs: 'good',
  regions: 'good',
  signaling: 'good',
  udp: 'good',
  tcp: 'good',
  turnUdp: relays,
  turnTcp: relays,
  turnTls: relays,
});

let cluster: Cluster;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  cluster = await startCluster({ port: 0, regions: ['eu', 'us'] as RegionId[], lan: false });
  // The relays of `up` have a certificate of this machine's.
  browser = await launchBrowser(['--ignore-certificate-errors']);
  const context = await browser.newContext({
    viewport: { width: 360, height: 720 },
    permissions: ['camera', 'microphone', 'clipboard-read', 'clipboard-write'],
    reducedMotion: 'reduce',
  });
  page = await context.newPage();
});

afterAll(async () => {
  await browser?.close();
  await cluster?.close();
});

/** Presses Tab until what has the focus is this. */
async function reach(testId: string): Promise<void> {
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
    if (focused === testId) return;
  }
  throw new Error(`Tab does not reach ${testId}`);
}

const outcomeOf = (row: string): Promise<string | null> =>
  page.getByTestId(`check-${row}`).getAttribute('data-outcome');
const wordsOf = (row: string): Promise<string> => page.getByTestId(`check-${row}`).innerText();

async function look(width: number, height: number, name: string): Promise<string[]> {
  await page.setViewportSize({ width, height });
  if (process.env.VEILCAST_SHOTS !== undefined)
    await page.screenshot({ path: `${process.env.VEILCAST_SHOTS}/check ${name} ${width}.png`, fullPage: true });
  const broken: string[] = [];
  if (await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth))
    broken.push('scrolls sideways');
  const small = await page
    .locator('button:visible, a:visible, label:visible')
    .evaluateAll((found) =>
      found.filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.textContent),
    );
  const { violations } = await new AxeBuilder({ page }).analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return [...broken, ...small.map((text) => `small: ${text}`), ...serious.map(({ id }) => id)];
}

describe('the check before a call', () => {
  it('is reached from the start page, and runs by keyboard', async () => {
    await page.goto(cluster.origin);
    await reach('check');
    const [opened] = await Promise.all([page.context().waitForEvent('page'), page.keyboard.press('Enter')]);
    await page.close();
    page = opened;
    await page.setViewportSize({ width: 360, height: 720 });
    await reach('check-start');
    await page.keyboard.press('Enter');
    await page.locator('[data-outcome=running]').first().waitFor();
    await page.getByTestId('check-text').waitFor({ timeout: 110_000 });
    const wanted = expected(cluster.turns.some((server) => server.ready()) ? 'good' : 'none');
    const found = Object.fromEntries(
      await Promise.all(Object.keys(wanted).map(async (row) => [row, await outcomeOf(row)] as const)),
    );
    expect(found).toEqual(wanted);
  });

  it('says what it measured', async () => {
    expect(await wordsOf('camera')).toMatch(/\d+ by \d+ pixels/);
    expect(await wordsOf('codecs')).toContain('VP8');
    expect(await wordsOf('regions')).toMatch(/eu \d+ ms, us \d+ ms|us \d+ ms, eu \d+ ms/);
    expect(await wordsOf('udp')).toMatch(/First picture after \d+\.\d s/);
    // How fast depends on what else this machine does; that something real was measured does not.
    const [, up, down] =
      /Up (\d+\.\d) Mb\/s, down (?:at least )?(\d+\.\d) Mb\/s/.exec(await wordsOf('bandwidth')) ?? [];
    expect(Number(up)).toBeGreaterThan(0);
    expect(Number(down)).toBeGreaterThanOrEqual(0.1);
    expect(await page.getByTestId('check-said').innerText()).not.toBe('');
  });

  it('asks whether the tone was heard', async () => {
    await page.getByTestId('check-start').focus();
    await reach('check-tone');
    await page.keyboard.press('Enter');
    await page.getByTestId('check-heard').waitFor();
    await page.getByTestId('check-start').focus();
    await reach('check-heard');
    await page.keyboard.press('Enter');
    expect(await outcomeOf('speaker')).toBe('good');
  });

  it('hands on a result with no name and no address in it', async () => {
    await page.getByTestId('check-tone').focus();
    await reach('check-json');
    await page.keyboard.press('Enter');
    await page.getByText('The result is on the clipboard').waitFor();
    const json = await page.evaluate(() => navigator.clipboard.readText());
    const { results } = JSON.parse(json) as {
      results: Record<string, { outcome: string; by?: string; upKbps?: number }>;
    };
    expect([results['udp'], results['tcp']]).toMatchObject([
      { outcome: 'good', by: 'udp' },
      { outcome: 'good', by: 'tcp' },
    ]);
    expect(results['bandwidth']?.upKbps).toBeGreaterThan(0);
    await page.getByTestId('check-text').click();
    await expect
      .poll(() => page.evaluate(() => navigator.clipboard.readText()))
      .toContain('[ok] Media directly, by UDP');
    const text = await page.evaluate(() => navigator.clipboard.readText());
    for (const secret of ['localhost', '127.0.0.1', '192.', 'Chrom']) expect(json + text).not.toContain(secret);
    await page.getByText('Add which browser').click();
    await page.getByTestId('check-json').click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toContain('Chrom');
  });

  it('is whole and accessible on a phone and on a desk, dark and light', async () => {
    expect(await look(360, 720, 'light')).toEqual([]);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await look(1440, 900, 'dark')).toEqual([]);
  });

  it('leaves no room behind', async () => {
    await expect
      .poll(
        async () =>
          /veilcast_signaling_rooms(?:\{.*\})? (\d+)/.exec(
            await (await fetch(`${cluster.origin}/metrics`)).text(),
          )?.[1],
        { timeout: 20_000 },
      )
      .toBe('0');
  });
});
