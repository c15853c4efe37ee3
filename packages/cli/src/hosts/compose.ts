/** A compose file for one host: the processes that it runs, on the network of the host, since media wants no proxy between. */
import type { ProcessKind } from '@veilcast/control';
import { stringify } from 'yaml';
import type { Host, Inventory } from './inventory.ts';
import { PORTS } from './ports.ts';
import { storesOf } from './store.ts';

/** Ends a process well: a node takes leave of its people. */
const STOP_SECONDS = 30;
const REDIS_IMAGE = 'redis:7.0.15';

export function composeOf(inventory: Inventory, host: Host, folder: string): string {
  const volumes = [`${folder}:${folder}:ro`];
  const common = { network_mode: 'host', restart: 'unless-stopped' };
  const services: Record<string, object> = {};
  const kinds = host.runs.filter((kind) => kind !== 'store');
  if (kinds.length < host.runs.length) {
    const redis = { ...common, image: REDIS_IMAGE, user: 'root' };
    services['redis'] = {
      ...redis,
      volumes: [...volumes, 'redis:/data'],
      command: ['redis-server', `${folder}/redis.conf`],
    };
    if (storesOf(inventory).length > 1) {
      // A sentinel writes what it learns into its file.
      const start = `[ -f /data/sentinel.conf ] || cp ${folder}/sentinel.conf /data/; exec redis-sentinel /data/sentinel.conf`;
      services['sentinel'] = { ...redis, volumes: [...volumes, 'sentinel:/data'], command: ['sh', '-c', start] };
    }
  }
  for (const kind of kinds) services[kind] = { ...common, ...serviceOf(inventory.image, kind, folder), volumes };
  const named = Object.keys(services).filter((name) => name === 'redis' || name === 'sentinel');
  const kept = named.length > 0 ? { volumes: Object.fromEntries(named.map((name) => [name, {}])) } : {};
  return stringify({ name: 'veilcast', services, ...kept }, { aliasDuplicateObjects: false });
}

function serviceOf(image: string, kind: ProcessKind, folder: string): object {
  const probe = `fetch("http://127.0.0.1:${PORTS.probes[kind]}/healthz").then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;
  return {
    image,
    command: [`${kind}/src/main.ts`, '--config', `${folder}/${kind}.toml`],
    stop_grace_period: `${STOP_SECONDS}s`,
    read_only: true,
    tmpfs: ['/tmp'],
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    ulimits: { nofile: 65_536 },
    healthcheck: { test: ['CMD', 'node', '-e', probe], interval: '5s', timeout: '3s', retries: 3, start_period: '15s' },
  };
}
