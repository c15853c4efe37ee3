/** What both sides of the carrier share: its options, its links, and what happens to them as certificates come and go. */
import type { ClusterError, Clock } from '@veilcast/protocol';
import { constants } from 'node:http2';
import type { HostPort } from './address.ts';
import type { CredentialSource } from './credentials.ts';
import type { Http2Limits } from './limits.ts';
import type { Http2Link } from './link.ts';
import { LENGTH_BYTES_MAX } from './packets.ts';
import type { Proved } from './tls.ts';

/** Why somebody was not let in: in TLS, by another protocol, by identity, by asking something else, by being slow. */
export type Refusal = 'tls' | 'protocol' | 'identity' | 'request' | 'slow';

export interface OpenedLink {
  readonly dialled: boolean;
  readonly proved: Proved;
  /** Of the key exchange. */
  readonly group: string | undefined;
  /** Tells the dialling side to dial anew. */
  readonly askToRenew?: () => void;
}

export interface Shared {
  readonly clock: Clock;
  readonly limits: Http2Limits;
  readonly credentials: CredentialSource;
  readonly cluster: string;
  readonly bind: HostPort | undefined;
  opened(link: Http2Link, how: OpenedLink): void;
  refused(why: Refusal): void;
}

/** Bytes of a stream that may be under way: 64 KiB, HTTP/2's own default, is too few for a picture over an ocean. */
const WINDOW_BYTES = 1024 * 1024;
/** Of the Packet around one Frame of the largest size: tag and length. */
const PACKET_OVERHEAD = 1 + 2 * LENGTH_BYTES_MAX;

export const carried = {
  WINDOW_BYTES,
  packetBytesMax: ({ frameBytes, packetBytes }: Http2Limits): number =>
    Math.max(frameBytes, packetBytes) + PACKET_OVERHEAD,
  /** What RST_STREAM and GOAWAY say. */
  resetCodeOf: (reason: ClusterError | undefined): number => {
    if (reason?.code === 'OVERLOADED') return constants.NGHTTP2_ENHANCE_YOUR_CALM;
    return reason === undefined ? constants.NGHTTP2_NO_ERROR : constants.NGHTTP2_CANCEL;
  },
};
