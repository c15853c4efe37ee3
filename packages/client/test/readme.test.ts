/** The ten lines of the README, word for word, in two browsers against a whole cluster of two regions. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openCluster, type ClusterLab } from './cluster.ts';

const SEEN = '[...document.querySelectorAll("video")].some((video) => video.videoWidth > 0)';
const HEARD = '[...document.querySelectorAll("audio")].some((audio) => audio.currentTime > 0)';

let lab: ClusterLab;

beforeAll(async () => {
  lab = await openCluster(await example());
});

afterAll(async () => {
  await lab?.close();
});

/** The first block of JavaScript, with what surrounds it in an application: where the cluster is, and a token. */
async function example(): Promise<string> {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const block = /```js\n([\s\S]*?)```/.exec(readme)?.[1];
  if (!block) throw new Error('the README has no example');
  return `const { url, token } = globalThis.example;\n${block}\nglobalThis.call = call;`;
}

it('makes a call: each sees and hears the other, encrypted', async () => {
  const pages = [await lab.open('readme'), await lab.open('readme')];
  for (const page of pages) {
    await page.waitForFunction(SEEN, undefined, { timeout: 60_000 });
    await page.waitForFunction(HEARD);
    const report = await page.evaluate<{ e2ee: { state: string; framesOpened: number } }>('call.report()');
    expect(report.e2ee.state).toBe('encrypted');
    expect(report.e2ee.framesOpened).toBeGreaterThan(0);
  }
});
