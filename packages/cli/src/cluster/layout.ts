/** What `up --cluster` consists of, as configuration files: a Redis, two signaling, two cascade-routers, two nodes a region. */
import { filesOf, initFolder, issueInto } from '@veilcast/ca';
import type { ProcessKind } from '@veilcast/control';
import { freePorts, WITH_ITS_PARENT } from '@veilcast/node-kit';
import type { PeerToPeer, RegionId } from '@veilcast/protocol';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'smol-toml';
import { kept, seed, signingKey } from '../secret-files.ts';
import type { ApiKey } from '../token.ts';
import { turnConfig, writeTurnFiles, type TurnFiles } from '../turn.ts';

export interface LayoutOptions {
  /** An empty folder for this user alone. */
  readonly folder: string;
  readonly regions: readonly RegionId[];
  /** Of the first signaling process; the second takes the next one. 0: any free ones. */
  readonly port: number;
  readonly logLevel: string;
  /** Whether calls between two may go directly. */
  readonly peerToPeer: PeerToPeer;
  /** Of a backend that issues join tokens itself. */
  readonly apiKey?: ApiKey | undefined;
  /** Of the load test that may come. */
  readonly loadToken?: string | undefined;
}

export interface LaidOut {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Where its /readyz is; Redis has none. */
  readonly probes: number | undefined;
}

export interface Layout {
  /** In the order in which they are started. */
  readonly processes: readonly LaidOut[];
  /** Of the signaling processes. */
  readonly webPorts: readonly [number, number];
}

const NODES_A_REGION = 2;
const CLUSTER = 'local';

function mainOf(service: string): string {
  return fileURLToPath(new URL(`../../../../${service}/src/main.ts`, import.meta.url));
}

/** Writes certificates, secrets and configuration. */
export async function layOut(options: LayoutOptions): Promise<Layout> {
  const { folder, regions, port, logLevel } = options;
  const [home] = regions as readonly [RegionId, ...RegionId[]];
  const turn = await writeTurnFiles(folder, '127.0.0.1');
  const members = membersOf(regions, home, turn !== undefined);
  const [redisPort = 0, web1 = 0, web2 = 0, ...ports] = await freePorts(3 + 4 * members.length);
  const webPorts = port === 0 ? ([web1, web2] as const) : ([port, port + 1] as const);
  const ca = join(folder, 'ca');
  const now = Date.now();
  await initFolder(ca, { cluster: CLUSTER, days: 30, now });
  const redis = await redisOf(folder, redisPort);
  const shared = { ca, logLevel, store: redis.store, authority: await authorityOf(folder) };
  const processes: LaidOut[] = [redis.process];
  for (const [at, member] of members.entries()) {
    const [control = 0, probes = 0, ...more] = ports.slice(4 * at, 4 * at + 4);
    await issueInto(ca, { kind: member.kind, region: member.region, processId: member.processId, now });
    const config = {
      ...commonOf(shared, member, probes),
      ...(turn && member.kind === 'turn'
        ? { turn: turnConfig(turn, member.region, '127.0.0.1', more) }
        : serviceOf(
            member,
            `127.0.0.1:${control}`,
            { ...shared.authority, turn, ...toldOf(options) },
            webPorts,
            regions,
          )),
    };
    const file = join(folder, `${member.processId}.toml`);
    await writeFile(file, stringify(config), { mode: 0o600 });
    processes.push({
      name: member.processId,
      command: process.execPath,
      args: [mainOf(member.kind), '--config', file],
      probes,
    });
  }
  return { processes, webPorts };
}

interface Member {
  readonly kind: ProcessKind;
  readonly region: RegionId;
  readonly processId: string;
}

/** Nodes first: the others wait for them. */
function membersOf(regions: readonly RegionId[], home: RegionId, hasTurn: boolean): Member[] {
  const nodes = regions.flatMap((region) =>
    Array.from({ length: NODES_A_REGION }, (_, at) => ({
      kind: 'sfu-node' as const,
      region,
      processId: `${region}-${at + 1}`,
    })),
  );
  const others = (['cascade-router', 'signaling'] as const).flatMap((kind) =>
    [1, 2].map((at) => ({ kind, region: home, processId: `${kind}-${at}` })),
  );
  const turns = regions.map((region) => ({ kind: 'turn' as const, region, processId: `turn-${region}` }));
  return [...nodes, ...(hasTurn ? turns : []), ...others];
}

function commonOf(shared: { ca: string; logLevel: string; store: object }, member: Member, probes: number) {
  return {
    control: filesOf(shared.ca, member),
    store: shared.store,
    probes: { port: probes },
    log: { level: shared.logLevel },
  };
}

/** What only signaling is told. */
type Signalled = AuthorityFiles & Told & { readonly turn: TurnFiles | undefined };

interface Told {
  readonly peerToPeer: PeerToPeer;
  readonly apiKeys: readonly ApiKey[];
  readonly loadToken?: string;
}

function toldOf({ peerToPeer, apiKey, loadToken }: LayoutOptions): Told {
  return { peerToPeer, apiKeys: apiKey ? [apiKey] : [], ...(loadToken === undefined ? {} : { loadToken }) };
}

function serviceOf(
  { kind, processId, region }: Member,
  address: string,
  { turn, peerToPeer, ...authority }: Signalled,
  webPorts: readonly [number, number],
  regions: readonly RegionId[],
): object {
  const own = processId.endsWith('1') ? 0 : 1;
  const origins = webPorts.map((port) => `http://localhost:${port}`);
  switch (kind) {
    case 'sfu-node':
      return { node: { nodeId: processId, region, address, probeUrl: `/probe/${region}`, media: { ip: '127.0.0.1' } } };
    case 'cascade-router':
      return { cascade: { processId, address } };
    default:
      return {
        signaling: {
          processId,
          address,
          ...authority,
          ...(turn && { turn: { secretFile: turn.secretFile } }),
          publicUrl: origins[own],
          policy: { development: true, firstIsHost: true, peerToPeer, origins },
        },
        web: { port: webPorts[own], probes: [...regions], connect: origins },
      };
  }
}

/** A Redis of this machine alone, with a password that only this user can read, and nothing written down. */
async function redisOf(folder: string, port: number) {
  const dir = join(folder, 'redis');
  await mkdir(dir, { mode: 0o700 });
  const password = randomBytes(24).toString('base64url');
  const passwordFile = join(dir, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  const conf = join(dir, 'redis.conf');
  const settings = {
    bind: '127.0.0.1',
    port,
    dir,
    requirepass: password,
    save: '""',
    appendonly: 'no',
    'maxmemory-policy': 'noeviction',
    loglevel: 'warning',
    logfile: join(dir, 'log'),
  };
  await writeFile(
    conf,
    Object.entries(settings)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(''),
    { mode: 0o600 },
  );
  return {
    process: { name: 'redis', command: 'sh', args: ['-c', WITH_ITS_PARENT, 'redis-server', conf], probes: undefined },
    store: { kind: 'redis', addresses: [`127.0.0.1:${port}`], passwordFile },
  };
}

interface AuthorityFiles {
  readonly authorityKeyFile: string;
  readonly authorityRootFile: string;
  readonly channelRootFile: string;
}

/** The same for both signaling processes: what one gives out the other takes. */
async function authorityOf(folder: string): Promise<AuthorityFiles> {
  const path = (name: string): string => join(folder, name);
  const [authorityKeyFile, authorityRootFile] = [path('authority.jwk'), path('authority.root')];
  const channelRootFile = path('channel.root');
  await kept(authorityKeyFile, signingKey);
  for (const file of [authorityRootFile, channelRootFile]) await kept(file, seed);
  return { authorityKeyFile, authorityRootFile, channelRootFile };
}
