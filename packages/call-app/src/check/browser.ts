/** What this browser can do without anybody's help: encrypt, agree on keys that stand against quantum computers, encode. */

export type Transform = 'script' | 'streams' | 'none';

export function transformOf(): Transform {
  if (!isSecureContext) return 'none';
  if ('RTCRtpScriptTransform' in globalThis) return 'script';
  return 'RTCRtpSender' in globalThis && 'createEncodedStreams' in RTCRtpSender.prototype ? 'streams' : 'none';
}

/** Which of the two are the browser's own; what is not comes with the page, and is slower. */
export async function nativePostQuantum(): Promise<{ readonly mlKem: boolean; readonly mlDsa: boolean }> {
  const [mlKem, mlDsa] = await Promise.all([
    makes('ML-KEM-768', ['encapsulateBits', 'decapsulateBits']),
    makes('ML-DSA-65', ['sign', 'verify']),
  ]);
  return { mlKem, mlDsa };
}

async function makes(name: string, usages: readonly string[]): Promise<boolean> {
  try {
    await crypto.subtle.generateKey({ name }, false, [...usages] as KeyUsage[]);
    return true;
  } catch {
    return false;
  }
}

const KNOWN = ['VP8', 'VP9', 'AV1', 'H264'] as const;

function named(capabilities: RTCRtpCapabilities | null): readonly string[] {
  const types = new Set(capabilities?.codecs.map(({ mimeType }) => mimeType.toLowerCase()));
  return KNOWN.filter((codec) => types.has(`video/${codec.toLowerCase()}`));
}

/** Of pictures, those that a call may use. */
export function codecsOf(): { readonly sends: readonly string[]; readonly receives: readonly string[] } {
  if (!('RTCRtpSender' in globalThis)) return { sends: [], receives: [] };
  return {
    sends: named(RTCRtpSender.getCapabilities('video')),
    receives: named(RTCRtpReceiver.getCapabilities('video')),
  };
}
