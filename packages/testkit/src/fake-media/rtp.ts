/** As much of RTP negotiation as a simulation needs: codecs by name, one encoding to a Consumer, kinds of Consumers. */
import type { types } from 'mediasoup';

const FIRST_PAYLOAD_TYPE = 100;

/** Capabilities of a Router: each codec with a payload type, each video codec with its RTX. */
export function routerCapabilities(codecs: readonly types.RouterRtpCodecCapability[]): types.RtpCapabilities {
  let payloadType = FIRST_PAYLOAD_TYPE;
  const capable: types.RtpCodecCapability[] = [];
  for (const codec of codecs) {
    const preferred = codec.preferredPayloadType ?? (payloadType += 1);
    capable.push({ ...codec, preferredPayloadType: preferred, rtcpFeedback: codec.rtcpFeedback ?? [] });
    if (codec.kind !== 'video') continue;
    capable.push({
      kind: 'video',
      mimeType: 'video/rtx',
      clockRate: codec.clockRate,
      preferredPayloadType: (payloadType += 1),
      parameters: { apt: preferred },
      rtcpFeedback: [],
    });
  }
  return { codecs: capable, headerExtensions: [] };
}

const isSame = (a: { mimeType: string; clockRate: number }, b: { mimeType: string; clockRate: number }): boolean =>
  a.mimeType.toLowerCase() === b.mimeType.toLowerCase() && a.clockRate === b.clockRate;

/** The Producer's codecs that these capabilities have. */
export function consumable(rtp: types.RtpParameters, capabilities: types.RtpCapabilities): types.RtpCodecParameters[] {
  return rtp.codecs.filter((codec) => capabilities.codecs?.some((other) => isSame(codec, other)) === true);
}

/** @throws TypeError when the Router has none of the codecs */
export function mustProduce(rtp: types.RtpParameters, capabilities: types.RtpCapabilities): void {
  if (!Array.isArray(rtp.codecs) || rtp.codecs.length === 0) throw new TypeError('missing codecs');
  if (consumable(rtp, capabilities).length === 0) throw new TypeError('unsupported codec');
}

/** How many spatial layers are sent. */
export function spatialLayers(rtp: types.RtpParameters): number {
  const encodings = rtp.encodings ?? [];
  if (encodings.length > 1) return encodings.length;
  return Number(/^[LS](\d)/.exec(encodings[0]?.scalabilityMode ?? '')?.[1] ?? 1);
}

export function typeOf(rtp: types.RtpParameters): types.ConsumerType {
  if ((rtp.encodings?.length ?? 0) > 1) return 'simulcast';
  return spatialLayers(rtp) > 1 ? 'svc' : 'simple';
}

/** What a Consumer sends: one encoding for a browser, all of them through a Pipe. */
export function consumerParameters(
  rtp: types.RtpParameters,
  codecs: types.RtpCodecParameters[],
  mid: string | undefined,
): types.RtpParameters {
  const encodings = mid === undefined ? (rtp.encodings ?? [{ ssrc: 1 }]) : [{ ssrc: 1 }];
  return {
    ...(mid === undefined ? {} : { mid }),
    codecs,
    headerExtensions: [],
    encodings: encodings.map((encoding) => ({ ...encoding, ssrc: Math.trunc(encoding.ssrc ?? 1) })),
    rtcp: { cname: rtp.rtcp?.cname ?? 'cname', reducedSize: true },
  };
}
