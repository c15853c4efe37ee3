/**
 * How a Peer leaves a Node that is emptied (ADR 0031): sends and consumes everything from its new place first, says so,
 * and lets go of the old one when nobody watches it there any more.
 */
import type { AnyEvent, Clock, PeerId } from '@veilcast/protocol';
import type { SeatMedia } from './seat-media.ts';
import type { Signaling } from './socket.ts';

/** The server closes the old place after ten seconds, whoever still needs it. */
const OLD_MAX_MS = 10_000;
/** Pictures that have not come from the new place by then do not hold it up. */
const OVER_MAX_MS = 6_000;
const LOOK_EVERY_MS = 50;

export interface GoingOverOptions {
  readonly old: SeatMedia;
  readonly media: SeatMedia;
  readonly signaling: Signaling;
  readonly clock: Clock;
  /** Everything is sent from the new place too. */
  readonly sent: Promise<void>;
}

export class GoingOver {
  readonly #options: GoingOverOptions;
  readonly #stopLimit: () => void;
  #stopLook: () => void = () => undefined;
  #isOver = false;

  constructor(options: GoingOverOptions) {
    this.#options = options;
    const { clock, sent, old } = options;
    old.receiving.retire();
    this.#stopLimit = clock.after(OLD_MAX_MS, () => this.end());
    const until = clock.now() + OVER_MAX_MS;
    void sent.catch(() => undefined).then(() => this.#look(until));
  }

  /** Our own Producers there are closed: who watched us has gone over. */
  take(event: AnyEvent, self: PeerId | undefined): void {
    if (event.name === 'producerClosed' && event.body.peerId === self) this.end();
  }

  /** Lets go of the old place. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopLimit();
    this.#stopLook();
    this.#options.media.receiving.leaveFormer();
    this.#options.old.transports.close();
  }

  #look(until: number): void {
    const { media, clock, signaling, old } = this.#options;
    if (this.#isOver) return;
    if (!media.receiving.isOver && clock.now() < until) {
      this.#stopLook = clock.after(LOOK_EVERY_MS, () => this.#look(until));
      return;
    }
    media.receiving.leaveFormer();
    signaling
      .request('moved', {})
      .then(() => {
        if (!old.publishing.isSending) this.end();
      })
      .catch(() => undefined);
  }
}
