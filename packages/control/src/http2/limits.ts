/** The bounds of the HTTP/2 carrier. */
import { CHANNEL_LIMITS } from '../limits.ts';

export interface Http2Limits {
  /** From the first packet of TCP until the link is accepted. Longer: a cut is noticed later. Shorter: far regions cannot dial. */
  readonly dialMs: number;
  /** What a stranger has for the TLS handshake, and then for opening the stream. Longer: idle strangers hold sockets. */
  readonly handshakeMs: number;
  /** Largest Frame; what is longer is refused by its announced length, before it is kept or decoded. */
  readonly frameBytes: number;
  /** Bytes that wait in one direction before `send` answers false. */
  readonly queueBytes: number;
  /** Frames are sent together up to so many bytes. More: a big Packet is kept until its last byte. Fewer: more writes. */
  readonly packetBytes: number;
  /** Something waits and nothing of it leaves for this long: the other side does not read, and the link is closed. */
  readonly stallMs: number;
  /** How long a closed link may take to send what was queued before. */
  readonly lingerMs: number;
  /** After a renewal of certificates, old links are replaced at a random moment of this span, and cut after twice of it. */
  readonly renewWithinMs: number;
  /** Sockets of one listener, those included that have not said who they are. */
  readonly sockets: number;
}

export const HTTP2_LIMITS: Http2Limits = {
  dialMs: 3_000,
  handshakeMs: 3_000,
  frameBytes: CHANNEL_LIMITS.frameBytes,
  queueBytes: 8 * 1024 * 1024,
  packetBytes: 64 * 1024,
  stallMs: 5_000,
  lingerMs: 1_000,
  renewWithinMs: 60_000,
  sockets: 2_048,
};
