/**
 * A service process that crashes with a call in it: neither what it prints nor the diagnostic report that Node writes of it holds
 * a key, a token, an identity, the Room or an address, but for the report's list of open sockets.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from './support/browser.ts';
import { Member } from './support/member.ts';
import { foundIn, memberSecrets, type Secrets } from './support/secrets.ts';

const MAIN = fileURLToPath(new URL('../packages/cli/src/main.ts', import.meta.url));
const ROOM = 'marmalade-sky-9';
/** On a signal, a report and an exception that nobody takes: an operator may have Node write the one at the other. */
const CRASH = `
process.on('SIGUSR2', () => {
  process.report.writeReport('crash.json');
  setImmediate(() => { throw new TypeError('crashed'); });
});
`;

let folder = '';
let printed = '';
let report = '';
let code: number | null = null;
let secrets: Secrets = new Map();
let kill = (): void => undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veilcast-crash-'));
  const preload = join(folder, 'crash.mjs');
  await writeFile(preload, CRASH);
  const args = ['--import', pathToFileURL(preload).href, MAIN, 'up', '--port', '0', '--regions', 'eu'];
  const env = { ...process.env, VEILCAST_TEST_SECRET: 'a secret of the environment' };
  const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  kill = () => void child.kill('SIGKILL');
  const closed = once(child, 'close');
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk));
  }
  await eventually(
    'the cluster',
    async () => /^ready$/m.test(printed),
    (ready) => ready,
    60_000,
  );
  const origin = /(https?:\/\/[^/\s]+)\/operator/.exec(printed)?.[1] ?? '';
  const member = await Member.enter(origin, ROOM, 'host');
  await eventually(
    'its keys',
    async () => member.keys.length,
    (count) => count > 0,
  );
  secrets = memberSecrets(member).set('the Room', ROOM).set('the environment', 'a secret of the environment');
  child.kill('SIGUSR2');
  [code] = (await closed) as [number | null];
  type Report = { readonly header: object; readonly libuv: unknown };
  const { header, libuv, ...rest } = JSON.parse(await readFile(join(folder, 'crash.json'), 'utf8')) as Report;
  expect(libuv).toBeDefined();
  // Versions have up to four numbers, as addresses have. Open sockets cannot be kept out of a report (docs/logging.md).
  report = JSON.stringify({ header: { ...header, componentVersions: undefined }, ...rest });
});

afterAll(async () => {
  kill();
  await rm(folder, { recursive: true, force: true });
});

it('it crashed, and said so', () => {
  expect(code).toBe(1);
  expect(printed).toContain('TypeError: crashed');
  expect(JSON.parse(report)).toMatchObject({ header: { trigger: 'API' } });
});

it('nothing that it printed holds a secret', () => {
  for (const line of printed.split('\n')) expect(foundIn(line, secrets), line).toEqual([]);
});

it('its report holds none, and would be searched rightly', () => {
  expect(foundIn(report, secrets)).toEqual([]);
  for (const [what, secret] of secrets) expect(foundIn(`${report}${secret}`, secrets)).toContain(what);
});
