/**
 * What coturn 4.6 says of its sessions, read off its log: Debian's has no figures of its own. Pure. A line that is not known says
 * nothing; no line is ever passed on, since they hold the addresses of people.
 */

export type Refusal =
  /** Not signed with our secret: made up, or changed. */
  | 'credential'
  | 'expired'
  /** An answer of another session, or of long ago: a replay. */
  | 'nonce'
  | 'quota'
  /** It does not relay there. */
  | 'peer'
  | 'other';

export type LogEvent =
  | { readonly kind: 'opened' | 'closed'; readonly session: string }
  /** Since it was said last of this session. */
  | { readonly kind: 'relayed'; readonly side: 'clients' | 'peers'; readonly traffic: Traffic }
  | { readonly kind: 'refused'; readonly reason: Refusal };

/** Packets and bytes that came from that side, and went there. */
export interface Traffic {
  readonly receivedPackets: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly sentBytes: number;
}

/** Longer lines are none of coturn's. */
export const LINE_MAX = 2_048;

const SESSION =
  /: session (\d+): (?:(new), realm=|(delete): realm=|(usage|peer usage): .*\brp=(\d+), rb=(\d+), sp=(\d+), sb=(\d+))/;
// Each refused request is said once with these words, whatever else is said of it.
const REFUSED = /: session \d+: realm <[^>]*> user <([^>]*)>: incoming packet message processed, error (\d+): /;

/** @param now ms since the Unix epoch, to tell what has ended from what was made up */
export function readLogLine(line: string, now: number): LogEvent | undefined {
  if (line.length > LINE_MAX || !line.includes(': session ')) return undefined;
  const session = SESSION.exec(line);
  if (session) {
    const [, id = '', opened, closed, usage, ...figures] = session;
    if (opened ?? closed) return { kind: opened ? 'opened' : 'closed', session: id };
    const [receivedPackets = 0, receivedBytes = 0, sentPackets = 0, sentBytes = 0] = figures.map(Number);
    const traffic = { receivedPackets, receivedBytes, sentPackets, sentBytes };
    return { kind: 'relayed', side: usage === 'usage' ? 'clients' : 'peers', traffic };
  }
  const refused = REFUSED.exec(line);
  const reason = refused && refusalOf(Number(refused[2]), refused[1] ?? '', now);
  return reason ? { kind: 'refused', reason } : undefined;
}

/** Undefined for the first answer to everybody, which is 401 and tells the nonce (RFC 8489 §9.2). */
function refusalOf(code: number, username: string, now: number): Refusal | undefined {
  switch (code) {
    case 401:
      if (username === '') return undefined;
      return Number.parseInt(username, 10) * 1_000 < now ? 'expired' : 'credential';
    case 438:
      return 'nonce';
    case 403:
      return 'peer';
    case 486:
      return 'quota';
    default:
      return 'other';
  }
}
