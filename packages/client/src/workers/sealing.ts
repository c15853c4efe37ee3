/**
 * Seals the frames of one sender. A frame that cannot be sealed is dropped and counted: nothing leaves in the clear,
 * also not the first frames while keys are still being agreed. Who comes to the group can open nothing before its Epoch, so
 * the first that we seal in it is a key frame, without being asked for: a request would have to go round, and of two
 * within 300 ms Chromium's encoder passes the second over.
 */
import type { Source } from '@veilcast/protocol';
import type { Codec } from '@veilcast/sframe';
import { codecOf } from '../media/codec.ts';
import { StreamNumbers } from '../media/streams.ts';
import type { FrameTally } from './tally.ts';
import type { EncodedFrame } from './scope.ts';
import type { FrameKeys } from './frame-keys.ts';

/** Between two wishes for a key frame of our own encoder. Shorter: encoders make nothing but key frames. */
const KEY_FRAME_INTERVAL_MS = 500;
/** SSRCs of one sender that are remembered. */
const SSRCS_MAX = 64;

export interface SealingOptions {
  readonly source: Source;
  readonly codec: Codec;
  readonly keys: FrameKeys;
  readonly tally: FrameTally;
  readonly now: () => number;
  /** Frames were dropped and deltas are useless without the key frame among them. */
  readonly wantKeyFrame: () => void;
}

export class Sealing {
  readonly #options: SealingOptions;
  readonly #streams: StreamNumbers;
  /** SSRCs of which somebody lacks a frame since their last key frame. */
  readonly #broken = new Set<number>();
  /** By SSRC, the Epoch of its last frame. */
  readonly #epochs = new Map<number, number>();
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SealingOptions) {
    this.#options = options;
    this.#streams = new StreamNumbers(options.source);
  }

  /** Returns whether the frame may go on; its bytes are sealed then. */
  async take(frame: EncodedFrame): Promise<boolean> {
    const { keys, tally } = this.#options;
    const { synchronizationSource: ssrc = 0, mimeType } = frame.getMetadata();
    const codec = codecOf(mimeType) ?? this.#options.codec;
    const keyFrame = frame.type === 'key';
    const outcome = await keys.seal(this.#streams.of(ssrc), new Uint8Array(frame.data), { codec, keyFrame });
    if (outcome.kind === 'refused') {
      tally.failed(outcome.reason);
      if (frame.type !== undefined) this.#break(ssrc);
      return false;
    }
    frame.data = outcome.bytes.buffer;
    tally.sealed();
    if (frame.type !== undefined) this.#follow(ssrc, outcome.epoch);
    if (keyFrame) this.#broken.delete(ssrc);
    else if (this.#broken.has(ssrc)) this.#askForKeyFrame();
    return true;
  }

  #follow(ssrc: number, epoch: number): void {
    const before = this.#epochs.get(ssrc);
    if (before === epoch) return;
    if (this.#epochs.size >= SSRCS_MAX) this.#epochs.clear();
    this.#epochs.set(ssrc, epoch);
    if (before !== undefined && this.#options.keys.hasNewcomers(before, epoch)) this.#break(ssrc);
  }

  #break(ssrc: number): void {
    if (this.#broken.size < SSRCS_MAX) this.#broken.add(ssrc);
  }

  #askForKeyFrame(): void {
    const now = this.#options.now();
    if (now - this.#askedAt < KEY_FRAME_INTERVAL_MS) return;
    this.#askedAt = now;
    this.#options.wantKeyFrame();
  }
}
