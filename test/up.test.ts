/** The command as a person runs it: `veilcast up` in a process of its own, its links, its surfaces, and its end. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));
/** What Ctrl-C may take (DESIGN §11). */
const END_MS = 5_000;

type Running = ChildProcessByStdio<null, Readable, Readable>;
const running: Running[] = [];

afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL');
});

function veilcast(...args: string[]): { child: Running; output: () => string } {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return { child, output: () => text };
}

async function readyOf({ child, output }: ReturnType<typeof veilcast>): Promise<string> {
  while (!/^ready$/m.test(output())) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const origin = /(https?:\/\/[^/\s]+)\/operator/.exec(output())?.[1];
  if (!origin) throw new Error(`no link in: ${output()}`);
  return origin;
}

/** The processes below one, by /proc. */
async function childrenOf(pid: number): Promise<number[]> {
  const found: number[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid) found.push(Number(entry));
  }
  return found;
}

it('prints a link a region, answers on its surfaces, and leaves nothing behind', async () => {
  const up = veilcast('up', '--port', '0', '--regions', 'eu,us,ap');
  const origin = await readyOf(up);
  for (const region of ['eu', 'us', 'ap']) expect(up.output()).toContain(`${origin}/r/demo?region=${region}`);

  const get = (path: string) => fetch(origin + path);
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(200);
  expect(await (await get('/metrics')).text()).toMatch(/^veilcast_\w+/m);
  for (const path of ['/', '/r/demo', '/operator']) {
    const page = await get(path);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(await page.text()).toContain('<script');
  }
  const regions = (await (await get('/api/regions')).json()) as { region: string; probeUrl: string }[];
  expect(regions.map(({ region }) => region).sort()).toEqual(['ap', 'eu', 'us']);
  for (const { probeUrl } of regions) expect((await get(probeUrl)).status).toBe(204);
  expect((await get('/../package.json')).status).toBe(404);

  const token = veilcast('token', '--room', 'demo', '--name', 'ada', '--role', 'host', '--url', origin);
  expect(await once(token.child, 'close')).toEqual([0, null]);
  expect(token.output().trim().split('.')).toHaveLength(3);

  const workers = await childrenOf(up.child.pid ?? -1);
  expect(workers.length).toBeGreaterThanOrEqual(3);
  const began = Date.now();
  up.child.kill('SIGTERM');
  expect(await once(up.child, 'close')).toEqual([0, null]);
  expect(Date.now() - began).toBeLessThan(END_MS);
  for (const pid of workers) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

it.each([
  ['a port that is taken', ['up', '--port'], 'choose another with --port'],
  ['a region that is none', ['up', '--regions', 'EU!'], 'lower-case words'],
  ['a region named twice', ['up', '--regions', 'eu,eu'], 'named twice'],
  ['a cluster for other machines', ['up', '--cluster', '--lan'], 'this machine alone'],
  ['a token when nothing runs', ['token', '--room', 'demo', '--url', 'http://127.0.0.1:9'], 'veilcast up'],
  ['a room that is none', ['token', '--room', 'No Room'], 'lower-case letters'],
])('refuses %s with one sentence', async (_what, args, sentence) => {
  const all = [...args];
  if (all.at(-1) === '--port') {
    const first = veilcast('up', '--port', '0', '--regions', 'eu');
    all.push(new URL(await readyOf(first)).port);
  }
  const refused = veilcast(...all);
  const [code] = (await once(refused.child, 'close')) as [number];
  expect(code).toBe(1);
  expect(refused.output()).toContain(sentence);
  expect(refused.output()).not.toMatch(/\n\s+at /);
});
