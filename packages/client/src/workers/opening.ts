/**
 * Opens the frames of one receiver. What does not open is dropped and counted and never reaches a decoder. A frame whose
 * key is not here yet waits a moment for it: Commits and media come by different ways. One of an Epoch before ours does not: who
 * just came would sit behind it, and see nothing of what follows.
 */
import type { Codec, OpenOutcome } from '@veilcast/sframe';
import { codecOf } from '../media/codec.ts';
import type { FrameKeys } from './frame-keys.ts';
import type { TrackLock } from './messages.ts';
import type { EncodedFrame } from './scope.ts';
import type { FrameTally } from './tally.ts';

/** How long frames wait for their key. Longer: a picture that is late for good. Frames behind it queue in the browser. */
export const PATIENCE_MS = 300;
/** Between two such waits, so that forged key ids cannot hold a stream up for ever. */
export const PATIENCE_PAUSE_MS = 1_000;
/** Frames in a row that did not open before a key frame is asked for, in case one opens after it. */
const FAILURES_MAX = 5;
/** Between two wishes for a key frame of one Consumer. */
const KEY_FRAME_INTERVAL_MS = 500;

export interface OpeningOptions {
  readonly peer: string;
  readonly streams: readonly number[];
  readonly codec: Codec;
  readonly keys: FrameKeys;
  readonly tally: FrameTally;
  readonly now: () => number;
  readonly wantKeyFrame: () => void;
  /** Told whenever it changes; it begins as `waiting`. */
  readonly lock: (lock: TrackLock) => void;
}

export class Opening {
  readonly #options: OpeningOptions;
  readonly #opener: ReturnType<FrameKeys['opener']>;
  #patientUntil = Number.NEGATIVE_INFINITY;
  #failures = 0;
  /** A frame was dropped since the last key frame: the decoder misses what the next ones build on. */
  #broken = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  #lock: TrackLock = 'waiting';

  constructor(options: OpeningOptions) {
    this.#options = options;
    this.#opener = options.keys.opener({ peer: options.peer, streams: options.streams });
  }

  /** Returns whether the frame may be shown; its bytes are open then. */
  async take(frame: EncodedFrame): Promise<boolean> {
    const codec = codecOf(frame.getMetadata().mimeType) ?? this.#options.codec;
    const outcome = await this.#open(new Uint8Array(frame.data), codec);
    const video = frame.type !== undefined;
    if (outcome.kind === 'refused') {
      this.#options.tally.failed(outcome.reason);
      // Bandwidth probes send the last frame again: a copy that is dropped is no loss.
      if (outcome.reason === 'replay') return false;
      this.#failures += 1;
      this.#broken = video;
      // One that is damaged or late is no news; none that opens is.
      if (this.#failures < FAILURES_MAX) return false;
      const isEarly = outcome.reason === 'passed-key';
      this.#turn(isEarly || outcome.reason === 'unknown-key' ? 'waiting' : 'failed');
      // In the Epoch that we have, its sender begins with a key frame by itself.
      if (video && !isEarly) this.#askForKeyFrame();
      return false;
    }
    frame.data = outcome.bytes.buffer;
    this.#options.tally.opened();
    this.#failures = 0;
    this.#turn('encrypted');
    if (frame.type === 'key') this.#broken = false;
    else if (this.#broken) this.#askForKeyFrame();
    return true;
  }

  async #open(bytes: Uint8Array, codec: Codec): Promise<OpenOutcome> {
    for (;;) {
      const outcome = await this.#opener.open(bytes, codec);
      if (outcome.kind === 'opened' || outcome.reason !== 'unknown-key') return outcome;
      const now = this.#options.now();
      if (now >= this.#patientUntil + PATIENCE_PAUSE_MS) this.#patientUntil = now + PATIENCE_MS;
      if (now >= this.#patientUntil) return outcome;
      await this.#options.keys.untilKeys(this.#patientUntil);
    }
  }

  #turn(lock: TrackLock): void {
    if (lock === this.#lock) return;
    this.#lock = lock;
    this.#options.lock(lock);
  }

  #askForKeyFrame(): void {
    const now = this.#options.now();
    if (now - this.#askedAt < KEY_FRAME_INTERVAL_MS) return;
    this.#askedAt = now;
    this.#options.wantKeyFrame();
  }
}
