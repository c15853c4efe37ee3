/**
 * Sees to it that each transport goes by the best path there is: a path that falls silent, or a network that changes, has its ICE
 * restarted at once, and one that is not the best is looked for a better one now and then. A restart makes before it breaks:
 * what still carries media goes on until something else does.
 */
import type { Clock } from '@veilcast/protocol';
import type { types } from 'mediasoup-client';
import type { PathWatch } from '../media/path-watch.ts';
import { carriedBy, pathOf } from './path.ts';
import { Pulse } from './pulse.ts';

/** Shorter: more work for nothing. Longer: a silent path is seen later by half of it. */
const LOOK_EVERY_MS = 200;
/** First look for a better path than the one that was found, then twice as long each time, */
const BETTER_MIN_MS = 5_000;
const BETTER_MAX_MS = 300_000;
/** and so often in one network: half an hour. Each asks the TURN servers for addresses anew. */
const BETTER_TRIES = 10;
/** A network that changes says so several times. */
const CHANGES_MS = 100;

type Media = Pick<types.Producer | types.Consumer, 'getStats' | 'closed' | 'paused'>;

export interface LinkWatchOptions {
  readonly transport: types.Transport;
  readonly path: Pick<PathWatch, 'suspect'>;
  readonly clock: Clock;
  /** Relayed paths are wanted: there is nothing better to look for. */
  readonly relayOnly: boolean;
}

export class LinkWatch {
  readonly #options: LinkWatchOptions;
  #pulse = new Pulse();
  readonly #media = new Set<Media>();
  readonly #stops: (() => void)[] = [];
  #isResting = false;
  #stopBetter: () => void = () => undefined;
  #looking = false;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    const { transport, clock } = options;
    const add = (media: Media): void => void this.#media.add(media);
    transport.observer.on('newproducer', add);
    transport.observer.on('newconsumer', add);
    this.#stops.push(
      clock.every(LOOK_EVERY_MS, () => void this.#look()),
      onNetworkChange(clock, () => this.#changed()),
    );
    this.#lookForBetter();
  }

  /** Media goes another way on purpose: silence says nothing of this one, and it is good enough. */
  rest(isResting: boolean): void {
    if (isResting === this.#isResting) return;
    this.#isResting = isResting;
    this.#pulse = new Pulse();
    this.#lookForBetter();
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#stopBetter();
  }

  /** One stream's figures are enough, and cost a fraction of the whole transport's. */
  async #look(): Promise<void> {
    for (const media of this.#media) if (media.closed) this.#media.delete(media);
    const media = [...this.#media].find(({ paused }) => !paused);
    if (media === undefined || this.#looking || this.#isResting) return;
    this.#looking = true;
    try {
      const carried = carriedBy(await media.getStats());
      if (!carried || this.#isResting) return;
      if (this.#pulse.observe(this.#options.clock.now(), carried)) this.#options.path.suspect();
    } catch {
      // Closed meanwhile.
    } finally {
      this.#looking = false;
    }
  }

  #changed(): void {
    this.#options.path.suspect();
    this.#lookForBetter();
  }

  /** From the first try on. */
  #lookForBetter(tries = 0): void {
    const { clock, transport, path, relayOnly } = this.#options;
    this.#stopBetter();
    if (relayOnly || this.#isResting || tries >= BETTER_TRIES) return;
    this.#stopBetter = clock.after(Math.min(BETTER_MAX_MS, BETTER_MIN_MS * 2 ** tries), () => {
      this.#lookForBetter(tries + 1);
      transport.getStats().then(
        (stats) => {
          const kind = pathOf(stats)?.kind;
          if (kind !== undefined && kind !== 'udp') path.suspect();
        },
        () => undefined,
      );
    });
  }
}

/** A network came, went or was exchanged for another, as far as this browser tells. */
function onNetworkChange(clock: Clock, changed: () => void): () => void {
  let stop: (() => void) | undefined;
  const soon = (): void => {
    stop?.();
    stop = clock.after(CHANGES_MS, changed);
  };
  const targets: [EventTarget | undefined, string][] = [
    [globalThis, 'online'],
    [(globalThis.navigator as { connection?: EventTarget } | undefined)?.connection, 'change'],
  ];
  for (const [target, event] of targets) target?.addEventListener(event, soon);
  return () => {
    stop?.();
    for (const [target, event] of targets) target?.removeEventListener(event, soon);
  };
}
