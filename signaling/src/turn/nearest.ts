/** Which TURN servers a Peer is told of. Pure. */
import type { Registration } from '@veilcast/control';
import type { PeerId, RegionProbe } from '@veilcast/protocol';
import { createHash } from 'node:crypto';

/** One, and another for when it dies. More: a browser connects to every one of them each time that it gathers. */
const TOLD = 2;

export interface TurnServer extends Pick<Registration, 'processId' | 'region'> {
  readonly iceUrls: readonly string[];
}

export interface Whereabouts {
  readonly peerId: PeerId;
  /** Where its media goes. */
  readonly region: string;
  readonly probes: readonly RegionProbe[];
}

/**
 * Those of the Peer's own region first, then by the round trip that its client measured to their regions. Among equals a hash of the
 * Peer and the server decides: Peers spread over a region's servers, and when one goes only its own Peers get another.
 */
export function nearest(
  servers: readonly TurnServer[],
  { peerId, region, probes }: Whereabouts,
): readonly TurnServer[] {
  const rttOf = (server: TurnServer): number =>
    server.region === region ? 0 : (probes.find((probe) => probe.region === server.region)?.rttMs ?? Infinity);
  return servers
    .map((server) => ({ server, rtt: rttOf(server), weight: weightOf(peerId, server.processId) }))
    .sort((a, b) => compare(a.rtt, b.rtt) || compare(a.weight, b.weight))
    .slice(0, TOLD)
    .map(({ server }) => server);
}

function weightOf(peerId: PeerId, processId: string): string {
  return createHash('sha256').update(`${peerId} ${processId}`).digest('hex');
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
