/**
 * How loud the Peers of one Router are, measured only while signaling wants to know. mediasoup reads the level that each
 * packet carries beside its payload (RFC 6464): no sound is decoded, and end-to-end encryption hides none of it.
 */
import { media } from './media/errors.ts';
import type { MediaAudioLevelObserver, MediaProducer, MediaRouter } from './media/port.ts';

/** How often it is told, mediasoup's least. A voice needs ten packets in it to count. */
const EVERY_MS = 250;
/** Quieter on average is breath and keyboards, dBov. */
const THRESHOLD_DBOV = -55;
/** More than are forwarded in any Room: signaling chooses among several Routers. */
const TOLD_MAX = 8;

/** One voice in the last quarter of a second. */
export interface HeardVoice {
  readonly producerId: string;
  /** dBov, −127 to 0. */
  readonly level: number;
}

export class RouterVoices {
  readonly #router: MediaRouter;
  readonly #told: (voices: HeardVoice[]) => void;
  readonly #producers = new Set<MediaProducer>();
  #observer: Promise<MediaAudioLevelObserver> | undefined;

  constructor(router: MediaRouter, told: (voices: HeardVoice[]) => void) {
    this.#router = router;
    this.#told = told;
  }

  /** A Peer opened it on this Router; what came out of a Pipe is measured where it was opened. */
  add(producer: MediaProducer): void {
    for (const known of this.#producers) if (known.closed) this.#producers.delete(known);
    this.#producers.add(producer);
    void this.#observe(producer);
  }

  listen(on: boolean): void {
    if (on === (this.#observer !== undefined)) return;
    const before = this.#observer;
    this.#observer = on ? this.#open() : undefined;
    // A Router that is gone has taken it along.
    before?.then((observer) => observer.close()).catch(() => undefined);
    if (on) for (const producer of this.#producers) void this.#observe(producer);
  }

  async #open(): Promise<MediaAudioLevelObserver> {
    const options = { maxEntries: TOLD_MAX, threshold: THRESHOLD_DBOV, interval: EVERY_MS };
    const observer = await media(this.#router.createAudioLevelObserver(options));
    observer.on('volumes', (volumes) =>
      this.#told(volumes.map(({ producer, volume }) => ({ producerId: producer.id, level: volume }))),
    );
    return observer;
  }

  /** Its Producer or the Router may go this moment: then there is nothing to hear. */
  async #observe({ id, closed }: MediaProducer): Promise<void> {
    if (closed) return;
    await this.#observer?.then((observer) => observer.addProducer({ producerId: id })).catch(() => undefined);
  }
}
