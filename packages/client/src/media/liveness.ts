/**
 * Says of a remote video whether it lives, waits, is muted or stands still. Pure: told the time and the frames decoded.
 */
import type { VideoState } from '../call.ts';

/** Without a decoded frame for this long a video counts as frozen. Shorter: every key frame over a slow link blinks. */
export const FROZEN_AFTER_MS = 1_500;

export class Liveness {
  #frames = 0;
  #freezesSeen = 0;
  #freezesExcused = 0;
  /** Muted or unseen, and until the first frame after that. */
  #idle = false;
  #lastFrameAt: number;
  #seen = false;

  constructor(now: number) {
    this.#lastFrameAt = now;
  }

  /** `shown` false: nobody looks at it, so the server sends nothing and it cannot freeze. */
  observe(now: number, framesDecoded: number, muted: boolean, shown: boolean): VideoState {
    if (muted || !shown) this.#idle = true;
    else if (framesDecoded > this.#frames) this.#idle = false;
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

  /**
   * How long the picture stood still while somebody wanted to see it move. The browser counts every pause in its total,
   * also those that we asked for. To be told the total at every `observe`, before it.
   */
  frozenMs(total: number, muted: boolean, shown: boolean): number {
    if (muted || !shown || this.#idle) this.#freezesExcused += Math.max(0, total - this.#freezesSeen);
    this.#freezesSeen = total;
    return total - this.#freezesExcused;
  }
}
