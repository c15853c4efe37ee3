/** Which rung of the ladder media goes by now, of the plain entries of an RTCStatsReport. Pure. */
import { entriesById, number, selectedPair, text, type Entry, type StatsEntries } from '../media/stats.ts';

/** From the best to the last: direct, then by a TURN server that is reached by UDP, TCP or TLS. */
export const PATH_KINDS = ['udp', 'tcp', 'relay-udp', 'relay-tcp', 'relay-tls'] as const;
export type PathKind = (typeof PATH_KINDS)[number];

export interface MediaPath {
  readonly kind: PathKind;
  /** Of the last connectivity check; 0 before there was one. */
  readonly rttMs: number;
  /** The TURN server as it was named to the browser; of relayed paths where the browser says it. */
  readonly server?: string;
}

/** What the connection has carried so far, to see whether it still does. */
export interface Carried {
  readonly sent: number;
  readonly received: number;
}

/** Of the pair that carries the media; undefined before there is one. */
export function pathOf(entries: StatsEntries): MediaPath | undefined {
  const all = entriesById(entries);
  const pair = selectedPair(all);
  const local = pair && all.get(text(pair, 'localCandidateId'));
  if (pair === undefined || local === undefined) return undefined;
  const kind = kindOf(local);
  if (kind === undefined) return undefined;
  const server = text(local, 'url');
  return {
    kind,
    rttMs: Math.round(number(pair, 'currentRoundTripTime') * 1_000),
    ...(kind.startsWith('relay') && server !== '' ? { server } : {}),
  };
}

/** Bytes of the pair that carries the media. */
export function carriedBy(entries: StatsEntries): Carried | undefined {
  const pair = selectedPair(entriesById(entries));
  return pair && { sent: number(pair, 'bytesSent'), received: number(pair, 'bytesReceived') };
}

function kindOf(local: Entry): PathKind | undefined {
  const isRelay = text(local, 'candidateType') === 'relay';
  const protocol = isRelay ? text(local, 'relayProtocol') : text(local, 'protocol');
  return PATH_KINDS.find((kind) => kind === (isRelay ? `relay-${protocol}` : protocol));
}
