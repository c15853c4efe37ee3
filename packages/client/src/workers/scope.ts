/** What a dedicated worker with encoded transforms has; lib.dom describes windows and lib.webworker excludes it. */
import type { TransformRole } from './messages.ts';

export interface EncodedFrame {
  data: ArrayBuffer;
  /** Video only. */
  readonly type?: 'key' | 'delta' | 'empty';
  getMetadata(): { readonly synchronizationSource?: number; readonly mimeType?: string };
}

/** RTCRtpScriptTransformer, or the streams of one sender or receiver. Which of the two key frame calls exist depends on the browser. */
export interface Transformer {
  readonly options: TransformRole;
  readonly readable: ReadableStream<EncodedFrame>;
  readonly writable: WritableStream<EncodedFrame>;
  generateKeyFrame?(): Promise<unknown>;
  sendKeyFrameRequest?(): Promise<unknown>;
}

export interface WorkerScope<Input, Output> {
  onmessage: ((event: MessageEvent<Input>) => void) | null;
  postMessage(message: Output, transfer?: Transferable[]): void;
}

export interface FrameWorkerScope<Input, Output> extends WorkerScope<Input, Output> {
  onrtctransform: ((event: { readonly transformer: Transformer }) => void) | null;
}

/** The worker that this runs in. */
export const scope: unknown = globalThis;
