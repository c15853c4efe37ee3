/**
 * The one worker that every encoded frame of this Peer goes through, out and in. Keys come from the group worker on a
 * port of their own; what leaves for the page are counts and wishes for key frames.
 */
import { browserClock } from '../clock.ts';
import { streamsOf } from '../media/streams.ts';
import { FrameKeys } from './frame-keys.ts';
import type { FrameWorkerInput, FrameWorkerOutput, KeyMessage } from './messages.ts';
import { Opening } from './opening.ts';
import { scope as self, type EncodedFrame, type FrameWorkerScope, type Transformer } from './scope.ts';
import { Sealing } from './sealing.ts';
import { FrameTally } from './tally.ts';

const scope = self as FrameWorkerScope<FrameWorkerInput, FrameWorkerOutput>;
const now = (): number => browserClock.now();
const keys = new FrameKeys(browserClock);
const tally = new FrameTally(browserClock, (counts) => scope.postMessage({ kind: 'counts', ...counts }));

scope.onmessage = ({ data }) => {
  if (data.kind === 'streams') transform(data);
  else data.port.onmessage = ({ data: message }: MessageEvent<KeyMessage>) => void keys.take(message);
};

scope.onrtctransform = ({ transformer }) => transform(transformer);

function transform(transformer: Transformer): void {
  const step = transformer.options.role === 'send' ? sealing(transformer) : opening(transformer);
  const stream = new TransformStream<EncodedFrame, EncodedFrame>({
    async transform(frame, controller) {
      if (await step.take(frame)) controller.enqueue(frame);
    },
  });
  // Ends with its sender or receiver; a stream that breaks lets nothing through any more.
  transformer.readable
    .pipeThrough(stream)
    .pipeTo(transformer.writable)
    .catch(() => undefined);
}

scope.postMessage({ kind: 'started' });

function sealing(transformer: Transformer): Sealing {
  const { source, codec } = transformer.options;
  const askPage = () => scope.postMessage({ kind: 'wantOwnKeyFrames', sources: [source] });
  const wantKeyFrame = () => {
    if (transformer.generateKeyFrame) transformer.generateKeyFrame().catch(askPage);
    else askPage();
  };
  return new Sealing({ source, codec, keys, tally, now, wantKeyFrame });
}

function opening(transformer: Transformer): Opening {
  const { options } = transformer;
  if (options.role !== 'receive') throw new TypeError('not a receiver');
  const askPage = () => scope.postMessage({ kind: 'wantKeyFrames', consumerIds: [options.consumerId] });
  // The browser's own picture loss indication is quicker than a request to signaling, where it exists.
  const wantKeyFrame = () => {
    if (transformer.sendKeyFrameRequest) transformer.sendKeyFrameRequest().catch(askPage);
    else askPage();
  };
  return new Opening({
    peer: options.peerId,
    streams: streamsOf(options.source),
    codec: options.codec,
    keys,
    tally,
    now,
    wantKeyFrame,
    lock: (lock) => scope.postMessage({ kind: 'lock', consumerId: options.consumerId, lock }),
  });
}
