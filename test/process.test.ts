/** A service as a process of its own, with certificates that `veilcast ca` made: what it answers, and what it refuses to start with. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

type Running = ChildProcessByStdio<null, Readable, Readable>;
const running: Running[] = [];
let folder = '';

function start(main: string, ...args: string[]) {
  const path = fileURLToPath(new URL(`../${main}`, import.meta.url));
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return { child, output: () => text };
}

async function ended(main: string, ...args: string[]): Promise<{ code: number; output: string }> {
  const { child, output } = start(main, ...args);
  const [code] = (await once(child, 'close')) as [number];
  return { code, output: output() };
}

const ca = (...args: string[]) => ended('packages/cli/src/main.ts', 'ca', ...args);
const cascade = (...args: string[]) => start('cascade-router/src/main.ts', ...args);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let certificate = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veilcast-process-'));
  const at = join(folder, 'ca');
  expect(await ca('init', at, '--cluster', 'test')).toMatchObject({ code: 0 });
  const issued = await ca('issue', at, '--kind', 'cascade-router', '--region', 'eu', '--id', 'c1');
  expect(issued.code).toBe(0);
  // What it prints is what the configuration file needs.
  certificate = issued.output;
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

async function configured(text: string): Promise<string> {
  const file = join(folder, `${Math.random()}.toml`);
  await writeFile(file, `[control]\n${certificate}\n${text}`);
  return file;
}

it('veilcast ca shows what it made, and overwrites nothing', async () => {
  const at = join(folder, 'ca');
  const shown = await ca('show', at);
  expect(shown.output).toMatch(
    /cluster test\n {2}authority {2}\w+ {2}36\d\.\d days left\n {2}cascade-router eu c1 {2}\w+ {2}[67]\.\d days left/,
  );
  const again = await ca('init', at);
  expect(again).toMatchObject({ code: 1 });
  expect(again.output).toContain('--force');
});

it('answers on its probes, lets nobody in without a certificate, and ends when asked', async () => {
  const [control, probes] = [await freePort(), await freePort()];
  const file = await configured(
    `[cascade]\nprocessId = "c1"\naddress = "127.0.0.1:${control}"\n[probes]\nport = ${probes}\n`,
  );
  const { child, output } = cascade('--config', file);
  const get = (path: string) => fetch(`http://127.0.0.1:${probes}${path}`);
  await expect
    .poll(
      () =>
        get('/healthz').then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 30_000 },
    )
    .toBe(200);
  // No node, no call.
  expect((await get('/readyz')).status).toBe(503);
  expect((await get('/probe')).status).toBe(204);
  expect((await get('/')).status).toBe(404);
  await expect.poll(output).toContain('"started"');
  const stranger = connect({ port: control, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  const [refused] = (await once(stranger, 'error')) as [NodeJS.ErrnoException];
  expect(refused.code).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  const metrics = await (await get('/metrics')).text();
  expect(metrics).toContain('veilcast_control_refused_total{why="tls",service="cascade-router"} 1');
  expect(metrics).toMatch(/veilcast_control_certificate_expires_seconds\{service="cascade-router"\} 1\d{9}/);
  expect(metrics).not.toContain('127.0.0.1');
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
});

it.each([
  [
    'the certificate of another process',
    '[cascade]\nprocessId = "c2"\naddress = "127.0.0.1:1"\n',
    'cascade-router/eu/c1, and this process is',
  ],
  [
    'a key that it does not know',
    '[cascade]\nprocessId = "c1"\naddres = "127.0.0.1:1"\n',
    'did you mean cascade.address?',
  ],
  ['a section that it does not know', '[plan]\n', 'plan: unknown key'],
])('refuses to start with %s, in one sentence', async (_what, text, sentence) => {
  const { child, output } = cascade('--config', await configured(text));
  expect(await once(child, 'close')).toEqual([1, null]);
  expect(output()).toContain(sentence);
  expect(output()).not.toMatch(/\n\s+at /);
});

it('refuses to start without certificates', async () => {
  const { code, output } = await ended('sfu-node/src/main.ts');
  expect(code).toBe(1);
  expect(output).toMatch(/control: .*\n?/);
});
