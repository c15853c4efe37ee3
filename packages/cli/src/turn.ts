/** The TURN servers of `up`: one a region, on loopback or the address of `--lan`, where coturn is installed. */
import { startTurn, type TurnConfigInput, type TurnServer } from '@veilcast/turn';
import { freePorts, type ServiceContext } from '@veilcast/node-kit';
import type { RegionId } from '@veilcast/protocol';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { selfSigned } from './lan.ts';
import { seed } from './secret-files.ts';

export interface TurnServersOptions {
  readonly context: ServiceContext;
  readonly regions: readonly RegionId[];
  /** Of `--lan`. */
  readonly address: string | undefined;
}

export interface TurnServersOfUp {
  /** Shared with signaling. */
  readonly secretFile: string;
  readonly servers: readonly TurnServer[];
  close(): Promise<void>;
}

/** What the TURN servers of one machine share, as files. */
export interface TurnFiles {
  /** Signaling's too. */
  readonly secretFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Writes them; undefined where there is no coturn. */
export async function writeTurnFiles(folder: string, address: string): Promise<TurnFiles | undefined> {
  if (!(await isInstalled('turnserver'))) return undefined;
  const file = (name: string): string => join(folder, name);
  const { cert, key } = await selfSigned(address);
  const files = { secretFile: file('turn.secrets'), certFile: file('turn-cert.pem'), keyFile: file('turn-key.pem') };
  await writeFile(files.secretFile, `${seed()}\n`, { mode: 0o600 });
  await writeFile(files.certFile, cert);
  await writeFile(files.keyFile, key, { mode: 0o600 });
  return files;
}

/** Of the server of a region: on this address, relaying to the media there and to nothing else of this machine. */
export function turnConfig(
  { secretFile, certFile, keyFile }: TurnFiles,
  region: RegionId,
  address: string,
  [plain = 0, tls = 0]: readonly number[],
): TurnConfigInput {
  return {
    turnId: `turn-${region}`,
    region,
    listen: [address],
    ports: { plain, tls },
    tls: { certFile, keyFile },
    secretFile,
    peers: { media: [address] },
  };
}

/** Undefined where there is no coturn: calls go on without it, where the network lets them. */
export async function startTurnServers(options: TurnServersOptions): Promise<TurnServersOfUp | undefined> {
  const { context, regions, address = '127.0.0.1' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-up-'));
  const servers: TurnServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const files = await writeTurnFiles(folder, address);
    const ports = await freePorts(2 * regions.length);
    const starting = regions.map(async (region, at) => {
      if (files === undefined) return;
      const config = turnConfig(files, region, address, ports.slice(2 * at, 2 * at + 2));
      servers.push(await startTurn({ context, config }));
    });
    // All of them, or one that is on its way would be left behind.
    const failed = (await Promise.allSettled(starting)).find((one) => one.status === 'rejected');
    if (failed) throw failed.reason;
    if (files) return { secretFile: files.secretFile, servers, close };
    await close();
    return undefined;
  } catch (error) {
    await close();
    throw error;
  }
}

async function isInstalled(program: string): Promise<boolean> {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders.map((folder) =>
    access(join(folder, program)).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(found)).includes(true);
}
