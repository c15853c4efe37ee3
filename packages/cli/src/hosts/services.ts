/** Configuration of the processes of a host, as values of their schemas. */
import { filesOf } from '@veilcast/ca';
import type { ProcessKind } from '@veilcast/control';
import { isIP } from 'node:net';
import { basename, posix } from 'node:path';
import type { Host, Inventory } from './inventory.ts';
import { PORTS } from './ports.ts';
import { storeConfig } from './store.ts';

/** Names of files beside the configuration. */
export const FILES = {
  password: 'store.password',
  authorityKey: 'authority.jwk',
  authorityRoot: 'authority.root',
  channel: 'channel.json',
  turn: 'turn.secrets',
} as const;

export function processIdOf(host: Host, kind: ProcessKind): string {
  return kind === 'sfu-node' ? host.name : `${kind}-${host.name}`;
}

/** @param folder where the host will have its files */
export function serviceConfig(inventory: Inventory, host: Host, kind: ProcessKind, folder: string): object {
  const file = (name: string): string => posix.join(folder, name);
  const processId = processIdOf(host, kind);
  const certificates = Object.entries(filesOf('', { kind, processId })).map(([key, path]) => [
    key,
    file(basename(path)),
  ]);
  return {
    control: Object.fromEntries(certificates) as object,
    store: storeConfig(inventory, file(FILES.password)),
    probes: { port: PORTS.probes[kind] },
    ...sectionOf(inventory, host, kind, processId, file),
  };
}

function sectionOf(
  inventory: Inventory,
  host: Host,
  kind: ProcessKind,
  processId: string,
  file: (name: string) => string,
): object {
  const { cluster, web } = inventory;
  if (kind === 'turn') return { turn: turnOf(inventory, host, processId, file(FILES.turn)) };
  const address = `${host.address.includes(':') ? `[${host.address}]` : host.address}:${PORTS[kind]}`;
  switch (kind) {
    case 'sfu-node':
      return { node: { nodeId: processId, region: host.region, address, workers: host.workers, ...mediaOf(host) } };
    case 'cascade-router':
      return { cascade: { processId, address } };
    default: {
      const { port, certFile, keyFile, proxyHops } = web;
      const own = host.origin === undefined ? {} : { publicUrl: new URL(host.origin).origin };
      // A page of one host measures the way to the others, and goes on at another one when its own is gone.
      const hosts = inventory.hosts.flatMap(({ origin }) => (origin === undefined ? [] : [new URL(origin).origin]));
      const origins = [...new Set([...web.origins, ...hosts])];
      const tls = certFile === undefined || keyFile === undefined ? {} : { certFile, keyFile };
      return {
        signaling: {
          processId,
          address,
          cluster,
          proxyHops,
          authorityKeyFile: file(FILES.authorityKey),
          authorityRootFile: file(FILES.authorityRoot),
          channelKeyFile: file(FILES.channel),
          ...(hasTurn(inventory) ? { turn: { secretFile: file(FILES.turn) } } : {}),
          ...own,
          policy: { origins },
        },
        web: {
          host: host.address.includes(':') || host.ipv6 !== undefined ? '::' : '0.0.0.0',
          port,
          ...tls,
          probes: [host.region],
          connect: [...new Set(hosts)],
        },
      };
    }
  }
}

export function hasTurn({ hosts }: Inventory): boolean {
  return hosts.some(({ runs }) => runs.includes('turn'));
}

/** Behind a NAT it is told by its other address, and relays to the nodes by the addresses that they announce. */
function turnOf({ hosts, turn }: Inventory, host: Host, turnId: string, secretFile: string): object {
  const { address, announced, ipv6, region } = host;
  const nodes = hosts.filter(({ runs }) => runs.includes('sfu-node'));
  const media = nodes.flatMap((node) => [
    node.announced ?? node.address,
    ...(node.ipv6 === undefined ? [] : [node.ipv6]),
  ]);
  // Two addresses are told only where neither is behind a NAT.
  const isBehind = announced !== undefined && isIP(announced) !== 0;
  return {
    turnId,
    region,
    listen: ipv6 === undefined || isBehind ? [address] : [address, ipv6],
    ...(announced === undefined ? {} : { announced, ...(isBehind ? { external: announced } : {}) }),
    ports: PORTS.turn,
    ...(turn === undefined ? {} : { tls: turn }),
    secretFile,
    peers: { media: [...new Set(media.filter((one) => isIP(one) !== 0))] },
  };
}

function mediaOf({ address, announced, ipv6, origin, region }: Host): object {
  return {
    ...(origin === undefined ? {} : { probeUrl: new URL(`/probe/${region}`, origin).href }),
    media: {
      ip: address,
      ...(announced === undefined ? {} : { announcedAddress: announced }),
      ...(ipv6 === undefined ? {} : { ipv6 }),
      udpPort: PORTS.media,
      tcpPort: PORTS.media,
      pipeIp: address,
      pipePorts: PORTS.pipes,
    },
  };
}
