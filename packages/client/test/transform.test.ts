/**
 * The frame worker in a real Chromium: what is sealed with one key opens with the same and with no other; without a
 * key nothing leaves and nothing is shown.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '@veilcast/testkit/browser';
import { servePage, type ServedPage } from './served-page.ts';
import type { LabApi } from './two-ends.ts';

type Steps = (api: LabApi, pause: (ms: number) => Promise<void>) => Promise<unknown>;

let served: ServedPage;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  served = await servePage(`import './two-ends.ts';`);
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(served.url);
  await page.waitForFunction(() => 'lab' in globalThis);
});

afterAll(async () => {
  await browser?.close();
  await served?.close();
});

/** Runs the steps inside the page. */
async function inPage<S extends Steps>(steps: S): Promise<Awaited<ReturnType<S>>> {
  const result = await page.evaluate(`(${steps.toString()})(lab, (ms) => new Promise((done) => setTimeout(done, ms)))`);
  return result as Awaited<ReturnType<S>>;
}

/** The browser sends frames twice to probe the bandwidth; refusing the copy is no loss. */
function lossesOf(failures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(failures).filter(([reason]) => reason !== 'replay'));
}

describe('frames through two real peer connections', () => {
  it('decode with equal keys, picture and sound', async () => {
    const seen = await inPage(async ({ connectEnds, figures }, pause) => {
      const ends = await connectEnds();
      ends.alice.install(1, 7);
      ends.bob.install(1, 7);
      await pause(3_000);
      const result = await figures(ends);
      ends.stop();
      return result;
    });
    expect(seen.framesDecoded).toBeGreaterThan(20);
    expect(seen.heard).toBeGreaterThan(0);
    expect(seen.alice.sealed).toBeGreaterThan(100);
    expect(seen.bob.opened).toBeGreaterThan(100);
    expect(lossesOf(seen.bob.failures)).toEqual({});
  });

  it.each([
    { codec: 'vp9', mode: 'L1T1' },
    { codec: 'vp9', mode: 'L3T3_KEY' },
    { codec: 'h264', mode: 'L1T1' },
    { codec: 'av1', mode: 'L1T1' },
    { codec: 'av1', mode: 'L3T3_KEY' },
  ] as const)('decode in $codec $mode, and with another key nothing does', async ({ codec, mode }) => {
    const seen = await page.evaluate(
      async ([codec, scalabilityMode]) => {
        const { lab } = globalThis as unknown as { lab: LabApi };
        const ends = await lab.connectEnds({ codec, encodings: [{ scalabilityMode }] });
        ends.alice.install(1, 7);
        ends.bob.install(1, 7);
        await new Promise((done) => setTimeout(done, 2_000));
        const right = await lab.figures(ends);
        ends.bob.install(2, 9);
        ends.alice.install(2, 8);
        await new Promise((done) => setTimeout(done, 600));
        const changed = await lab.figures(ends);
        await new Promise((done) => setTimeout(done, 800));
        const wrong = await lab.figures(ends);
        ends.stop();
        return { right, changed, wrong };
      },
      [codec, mode] as const,
    );
    // Chromium makes two layers of a picture of this size.
    const made = mode.replace('L3', 'L2');
    expect(seen.right.codec.toLowerCase()).toBe(`video/${codec} ${made}`.toLowerCase());
    expect(seen.right.framesDecoded).toBeGreaterThan(5);
    expect(lossesOf(seen.right.bob.failures)).toEqual({});
    expect(seen.wrong.framesDecoded).toBe(seen.changed.framesDecoded);
    expect(seen.wrong.packetsSent).toBeGreaterThan(seen.changed.packetsSent);
    expect(seen.wrong.bob.failures['forged']).toBeGreaterThan(10);
  });

  it('are shown to nobody with a wrong key', async () => {
    const seen = await inPage(async ({ connectEnds, figures }, pause) => {
      const ends = await connectEnds();
      ends.alice.install(1, 7);
      ends.bob.install(1, 8);
      await pause(3_000);
      const result = await figures(ends);
      ends.stop();
      return result;
    });
    expect(seen.packetsSent).toBeGreaterThan(50);
    expect(seen.framesDecoded).toBe(0);
    expect(seen.heard).toBe(0);
    expect(seen.bob.opened).toBe(0);
    expect(seen.bob.failures['forged']).toBeGreaterThan(10);
  });

  it('are not shown as those of somebody else', async () => {
    const seen = await inPage(async ({ connectEnds, figures }, pause) => {
      const ends = await connectEnds({ from: 'carol' });
      ends.alice.install(1, 7);
      ends.bob.install(1, 7);
      await pause(2_000);
      const result = await figures(ends);
      ends.stop();
      return result;
    });
    expect(seen.framesDecoded).toBe(0);
    expect(seen.bob.failures['wrong-sender']).toBeGreaterThan(10);
  });

  it('do not leave without a key, and do as soon as there is one', async () => {
    const seen = await inPage(async ({ connectEnds, figures }, pause) => {
      const ends = await connectEnds();
      ends.bob.install(1, 7);
      await pause(2_000);
      const before = await figures(ends);
      ends.alice.install(1, 7);
      await pause(1_500);
      const after = await figures(ends);
      ends.stop();
      return { before, after };
    });
    expect(seen.before.framesEncoded).toBeGreaterThan(10);
    expect(seen.before.framesReceived).toBe(0);
    expect(seen.before.alice.sealed).toBe(0);
    expect(seen.before.alice.failures['no-key']).toBeGreaterThan(50);
    expect(seen.before.heard).toBe(0);
    expect(seen.after.framesDecoded).toBeGreaterThan(10);
    expect(seen.after.heard).toBeGreaterThan(0);
  });

  it('go on through changes of the key, also when one side hears of it later', async () => {
    const seen = await inPage(async ({ connectEnds, figures }, pause) => {
      const ends = await connectEnds();
      ends.alice.install(1, 7);
      ends.bob.install(1, 7);
      await pause(1_500);
      const first = await figures(ends);
      ends.alice.install(2, 8);
      await pause(150);
      ends.bob.install(2, 8);
      await pause(3_000);
      const second = await figures(ends);
      ends.bob.install(3, 9);
      ends.alice.install(3, 9, 50);
      await pause(3_000);
      const third = await figures(ends);
      ends.stop();
      return { first, second, third };
    });
    expect(seen.first.framesDecoded).toBeGreaterThan(5);
    expect(seen.second.framesDecoded - seen.first.framesDecoded).toBeGreaterThan(30);
    expect(seen.third.framesDecoded - seen.second.framesDecoded).toBeGreaterThan(30);
    expect(lossesOf(seen.third.bob.failures)).toEqual({});
  });

  it('stop when the key is taken away, on either side', async () => {
    const seen = await inPage(async ({ connectEnds, figures }, pause) => {
      const ends = await connectEnds();
      ends.alice.install(1, 7);
      ends.bob.install(1, 7);
      await pause(1_500);
      ends.alice.forget();
      await pause(500);
      const stopped = await figures(ends);
      await pause(1_500);
      const later = await figures(ends);
      ends.stop();
      const others = await connectEnds();
      others.alice.install(1, 7);
      others.bob.install(1, 7);
      await pause(1_500);
      others.bob.forget();
      await pause(500);
      const deaf = await figures(others);
      await pause(1_500);
      const stillDeaf = await figures(others);
      others.stop();
      return { stopped, later, deaf, stillDeaf };
    });
    expect(seen.stopped.framesDecoded).toBeGreaterThan(5);
    expect(seen.later.alice.sealed).toBe(seen.stopped.alice.sealed);
    expect(seen.later.framesReceived).toBe(seen.stopped.framesReceived);
    expect(seen.deaf.framesDecoded).toBeGreaterThan(5);
    expect(seen.stillDeaf.bob.opened).toBe(seen.deaf.bob.opened);
    expect(seen.stillDeaf.framesDecoded).toBe(seen.deaf.framesDecoded);
    expect(seen.stillDeaf.packetsSent).toBeGreaterThan(seen.deaf.packetsSent);
  });
});
