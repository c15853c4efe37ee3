/** The configuration file of coturn 4.6 (man turnserver), from ours. Pure. */
import { isIPv6 } from 'node:net';
import type { TurnConfig } from './config.ts';
import { DENIED, EVERYTHING } from './peer-ranges.ts';

/** Of all servers: one credential is good at each of them. */
export const REALM = 'veilcast';
/** Seconds that an unused nonce is good for: what was overheard is no use after it. */
const NONCE_S = 600;
/** Seconds. Longer: allocations of browsers that vanished stay. Shorter: more refreshes of those that live. */
const LIFETIME_S = 600;

/** Lines without a value are flags. */
type Line = readonly [key: string, value?: string | number];

/** @param database where the secrets are, as coturn reads them */
export function coturnConfig(config: TurnConfig, { database, pidFile }: { database: string; pidFile: string }): string {
  const { listen, external, ports, tls, peers, quotas, threads } = config;
  const isLoopback = peers.media.some((address) => address.startsWith('127.') || address === '::1');
  const lines: Line[] = [
    ...listen.flatMap((address): Line[] => [
      ['listening-ip', address],
      ['relay-ip', address],
      ...(ports.web === undefined ? [] : [['aux-server', `${bracketed(address)}:${ports.web}`] as Line]),
    ]),
    ...(external === undefined ? [] : [['external-ip', `${external}/${listen[0]}`] as Line]),
    ['listening-port', ports.plain],
    ['tls-listening-port', ports.tls],
    ['min-port', ports.relayMin],
    ['max-port', ports.relayMax],
    ...(tls === undefined ? [['no-tls'] as Line] : tlsLines(tls)),
    // Browsers have no TURN by DTLS, so nobody needs the code that answers it.
    ['no-dtls'],
    ['realm', REALM],
    ['use-auth-secret'],
    ['userdb', database],
    ['no-auth-pings'],
    ['stale-nonce', NONCE_S],
    ['max-allocate-lifetime', LIFETIME_S],
    ['user-quota', quotas.perPeer],
    ['total-quota', quotas.total],
    ['max-bps', quotas.bytesPerSecond],
    ['fingerprint'],
    ...(peers.public ? DENIED : EVERYTHING).map(([from, to]): Line => ['denied-peer-ip', `${from}-${to}`]),
    ...peers.media.map((address): Line => ['allowed-peer-ip', address]),
    ...(isLoopback ? [['allow-loopback-peers'] as Line] : []),
    ['no-multicast-peers'],
    ['no-tcp-relay'],
    ['no-dynamic-ip-list'],
    ['no-dynamic-realms'],
    ['no-rfc5780'],
    ['no-stun-backward-compatibility'],
    ['response-origin-only-with-rfc5780'],
    ['no-software-attribute'],
    ['no-cli'],
    ['relay-threads', threads],
    // Each refusal and the traffic of each allocation is a line; what it counts is read from there.
    ['verbose'],
    ['log-file', 'stdout'],
    ['simple-log'],
    ['pidfile', pidFile],
  ];
  return lines.map(([key, value]) => (value === undefined ? `${key}\n` : `${key}=${value}\n`)).join('');
}

function tlsLines({ certFile, keyFile }: NonNullable<TurnConfig['tls']>): Line[] {
  return [['cert', certFile], ['pkey', keyFile], ['no-tlsv1'], ['no-tlsv1_1']];
}

/** What clients are told: STUN, then TURN from the best way to the last. */
export function iceUrls({ listen, announced, ports, tls }: TurnConfig): string[] {
  const hosts = announced === undefined ? listen : [announced];
  return hosts.flatMap((host) => {
    const at = (port: number): string => `${bracketed(host)}:${port}`;
    return [
      `stun:${at(ports.plain)}`,
      `turn:${at(ports.plain)}?transport=udp`,
      `turn:${at(ports.web ?? ports.plain)}?transport=tcp`,
      ...(tls === undefined ? [] : [`turns:${at(ports.web ?? ports.tls)}?transport=tcp`]),
    ];
  });
}

function bracketed(host: string): string {
  return isIPv6(host) ? `[${host}]` : host;
}
