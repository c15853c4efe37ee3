/**
 * A cluster over emulated regions: what `veilcast hosts` lays out for real hosts, started as it is written, each host a network
 * namespace and each pair of regions as far apart as in life. For tests that break it and for load runs.
 */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Inventory, layOutHosts, PORTS, selfSigned } from '@veilcast/cli';
import { openLab, type Host, type Impairment, type Lab } from '@veilcast/testkit/lab';
import { Program } from './program.ts';
import { oneWayMs, setApart } from './world.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Nine processes on two busy cores need some 15 s. */
const READY_MS = 120_000;
const LOOK_EVERY_MS = 200;
const PLAIN: Web = { port: 7_800, https: false };

type Runs = Inventory['hosts'][number]['runs'];

/** How its pages are reached; plain HTTP on a port of their own if not given. */
export interface Web {
  readonly port: number;
  /** With a certificate that nobody trusts: browsers must be told to. */
  readonly https: boolean;
}

export interface HostOrder {
  readonly name: string;
  /** As in region-rtt.csv. */
  readonly region: string;
  readonly runs: Runs;
}

/** A Redis apart, two signaling and two cascade-routers in the first two regions, a node in each region. */
export function hostsOf(regions: readonly string[]): HostOrder[] {
  const [first = ''] = regions;
  return [
    { name: 'store', region: first, runs: ['store'] },
    ...regions.map((region, at) => ({
      name: region,
      region,
      runs: [...(at < 2 ? (['signaling', 'cascade-router'] as const) : []), 'sfu-node' as const],
    })),
  ];
}

export interface RegionCluster {
  readonly lab: Lab;
  readonly hosts: ReadonlyMap<string, Host>;
  /** By kind and host: `sfu-node us-east-1`, `signaling eu-central-1`, `store store`. */
  readonly programs: ReadonlyMap<string, Program>;
  /** Where signaling is, by its host. Pages there may use the camera in browsers of `browserFlags`. */
  readonly origins: ReadonlyMap<string, string>;
  readonly browserFlags: readonly string[];
  /** What is between two regions besides their distance; both ways, or one. */
  impair(from: string, to: string, impairment: Impairment, oneWay?: boolean): Promise<void>;
  close(): Promise<void>;
}

/** Starts it, signaling with these variables too, and resolves when a call can be made. @throws Error with what a process said that does not come up */
export async function startRegions(
  orders: readonly HostOrder[],
  web: Web = PLAIN,
  signaling: Readonly<Record<string, string>> = {},
): Promise<RegionCluster> {
  const lab = await openLab();
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-regions-'));
  // Redis runs as whoever the lab does, and that is root.
  await chmod(folder, 0o700);
  const programs = new Map<string, Program>();
  const close = async (): Promise<void> => {
    await Promise.all(Array.from(programs.values(), (program) => program.end()));
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const hosts = new Map<string, Host>();
    for (const { name, region } of orders) hosts.set(name, await lab.host(name, lab.region(region)));
    const regions = [...new Set(orders.map(({ region }) => region))];
    await setApart(lab, regions);
    const origins = new Map(
      orders
        .filter(({ runs }) => runs.includes('signaling'))
        .map(({ name }) => [name, originOf(web, hosts.get(name)?.address.v4 ?? '')]),
    );
    const inventory = inventoryOf(orders, hosts, origins, { web, certificate: await certificateIn(folder) });
    const place = ({ name }: { name: string }) => ({ files: join(folder, name), data: join(folder, name, 'data') });
    await layOutHosts(inventory, { out: folder, now: Date.now(), place });
    for (const spec of inventory.hosts)
      for (const kind of spec.runs) {
        const host = hosts.get(spec.name);
        if (host === undefined) continue;
        await mkdir(join(folder, spec.name, 'data'), { recursive: true });
        const env = kind === 'signaling' ? { ...DEVELOPMENT, ...signaling } : {};
        const id = `${kind} ${spec.name}`;
        const probes = kind === 'store' ? undefined : PORTS.probes[kind];
        programs.set(
          id,
          new Program({ name: id, host, probes, cwd: ROOT, env, ...commandOf(kind, join(folder, spec.name)) }),
        );
      }
    for (const program of programs.values()) program.start();
    for (const program of programs.values()) await program.untilReady(READY_MS, LOOK_EVERY_MS);
    return {
      lab,
      hosts,
      programs,
      origins,
      browserFlags: [
        `--unsafely-treat-insecure-origin-as-secure=${[...origins.values()].join(',')}`,
        '--ignore-certificate-errors',
      ],
      async impair(from, to, impairment, oneWay = false) {
        const { delayMs = 0 } = impairment;
        const ways = oneWay ? [[from, to] as const] : [[from, to] as const, [to, from] as const];
        for (const [one, other] of ways) {
          const link = await lab.link(lab.region(one), lab.region(other));
          await link.set({ ...impairment, delayMs: delayMs + oneWayMs(one, other) });
        }
      },
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Whoever asks gets a token, and may choose a region. */
const DEVELOPMENT = {
  VEILCAST_SIGNALING_POLICY_DEVELOPMENT: 'true',
  VEILCAST_SIGNALING_POLICY_FIRST_IS_HOST: 'true',
};

function originOf({ port, https }: Web, address: string): string {
  return new URL(`${https ? 'https' : 'http'}://${address}:${port}`).origin;
}

/** One for all hosts, whatever their address. */
async function certificateIn(folder: string): Promise<{ certFile: string; keyFile: string }> {
  const { cert, key } = await selfSigned('127.0.0.1');
  const files = { certFile: join(folder, 'web.pem'), keyFile: join(folder, 'web.key') };
  await writeFile(files.certFile, cert);
  await writeFile(files.keyFile, key, { mode: 0o600 });
  return files;
}

function inventoryOf(
  orders: readonly HostOrder[],
  hosts: ReadonlyMap<string, Host>,
  origins: ReadonlyMap<string, string>,
  { web, certificate }: { web: Web; certificate: { certFile: string; keyFile: string } },
): Inventory {
  return Inventory.parse({
    cluster: 'regions',
    web: { port: web.port, proxyHops: 0, ...(web.https ? certificate : {}) },
    turn: certificate,
    hosts: orders.map(({ name, region, runs }) => ({
      name,
      region,
      runs,
      address: hosts.get(name)?.address.v4,
      ipv6: hosts.get(name)?.address.v6,
      ...(origins.has(name) ? { origin: origins.get(name) } : {}),
    })),
  });
}

function commandOf(kind: Runs[number], folder: string): { readonly command: string; readonly args: readonly string[] } {
  if (kind === 'store') return { command: 'redis-server', args: [join(folder, 'redis.conf')] };
  return { command: process.execPath, args: [`${kind}/src/main.ts`, '--config', join(folder, `${kind}.toml`)] };
}
