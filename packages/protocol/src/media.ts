/**
 * The media descriptions that mediasoup and its client exchange. They are bounded JSON here: their inner shape is
 * checked by mediasoup itself (ORTC validation), which refuses what it does not know.
 */
import { z } from 'zod';
import { ICE_SERVERS_MAX, RTP_JSON_MAX } from './limits.ts';

/** A plain JSON object of at most RTP_JSON_MAX characters. */
function boundedJson() {
  return z
    .record(z.string().max(64), z.json())
    .refine((value) => JSON.stringify(value).length <= RTP_JSON_MAX, { message: 'larger than RTP_JSON_MAX' });
}

export const RtpCapabilities = boundedJson();
export const RtpParameters = boundedJson();
export const DtlsParameters = z.strictObject({
  role: z.enum(['auto', 'client', 'server']).optional(),
  fingerprints: z
    .array(z.strictObject({ algorithm: z.string().max(16), value: z.string().max(200) }))
    .min(1)
    .max(8),
});
export type DtlsParameters = z.infer<typeof DtlsParameters>;

export const MediaKind = z.enum(['audio', 'video']);
export type MediaKind = z.infer<typeof MediaKind>;
export const Source = z.enum(['microphone', 'camera', 'screen', 'screen-audio']);
export type Source = z.infer<typeof Source>;

/** What a client needs to make one WebRTC transport of its own. */
export const TransportOptions = z.strictObject({
  id: z.string().max(64),
  iceParameters: boundedJson(),
  iceCandidates: z.array(boundedJson()).max(32),
  dtlsParameters: DtlsParameters,
});
export type TransportOptions = z.infer<typeof TransportOptions>;

/** One STUN or TURN server as RTCPeerConnection takes it (W3C webrtc, RTCIceServer), with a credential of this Peer alone. */
export const IceServer = z.strictObject({
  urls: z
    .array(
      z
        .string()
        .max(300)
        .regex(/^(stun|turns?):[^\s]+$/),
    )
    .min(1)
    .max(8),
  /** `<seconds since 1970 when it ends>:<an opaque id>` (draft-uberti-behave-turn-rest-00). */
  username: z.string().min(1).max(128),
  credential: z.string().min(1).max(128),
});
export type IceServer = z.infer<typeof IceServer>;

export const IceServerList = z.strictObject({
  servers: z.array(IceServer).max(ICE_SERVERS_MAX),
  /** How long the credentials are good from now: clocks of clients differ. */
  ttlMs: z.number().int().positive().max(86_400_000),
});
export type IceServerList = z.infer<typeof IceServerList>;

/** Bytes, whichever of the two forms socket.io hands over. */
export function bytes(max: number) {
  return z
    .custom<Uint8Array | ArrayBuffer>((value) => value instanceof Uint8Array || value instanceof ArrayBuffer)
    .transform((value): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array(value)))
    .refine((value) => value.byteLength > 0 && value.byteLength <= max, { message: `not 1 to ${max} bytes` });
}
