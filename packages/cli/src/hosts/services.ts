/** Configuration of the processes of a host, as values of their schemas. */
import { filesOf } from '@veilcast/ca';
import type { ProcessKind } from '@veilcast/control';
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
  { cluster, web }: Inventory,
  host: Host,
  kind: ProcessKind,
  processId: string,
  file: (name: string) => string,
): object {
  const address = `${host.address.includes(':') ? `[${host.address}]` : host.address}:${PORTS[kind]}`;
  switch (kind) {
    case 'sfu-node':
      return { node: { nodeId: processId, region: host.region, address, workers: host.workers, ...mediaOf(host) } };
    case 'cascade-router':
      return { cascade: { processId, address } };
    default: {
      const { port, certFile, keyFile, proxyHops, origins } = web;
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
          policy: { origins },
        },
        web: { host: host.address.includes(':') ? '::' : '0.0.0.0', port, ...tls, probes: [host.region] },
      };
    }
  }
}

function mediaOf({ address, announced, origin, region }: Host): object {
  return {
    ...(origin === undefined ? {} : { probeUrl: new URL(`/probe/${region}`, origin).href }),
    media: {
      ip: address,
      ...(announced === undefined ? {} : { announcedAddress: announced }),
      udpPort: PORTS.media,
      tcpPort: PORTS.media,
      pipeIp: address,
      pipePorts: PORTS.pipes,
    },
  };
}
