/**
 * The main thread's side of the frame worker: makes the transforms, hears the counts, passes on wishes for key frames.
 * It never sees a key: those come to the worker on a port of its own.
 */
import { ClusterError, type PeerId, type Source } from '@veilcast/protocol';
import type { Codec } from '@veilcast/sframe';
import { transformKind, type EncodedStreams } from './transform-kind.ts';
import type { FrameCounts, FrameWorkerInput, FrameWorkerOutput, TrackLock, TransformRole } from './workers/messages.ts';

export interface TransformListeners {
  counts(counts: FrameCounts): void;
  /** Frames of this Consumer open, or do not. */
  lock(consumerId: string, lock: TrackLock): void;
  wantKeyFrames(consumerIds: readonly string[]): void;
  wantOwnKeyFrames(sources: readonly Source[]): void;
}

export class Transforms {
  readonly #worker: Worker;
  #listeners: TransformListeners | undefined;
  /** Rejects when the worker cannot be loaded: without it nothing would ever be sent or shown. */
  readonly ready: Promise<void>;

  /** `keys` is the port on which the group worker sends base keys. */
  constructor(keys: MessagePort) {
    this.#worker = new Worker(new URL('./workers/frame.worker.ts', import.meta.url), {
      type: 'module',
      name: 'veilcast-frames',
    });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.onmessage = ({ data }: MessageEvent<FrameWorkerOutput>) => {
        if (data.kind === 'started') resolve();
        else this.#receive(data);
      };
      this.#worker.onerror = () => reject(new ClusterError('KEYS_FAILED', 'the frame worker did not start'));
    });
    // Whoever joins awaits it; a page that was only prepared must not see an unhandled rejection.
    this.ready.catch(() => undefined);
    const input: FrameWorkerInput = { kind: 'keys', port: keys };
    this.#worker.postMessage(input, [keys]);
  }

  listen(listeners: TransformListeners): void {
    this.#listeners = listeners;
  }

  /** To be called in `onRtpSender`, before the first frame can leave. */
  seal(sender: RTCRtpSender, source: Source, codec: Codec): void {
    this.#attach(sender, { role: 'send', source, codec });
  }

  /** To be called in `onRtpReceiver`, before the Consumer is resumed. */
  open(
    receiver: RTCRtpReceiver,
    from: { readonly consumerId: string; readonly peerId: PeerId; readonly source: Source; readonly codec: Codec },
  ): void {
    this.#attach(receiver, { role: 'receive', ...from });
  }

  close(): void {
    this.#worker.terminate();
  }

  #attach(end: RTCRtpSender | RTCRtpReceiver, role: TransformRole): void {
    if (transformKind() === 'script') {
      end.transform = new RTCRtpScriptTransform(this.#worker, role);
      return;
    }
    const { readable, writable } = (end as unknown as EncodedStreams).createEncodedStreams();
    const input: FrameWorkerInput = { kind: 'streams', options: role, readable, writable };
    this.#worker.postMessage(input, [readable, writable]);
  }

  #receive(output: Exclude<FrameWorkerOutput, { readonly kind: 'started' }>): void {
    if (output.kind === 'counts') this.#listeners?.counts(output);
    else if (output.kind === 'lock') this.#listeners?.lock(output.consumerId, output.lock);
    else if (output.kind === 'wantKeyFrames') this.#listeners?.wantKeyFrames(output.consumerIds);
    else this.#listeners?.wantOwnKeyFrames(output.sources);
  }
}
