/**
 * Says of a remote video whether it lives, waits, is muted or stands still. Pure: told the time and the frames decoded.
 */
import type { VideoState } from '../call.ts';

/** Without a decoded frame for this long a video counts as frozen. Shorter: every key frame over a slow link blinks. */
export const FROZEN_AFTER_MS = 1_500;

export class Liveness {
  #frames = 0;
  #lastFrameAt: number;
  #seen = false;

  constructor(now: number) {
    this.#lastFrameAt = now;
  }

  /** `shown` false: nobody looks at it, so the server sends nothing and it cannot freeze. */
  observe(now: number, framesDecoded: number, muted: boolean, shown: boolean): VideoState {
    if (framesDecoded > this.#frames) {
      this.#frames = framesDecoded;
      this.#lastFrameAt = now;
      this.#seen = true;
    }
    if (muted || !shown) {
      this.#lastFrameAt = now;
      return muted ? 'muted' : this.#seen ? 'live' : 'waiting';
    }
    if (!this.#seen) return 'waiting';
    return now - this.#lastFrameAt > FROZEN_AFTER_MS ? 'frozen' : 'live';
  }
}
