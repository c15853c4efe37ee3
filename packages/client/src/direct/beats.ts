/**
 * Says whether a direct path carries, also while both are muted: each side sends an empty message ten times a second. ICE would
 * notice a path that is gone after five seconds; a word is lost in a fifth of one.
 */
import type { Clock } from '@veilcast/protocol';

const BEAT_MS = 100;
/** Without anything for so long the path is given up, */
export const SILENT_MS = 700;
/** or for so many times the longest pause of late: a browser that is busy beats when it can, and its path is well. */
const FACTOR = 3;
const SILENT_MAX_MS = 2_500;
/** Of each pause so much is remembered a beat later: half of it after seven seconds. */
const MEMORY = 0.99;
/** A look that comes later than this says more about our own browser than about the path. */
const LATE_MS = 250;

export class Beats {
  readonly #clock: Clock;
  readonly #channel: RTCDataChannel;
  readonly #silent: () => void;
  #heardAt = 0;
  #lookedAt = 0;
  #pauseMs = 0;
  #stop: (() => void) | undefined;

  /** The channel is part of the first description, so it is made before that. */
  constructor(connection: RTCPeerConnection, clock: Clock, silent: () => void) {
    this.#clock = clock;
    this.#silent = silent;
    this.#channel = connection.createDataChannel('beats', {
      negotiated: true,
      id: 0,
      ordered: false,
      maxRetransmits: 0,
    });
    this.#channel.onmessage = () => this.heard();
  }

  start(): void {
    if (this.#stop) return;
    this.#heardAt = this.#lookedAt = this.#clock.now();
    this.#stop = this.#clock.every(BEAT_MS, () => this.#beat());
  }

  heard(): void {
    const now = this.#clock.now();
    this.#pauseMs = Math.max(this.#pauseMs, now - this.#heardAt);
    this.#heardAt = now;
  }

  close(): void {
    this.#stop?.();
    this.#stop = () => undefined;
  }

  #beat(): void {
    const now = this.#clock.now();
    // While we did not run nothing could be heard.
    if (now - this.#lookedAt > LATE_MS) this.#heardAt += now - this.#lookedAt;
    this.#lookedAt = now;
    if (this.#channel.readyState === 'open') this.#channel.send('');
    this.#pauseMs *= MEMORY;
    const most = Math.min(SILENT_MAX_MS, Math.max(SILENT_MS, FACTOR * this.#pauseMs));
    if (now - this.#heardAt > most) this.#silent();
  }
}
