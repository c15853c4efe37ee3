/** Codecs by the names that RTP gives them and that SFrame gives them. */
import type { Codec } from '@veilcast/sframe';

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
