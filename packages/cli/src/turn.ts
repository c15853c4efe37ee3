/** The TURN servers of `up`: one a region, on loopback or the address of `--lan`, where coturn is installed. */
import { startTurn, type TurnServer } from '@veilcast/turn';
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

/** Undefined where there is no coturn: calls go on without it, where the network lets them. */
export async function startTurnServers(options: TurnServersOptions): Promise<TurnServersOfUp | undefined> {
  if (!(await isInstalled('turnserver'))) return undefined;
  const { context, regions, address = '127.0.0.1' } = options;
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-up-'));
  const file = (name: string): string => join(folder, name);
  const servers: TurnServer[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { cert, key } = await selfSigned(address);
    await writeFile(file('secrets'), `${seed()}\n`, { mode: 0o600 });
    await writeFile(file('cert.pem'), cert);
    await writeFile(file('key.pem'), key, { mode: 0o600 });
    const ports = await freePorts(2 * regions.length);
    const starting = regions.map((region, at) =>
      startTurn({
        context,
        config: {
          turnId: `turn-${region}`,
          region,
          listen: [address],
          ports: { plain: ports[2 * at] ?? 0, tls: ports[2 * at + 1] ?? 0 },
          tls: { certFile: file('cert.pem'), keyFile: file('key.pem') },
          secretFile: file('secrets'),
          // All media of this cluster is on this machine; browsers beside it announce the same address.
          peers: { media: [address] },
        },
      }).then((server) => servers.push(server)),
    );
    await Promise.all(starting);
    return { secretFile: file('secrets'), servers, close };
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
