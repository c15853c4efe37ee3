/**
 * Says whether a direct path carries, also while both are muted: each side sends an empty message ten times a second. ICE would
 * notice a path that is gone after five seconds; a word is lost in a fifth of one.
 */
import type { Clock } from '@veilcast/protocol';

const BEAT_MS = 100;
/** Without anything for so long the path is given up. Shorter: a busy browser looks like a broken path. */
export const SILENT_MS = 700;
/** A look that comes later than this says more about our own browser than about the path. */
const LATE_MS = 250;

export class Beats {
  readonly #clock: Clock;
  readonly #channel: RTCDataChannel;
  readonly #silent: () => void;
  #heardAt = 0;
  #lookedAt = 0;
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
    this.#heardAt = this.#clock.now();
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
    if (now - this.#heardAt > SILENT_MS) this.#silent();
  }
}
