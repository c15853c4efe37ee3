/** `veilcast hosts`: from an inventory to a folder a host, with all that its processes need. Run again it renews and adds. */
import { CERTIFICATE_DAYS, filesOf, initFolder, issueInto, readFolder, renewFolder } from '@veilcast/ca';
import type { ProcessKind } from '@veilcast/control';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { stringify } from 'smol-toml';
import { composeOf } from './compose.ts';
import type { Host, Inventory } from './inventory.ts';
import { openSecrets, type Secrets } from './secrets.ts';
import { FILES, hasTurn, processIdOf, serviceConfig } from './services.ts';
import { storeFiles } from './store.ts';

/** Of the authority and the secrets, beside the folders of the hosts. It is copied to no host. */
const KEPT = 'kept';

export interface LaidOutHosts {
  /** What clients pin. */
  readonly pin: string;
  /** Folders to copy, by the host's name. */
  readonly folders: ReadonlyMap<string, string>;
}

/**
 * @param out a folder for this user alone
 * @param place where a host will have its files, and where its Redis keeps its own
 */
export async function layOutHosts(
  inventory: Inventory,
  { out, now, place = () => ({ files: inventory.folder, data: '/data' }) }: LayOutOptions,
): Promise<LaidOutHosts> {
  const ca = join(out, KEPT, 'ca');
  await mkdir(join(out, KEPT), { recursive: true, mode: 0o700 });
  const known = await readFolder(ca).catch(() => undefined);
  if (known === undefined) await initFolder(ca, { cluster: inventory.cluster, now });
  else await renewFolder(ca, { now });
  const issued = new Set(known?.issued.map(({ identity }) => `${identity.kind} ${identity.processId}`));
  const secrets = await openSecrets(join(out, KEPT));
  const folders = new Map<string, string>();
  for (const host of inventory.hosts) {
    const folder = join(out, host.name);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { files, data } = place(host);
    for (const kind of host.runs) {
      if (kind === 'store') await putAll(folder, storeFiles(inventory, host, secrets.password, data));
      else {
        const processId = processIdOf(host, kind);
        if (!issued.has(`${kind} ${processId}`))
          await issueInto(ca, { kind, region: host.region, processId, days: CERTIFICATE_DAYS, now });
        for (const path of Object.values(filesOf(ca, { kind, processId })))
          await copyFile(path, join(folder, basename(path)));
        const config = serviceConfig(inventory, host, kind, files);
        await putAll(folder, {
          [`${kind}.toml`]: stringify(config),
          ...(await keysOf(kind, inventory, host, secrets, now)),
        });
      }
    }
    await putAll(folder, { 'compose.yaml': composeOf(inventory, host, files) });
    folders.set(host.name, folder);
  }
  return { pin: secrets.pin, folders };
}

export interface LayOutOptions {
  readonly out: string;
  /** ms since the Unix epoch */
  readonly now: number;
  readonly place?: (host: Host) => { readonly files: string; readonly data: string };
}

async function keysOf(
  kind: ProcessKind,
  inventory: Inventory,
  host: Host,
  secrets: Secrets,
  now: number,
): Promise<Record<string, string>> {
  const shared = { [FILES.password]: secrets.password };
  const turn = { [FILES.turn]: secrets.turn };
  if (kind === 'turn') return { ...shared, ...turn };
  if (kind !== 'signaling') return shared;
  return {
    ...shared,
    ...(hasTurn(inventory) ? turn : {}),
    [FILES.authorityKey]: secrets.authorityKey,
    [FILES.authorityRoot]: secrets.authorityRoot,
    [FILES.channel]: await secrets.channelKey(processIdOf(host, kind), now),
  };
}

async function putAll(folder: string, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text, { mode: 0o600 });
}
