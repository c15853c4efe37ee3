/**
 * What a Router forwards: one constant list, the same on every node, so that a Pipe never meets a codec that it does not know.
 * mediasoup itself adds the feedback (nack, pli, fir, transport-cc) and the header extensions (abs-capture-time and
 * abs-send-time among them) of each codec; they cannot be chosen here.
 */
import type { types } from 'mediasoup';

/**
 * Opus tells publishers to use DTX (silence costs a packet each 400 ms) and in-band FEC (one lost packet is not heard).
 * `audio/red` is left out: mediasoup knows no such codec. H.264 is constrained baseline, which every browser with H.264 has, and in packetization
 * mode 1, since a sealed slice need not fit into one packet. Publishers send VP8 unless an application asks otherwise (ADR 0018).
 * Payload types are fixed, so that two Routers of different versions agree on them; mediasoup gives the numbers between to RTX.
 */
export const ROUTER_CODECS: types.RouterRtpCodecCapability[] = [
  {
    kind: 'audio',
    mimeType: 'audio/opus',
    preferredPayloadType: 100,
    clockRate: 48_000,
    channels: 2,
    parameters: { useinbandfec: 1, usedtx: 1 },
  },
  { kind: 'video', mimeType: 'video/VP8', preferredPayloadType: 101, clockRate: 90_000 },
  {
    kind: 'video',
    mimeType: 'video/VP9',
    preferredPayloadType: 103,
    clockRate: 90_000,
    parameters: { 'profile-id': 0 },
  },
  {
    kind: 'video',
    mimeType: 'video/H264',
    preferredPayloadType: 105,
    clockRate: 90_000,
    parameters: { 'packetization-mode': 1, 'profile-level-id': '42e01f', 'level-asymmetry-allowed': 1 },
  },
  { kind: 'video', mimeType: 'video/AV1', preferredPayloadType: 107, clockRate: 90_000 },
];

/**
 * Least time between two key-frame requests to a publisher for one stream; those that come between are merged into one
 * at its end. Longer: a newcomer waits for its first picture. Shorter: a crowd of newcomers makes the publisher send nothing but key frames.
 */
export const KEY_FRAME_DELAY_MS = 300;
/** The same for what came out of a Pipe. Short, since the publisher's node merges again: it only stops the crowd below from crossing the Pipe. */
export const PIPE_KEY_FRAME_DELAY_MS = 100;

const DEPENDENCY_DESCRIPTOR = {
  uri: 'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  /** mediasoup's own number for it, on every Router. */
  id: 7,
  encrypt: false,
  parameters: {},
} as const satisfies types.RtpHeaderExtensionParameters;

/**
 * What a client is told of a Consumer. mediasoup hands the dependency descriptor of every packet on and tells nobody, since it does
 * not rewrite it when it changes between streams of a simulcast. AV1 comes in one stream, and without the descriptor a
 * browser takes spatial layers for pictures of their own: so it is announced for AV1.
 */
export function announcedOf(rtpParameters: types.RtpParameters): types.RtpParameters {
  const { codecs, headerExtensions = [] } = rtpParameters;
  if (codecs[0]?.mimeType.toLowerCase() !== 'video/av1') return rtpParameters;
  if (headerExtensions.some(({ uri }) => uri === DEPENDENCY_DESCRIPTOR.uri)) return rtpParameters;
  return { ...rtpParameters, headerExtensions: [...headerExtensions, DEPENDENCY_DESCRIPTOR] };
}
