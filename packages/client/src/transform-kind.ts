/**
 * How this browser hands encoded frames to a worker. `script`: RTCRtpScriptTransform (Chrome and Edge 141, Firefox 117, Safari 15.4).
 * `streams`: createEncodedStreams, which Chrome and Edge have from 86 on; their connections must be made for it.
 */
import { ClusterError } from '@veilcast/protocol';
import type { EncodedFrame } from './workers/scope.ts';

/** What RTCRtpSender and RTCRtpReceiver have besides, in browsers with `streams`. */
export interface EncodedStreams {
  createEncodedStreams(): {
    readonly readable: ReadableStream<EncodedFrame>;
    readonly writable: WritableStream<EncodedFrame>;
  };
}

/** Undefined where no frame can be encrypted. */
export function transformKind(): 'script' | 'streams' | undefined {
  if (typeof RTCRtpScriptTransform !== 'undefined') return 'script';
  const both = [globalThis.RTCRtpSender, globalThis.RTCRtpReceiver];
  const streams = both.every((end) => end !== undefined && 'createEncodedStreams' in end.prototype);
  return streams ? 'streams' : undefined;
}

/** What a connection must be made with, so that no frame passes it before its transform is set. */
export function connectionSettings(): Partial<RTCConfiguration> {
  return transformKind() === 'streams' ? ({ encodedInsertableStreams: true } as Partial<RTCConfiguration>) : {};
}

/** @throws ClusterError MEDIA_UNSUPPORTED where this browser cannot encrypt frames in a worker */
export function requireTransforms(): void {
  if (transformKind() !== undefined) return;
  throw new ClusterError(
    'MEDIA_UNSUPPORTED',
    'This browser has neither RTCRtpScriptTransform nor createEncodedStreams, so frames cannot be encrypted. ' +
      'Chrome or Edge 86, Firefox 117 and Safari 15.4 or later have one of them.',
  );
}
