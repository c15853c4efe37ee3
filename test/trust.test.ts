/**
 * What people see of encryption, on real pages: they compare and verify, are warned of another device, read who came and
 * went, are told what was said before they came and as whose memory, and see when somebody's frames do not open.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, Locator, Page } from 'playwright-core';
import { startCluster, type Cluster } from '@veilcast/cli';
import { RegionId } from '@veilcast/protocol';
import { eventually, openBrowser, reportOf } from './support/browser.ts';

const ROOM = 'trust';
const PATIENCE_MS = 60_000;

/** A page of a hostile member: between its two workers the key of every Epoch is changed, so that its frames are sealed with another. */
const WRONG_KEYS = `
  const Real = MessageChannel;
  window.MessageChannel = function () {
    const [near, far] = [new Real(), new Real()];
    near.port2.onmessage = ({ data }) => {
      if (data?.kind === 'epoch') data.baseKey[0] ^= 1;
      far.port1.postMessage(data);
    };
    far.port1.onmessage = ({ data }) => near.port2.postMessage(data);
    return { port1: near.port1, port2: far.port2 };
  };
`;

let cluster: Cluster;
let browser: Browser;
let ada: Page;
let bob: Page;

beforeAll(async () => {
  cluster = await startCluster({ port: 0, regions: [RegionId.parse('eu')], lan: false });
  browser = await openBrowser();
  ada = await join('Ada');
  await eventually(
    'her place',
    () => reportOf(ada),
    ({ e2ee }) => e2ee.state === 'encrypted',
    PATIENCE_MS,
  );
  bob = await join('Bob');
  await tileOf(ada, 'Bob').waitFor({ timeout: PATIENCE_MS });
  await tileOf(bob, 'Ada').waitFor({ timeout: PATIENCE_MS });
});

afterAll(async () => {
  await browser?.close();
  await cluster?.close();
});

/**
 * As the same user each time, on a device of its own each time: every page has a browser context of its own. With sound and
 * without a camera, since nothing here is about pictures.
 */
async function join(name: string, script?: string): Promise<Page> {
  const context = await browser.newContext({ permissions: ['camera', 'microphone'], ignoreHTTPSErrors: true });
  if (script !== undefined) await context.addInitScript(script);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const query = new URLSearchParams({ name, join: '1', video: '0', token: await tokenOf(name) });
  await page.goto(`${cluster.origin}/r/${ROOM}?${query}`);
  return page;
}

/** Opens a panel by its key, whether or not another is open. */
async function open(page: Page, key: string, title: string): Promise<Locator> {
  const panel = page.getByRole('complementary', { name: title });
  if (!(await panel.isVisible())) await page.keyboard.press(key);
  await panel.waitFor();
  return panel;
}

async function close(page: Page): Promise<void> {
  await page.getByRole('complementary').getByRole('button', { name: 'Close', exact: true }).click();
}

async function tokenOf(name: string): Promise<string> {
  const response = await fetch(`${cluster.origin}/api/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      room: ROOM,
      role: name === 'Ada' ? 'host' : 'speaker',
      participant: `user_${name.toLowerCase()}`,
    }),
  });
  return ((await response.json()) as { token: string }).token;
}

function tileOf(page: Page, name: string): Locator {
  return page.locator(`[data-testid="tile"][data-name="${name}"]`);
}

async function press(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole('button', { name }).first().click({ timeout: PATIENCE_MS });
}

/** Opens the safety number of two people. */
async function compare(page: Page, name: string): Promise<string> {
  const panel = await open(page, 'e', 'Encryption');
  await panel.getByRole('button', { name }).click();
  return (await page.getByTestId('safety-number').innerText()).replaceAll(/\s+/g, ' ').trim();
}

describe('people', () => {
  it('see that the call and each other are encrypted', async () => {
    for (const [page, other] of [
      [ada, 'Bob'],
      [bob, 'Ada'],
    ] as const) {
      await page.locator('[data-testid="e2ee"][data-state="encrypted"]').waitFor({ timeout: PATIENCE_MS });
      await tileOf(page, other).and(page.locator('[data-e2ee="encrypted"]')).waitFor({ timeout: PATIENCE_MS });
    }
  });

  it('have the same digits and the same pictures', async () => {
    const code = await ada.getByTestId('code').innerText();
    expect(code).toMatch(/^\d{5}( \d{5}){5}$/);
    const seen: string[] = [];
    for (const page of [ada, bob]) {
      const panel = await open(page, 'e', 'Encryption');
      await panel.getByTestId('pictures').click();
      seen.push(await page.getByTestId('emoji').innerText());
      await close(page);
    }
    expect(seen[0]?.length).toBeGreaterThan(20);
    expect(seen[0]).toBe(seen[1]);
  });

  it('compare safety numbers and mark each other as verified', async () => {
    const [hers, his] = [await compare(ada, 'Bob'), await compare(bob, 'Ada')];
    expect(hers).toMatch(/^\d{5}( \d{5}){11}$/);
    expect(hers).toBe(his);
    await ada.getByTestId('verify').click({ timeout: PATIENCE_MS });
    await ada.getByRole('complementary').locator('[data-verified="yes"]').waitFor({ timeout: PATIENCE_MS });
    await close(ada);
    await close(bob);
  });

  it('who come later are told what was said before, as whose memory it is', async () => {
    // Who said it is gone: only others can tell it now.
    const dan = await join('Dan');
    await tileOf(dan, 'Ada').waitFor();
    await open(dan, 'c', 'Chat');
    await dan.getByTestId('chat-input').fill('Said before Cleo came');
    await dan.getByTestId('chat-input').press('Enter');
    await open(ada, 'c', 'Chat');
    const there = ada.getByTestId('chat-line').filter({ hasText: 'Said before Cleo came' });
    await there.waitFor();
    expect(await there.getAttribute('data-as')).toBeNull();
    await close(ada);
    await dan.context().close();
    await tileOf(ada, 'Dan').waitFor({ state: 'detached' });
    const cleo = await join('Cleo');
    await tileOf(cleo, 'Bob').waitFor({ timeout: PATIENCE_MS });
    await open(cleo, 'c', 'Chat');
    const told = cleo.getByTestId('chat-line').filter({ hasText: 'Said before Cleo came' });
    await told.waitFor({ timeout: PATIENCE_MS });
    const [as, words] = [await told.getAttribute('data-as'), await told.innerText()];
    expect(['Ada', 'Bob']).toContain(as);
    expect(words).toContain(`as ${as} has it`);
    expect(words).toContain('Dan');

    await tileOf(ada, 'Cleo').waitFor({ timeout: PATIENCE_MS });
    await open(ada, 'p', 'People');
    await press(ada, 'Remove Cleo');
    await press(ada, /^Remove$/);
    await close(ada);
    await cleo.context().close();
  });

  it('read in the timeline who came and who was removed', async () => {
    await open(bob, 'e', 'Encryption');
    const lines = bob.getByTestId('timeline').locator('li');
    await lines.and(bob.locator('[data-kind="came"]')).filter({ hasText: 'Cleo' }).waitFor({ timeout: PATIENCE_MS });
    await lines.and(bob.locator('[data-kind="went"]')).filter({ hasText: 'Cleo' }).waitFor({ timeout: PATIENCE_MS });
    await close(bob);
  });

  it('see it on the tile when somebody’s frames do not open, and nothing frozen', async () => {
    const eve = await join('Eve', WRONG_KEYS);
    await tileOf(ada, 'Eve').and(ada.locator('[data-e2ee="failed"]')).waitFor({ timeout: PATIENCE_MS });
    await tileOf(ada, 'Eve')
      .getByText('Cannot be decrypted', { exact: false })
      .first()
      .waitFor({ timeout: PATIENCE_MS });
    expect(await tileOf(ada, 'Bob').getAttribute('data-e2ee')).toBe('encrypted');
    await eve.context().close();
  });

  it('are warned when somebody whom they verified comes back with another device', async () => {
    await bob.context().close();
    await tileOf(ada, 'Bob').waitFor({ state: 'detached', timeout: PATIENCE_MS });
    bob = await join('Bob');
    // The device is known with the leaf, the name a moment later.
    const warning = ada.getByTestId('changed').filter({ hasText: 'Bob' });
    await warning.waitFor({ timeout: PATIENCE_MS });
    await warning.getByRole('button', { name: 'Look' }).click({ timeout: PATIENCE_MS });
    await ada.getByTestId('safety-number').waitFor({ timeout: PATIENCE_MS });
    await ada.getByRole('alert').filter({ hasText: 'Compare again' }).waitFor({ timeout: PATIENCE_MS });
  });
});
