/**
 * What a Router forwards: one constant list, the same on every node, so that a Pipe never meets a codec that it does not know.
 * mediasoup itself adds the feedback (nack, pli, fir, transport-cc) and the header extensions (abs-capture-time and
 * abs-send-time among them) of each codec; they cannot be chosen here.
 */
import type { types } from 'mediasoup';

/**
 * Opus tells publishers to use DTX (silence costs a packet each 400 ms) and in-band FEC (one lost packet is not heard).
 * VP9, H.264 and AV1 are left out until their frames are encrypted with codec-aware clear bytes (DESIGN §5, Frames).
 * Payload types are fixed, so that two Routers of different versions agree on them.
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
];

/**
 * Least time between two key-frame requests to a publisher for one stream; those that come between are merged into one
 * at its end. Longer: a newcomer waits for its first picture. Shorter: a crowd of newcomers makes the publisher send nothing but key frames.
 */
export const KEY_FRAME_DELAY_MS = 300;
/** The same for what came out of a Pipe. Short, since the publisher's node merges again: it only stops the crowd below from crossing the Pipe. */
export const PIPE_KEY_FRAME_DELAY_MS = 100;
