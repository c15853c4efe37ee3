/** The command `veilcast hosts`. */
import { ClusterError } from '@veilcast/protocol';
import { Command } from 'commander';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { parseInventory, type Inventory } from './inventory.ts';
import { layOutHosts } from './lay-out.ts';

export function hostsCommand(): Command {
  return new Command('hosts')
    .description('configuration, certificates and secrets for the hosts of a cluster; run it again to renew or to add')
    .argument('<inventory>', 'the hosts, as in infra/three-hosts.toml')
    .argument('<folder>', 'for this user alone; gets a folder a host, and one that is kept')
    .action(async (path: string, out: string) => {
      const { pin, folders } = await layOutHosts(await read(path), { out, now: Date.now() });
      for (const [name, folder] of folders) process.stdout.write(`${name}  ${folder}\n`);
      process.stdout.write(`pin   ${pin}\n`);
      process.stdout.write('Manifests live for seven days: run this again and copy before they end.\n');
    });
}

async function read(path: string): Promise<Inventory> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ClusterError('NOT_FOUND', `There is no ${path}.`, { cause });
  });
  try {
    return parseInventory(text);
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : cause instanceof Error ? cause.message : '';
    throw new ClusterError('MALFORMED', `${path} cannot be used:\n${why}`, { cause });
  }
}
