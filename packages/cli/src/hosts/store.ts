/** The store as files: one Redis, or one a host with a sentinel each; the settings of docs/operations.md. */
import type { Host, Inventory } from './inventory.ts';
import { PORTS } from './ports.ts';

/** What the sentinels call the master. */
const MASTER = 'veilcast';

export function storesOf({ hosts }: Inventory): readonly Host[] {
  return hosts.filter(({ runs }) => runs.includes('store'));
}

/** The section `store` of every process. */
export function storeConfig(inventory: Inventory, passwordFile: string): object {
  const stores = storesOf(inventory);
  const [first] = stores;
  if (stores.length === 1) return { kind: 'redis', addresses: [at(first, PORTS.redis)], passwordFile };
  const addresses = stores.map((host) => at(host, PORTS.sentinel));
  return { kind: 'sentinel', addresses, master: MASTER, passwordFile, sentinelPasswordFile: passwordFile };
}

/** Files of a host that runs the store, by name. */
export function storeFiles(inventory: Inventory, host: Host, password: string, dir: string): Record<string, string> {
  const stores = storesOf(inventory);
  const [first] = stores;
  const many = stores.length > 1;
  const redis = {
    bind: host.address,
    port: PORTS.redis,
    dir,
    requirepass: password,
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '""',
    maxmemory: '256mb',
    'maxmemory-policy': 'noeviction',
    ...(many ? { masterauth: password, 'min-replicas-to-write': 1, 'min-replicas-max-lag': 10 } : {}),
    // A host with several addresses would be known by the wrong one.
    ...(many ? { 'replica-announce-ip': host.address } : {}),
    ...(many && first && first !== host ? { replicaof: `${first.address} ${PORTS.redis}` } : {}),
  };
  if (!many) return { 'redis.conf': linesOf(redis) };
  const master = `${MASTER} ${first?.address} ${PORTS.redis} ${Math.floor(stores.length / 2) + 1}`;
  const sentinel = [
    `bind ${host.address}`,
    `port ${PORTS.sentinel}`,
    `sentinel announce-ip ${host.address}`,
    `dir ${dir}`,
    `requirepass ${password}`,
    `sentinel sentinel-pass ${password}`,
    `sentinel monitor ${master}`,
    `sentinel auth-pass ${MASTER} ${password}`,
    `sentinel down-after-milliseconds ${MASTER} 2000`,
    `sentinel failover-timeout ${MASTER} 10000`,
  ];
  return { 'redis.conf': linesOf(redis), 'sentinel.conf': `${sentinel.join('\n')}\n` };
}

function at(host: Host | undefined, port: number): string {
  const address = host?.address ?? '';
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function linesOf(settings: Record<string, string | number>): string {
  return Object.entries(settings)
    .map(([key, value]) => `${key} ${value}\n`)
    .join('');
}
