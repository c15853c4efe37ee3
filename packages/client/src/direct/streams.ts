/**
 * The streams of a direct connection: four, in a fixed order, made once. What is published later takes its place without a new
 * negotiation, and a receiver knows from the place what it gets. Nothing here is in use before its transform is set.
 */
import type { PeerId, Source } from '@veilcast/protocol';
import type { Codec } from '@veilcast/sframe';
import { codecOf, VIDEO_CODECS, type VideoCodec } from '../media/codec.ts';
import type { Transforms } from '../transforms.ts';

/** By the place of its section in the description. */
export const DIRECT_SOURCES = ['microphone', 'camera', 'screen', 'screen-audio'] as const satisfies readonly Source[];

type Kind = 'audio' | 'video';

export function kindOf(source: Source): Kind {
  return source === 'microphone' || source === 'screen-audio' ? 'audio' : 'video';
}

export function directConsumerId(attempt: number, source: Source): string {
  return `direct-${attempt}-${source}`;
}

export interface StreamsOptions {
  readonly attempt: number;
  readonly other: PeerId;
  readonly codec: VideoCodec;
  readonly transforms: Transforms;
}

/** Seals and opens this stream from its first frame on. */
export function arm(transceiver: RTCRtpTransceiver, source: Source, options: StreamsOptions): void {
  const { attempt, other, transforms, codec: preferred } = options;
  const codec: Codec = kindOf(source) === 'audio' ? 'opus' : preferred;
  transforms.seal(transceiver.sender, source, codec);
  const consumerId = directConsumerId(attempt, source);
  transforms.open(transceiver.receiver, { consumerId, peerId: other, source, codec });
  transceiver.setCodecPreferences(preferences(kindOf(source), preferred));
}

/** What we can seal, the wished first, as for the server's path (ADR 0018), and what repairs it. */
function preferences(kind: Kind, preferred: VideoCodec): RTCRtpCodec[] {
  const all = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const order: readonly Codec[] = kind === 'audio' ? ['opus'] : [preferred, ...VIDEO_CODECS];
  const rank = ({ mimeType }: RTCRtpCodec): number => {
    const codec = codecOf(mimeType);
    return codec === undefined ? -1 : order.indexOf(codec);
  };
  const sealable = all.filter((one) => rank(one) >= 0).sort((a, b) => rank(a) - rank(b));
  return [...sealable, ...all.filter(({ mimeType }) => mimeType.toLowerCase() === 'video/rtx')];
}

/** Whether a description has our streams in our order, and the channel of beats, and nothing else. */
export function hasOurSections(sdp: string): boolean {
  const kinds = [...sdp.matchAll(/^m=(\w+) /gm)].map(([, kind]) => kind);
  return kinds.join(' ') === [...DIRECT_SOURCES.map(kindOf), 'application'].join(' ');
}

/** The sound of a film has two sides: Opus is asked for both where it stands for a screen (RFC 7587 §6.1). */
export function withStereo(sdp: string): string {
  const sections = sdp.split(/(?=^m=)/m);
  const at = DIRECT_SOURCES.indexOf('screen-audio') + 1;
  const payload = /^a=rtpmap:(\d+) opus\//m.exec(sections[at] ?? '')?.[1];
  return sections
    .map((section, place) =>
      place === at && payload !== undefined
        ? section.replace(new RegExp(`^(a=fmtp:${payload} [^\\r\\n]*)`, 'm'), '$1;stereo=1;sprop-stereo=1')
        : section,
    )
    .join('');
}
