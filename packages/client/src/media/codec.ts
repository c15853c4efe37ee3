/** Codecs by the names that RTP gives them and that SFrame gives them, and which of them a picture is sent in (ADR 0018). */
import type { Codec } from '@veilcast/sframe';

export type VideoCodec = Exclude<Codec, 'opus'>;

/** In the order in which they are tried when the one that was asked for cannot be: browsers must have the first two (RFC 7742). */
export const VIDEO_CODECS = ['vp8', 'h264', 'vp9', 'av1'] as const satisfies readonly VideoCodec[];

const CODECS: ReadonlyMap<string, Codec> = new Map([
  ['audio/opus', 'opus'],
  ['video/vp8', 'vp8'],
  ['video/vp9', 'vp9'],
  ['video/h264', 'h264'],
  ['video/av1', 'av1'],
]);

/** Undefined where no frame of it can be sealed. */
export function codecOf(mimeType: string | undefined): Codec | undefined {
  return mimeType === undefined ? undefined : CODECS.get(mimeType.toLowerCase());
}

/**
 * The codec of a picture: the preferred one where this browser sends it and nobody in the Room is known not to decode it,
 * else the first of the others for which that holds. Undefined when there is none. Pure.
 */
export function chooseCodec(
  preferred: VideoCodec,
  sendable: ReadonlySet<Codec>,
  undecodable: ReadonlySet<Codec>,
): VideoCodec | undefined {
  return [preferred, ...VIDEO_CODECS].find((codec) => sendable.has(codec) && !undecodable.has(codec));
}
