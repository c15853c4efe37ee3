/**
 * `veilcast load` itself, as somebody types it: a whole run of two generators, and one that is interrupted. With the k6 that a load run has
 * built; building one takes minutes, which the test run does not spend.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const isPossible = await access(process.env.K6_BINARY ?? '').then(
  () => true,
  () => false,
);
if (!isPossible) console.log('no load run: k6 is not built for these sources; ./veilcast load join-storm builds it');
const isLong = process.env.VEILCAST_LONG === '1';
if (!isLong) console.log('several generators run only by npm run test:long');

/** Longer: "at once" would be no word for it. A cluster takes some of it to end. */
const AT_ONCE_MS = 20_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veilcast-load-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Report {
  readonly verdict: { readonly outcome: string; readonly why: readonly string[]; readonly left: readonly string[] };
  readonly figures: Readonly<Record<string, { readonly values: Readonly<Record<string, number>> }>>;
}

function load(...args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, 'load', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let words = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (words += text));
  return { child, ended: once(child, 'close') as Promise<[number | null]>, words: () => words };
}

async function reportIn(out: string): Promise<Report> {
  await access(join(out, 'report.html'));
  return JSON.parse(await readFile(join(out, 'report.json'), 'utf8')) as Report;
}

test.runIf(isPossible && isLong)(
  'two generators share the people, and theirs is one report, made again from what they left',
  async () => {
    const out = join(folder, 'storm');
    const run = load('join-storm', '--size', 'tiny', '--generators', '2', '--out', out);
    const [code] = await run.ended;
    const { verdict, figures } = await reportIn(out);
    expect(verdict, run.words()).toMatchObject({ left: [] });
    // A busy machine may make it void; whoever came is counted all the same.
    expect(code).toBe({ held: 0, missed: 1, void: 2 }[verdict.outcome]);
    expect(figures.veilcast_joins?.values).toEqual({ count: 12 });

    const again = join(folder, 'again');
    await load('--merge', join(out, 'generator-1'), join(out, 'generator-2'), '--out', again).ended;
    expect((await reportIn(again)).figures).toEqual(figures);
  },
);

test.runIf(isPossible)('Ctrl-C ends a run at once, everybody leaves, and it still reports', async () => {
  const out = join(folder, 'soak');
  const run = load('soak', '--out', out);
  // Half an hour of it, and somebody is there.
  const samples = (): Promise<string> => readFile(join(out, 'samples.jsonl'), 'utf8').catch(() => '');
  await expect.poll(samples, { timeout: 60_000, interval: 200 }).toContain('"veilcast_joins"');
  const began = performance.now();
  run.child.kill('SIGINT');
  const [code] = await run.ended;
  expect(performance.now() - began, run.words()).toBeLessThan(AT_ONCE_MS);
  const { verdict, figures } = await reportIn(out);
  expect(verdict).toMatchObject({
    outcome: 'void',
    why: expect.arrayContaining([expect.stringMatching(/interrupted/)]),
  });
  expect(figures.veilcast_joins?.values.count).toBeGreaterThan(0);
  expect(code).toBe(2);
});
