/**
 * A Room's Router on one Worker: which Producers can be consumed on it, which Nodes their media crossed, and who waits
 * for one to come. A Producer belongs to the Peer or to the Pipe that opened it here; its id is the same on every Router.
 */
import { ClusterError } from '@veilcast/protocol';
import { mediaError } from './media/errors.ts';
import type { MediaProducer, MediaRouter } from './media/port.ts';
import type { LiveWorker } from './media/worker.ts';
import { RouterVoices, type HeardVoice } from './voices.ts';

/** Producers on one Router: 100 Peers with eight each, and as much again. */
const PRODUCERS_PER_ROUTER_MAX = 2_000;
/** Consumes that wait on one Router for their Producer to come. */
export const WAITERS_PER_ROUTER_MAX = 10_000;

/** A Producer that is here. */
export interface Present {
  readonly producer: MediaProducer;
  /** The Nodes that its media crossed, the publisher's first, this one last. */
  readonly path: readonly string[];
}

interface Entry {
  readonly owner: object;
  readonly path: readonly string[];
  opened: Promise<MediaProducer>;
  producer: MediaProducer | undefined;
}

interface Waiter {
  resolve(present: Present): void;
  reject(error: ClusterError): void;
}

export class RoomRouter {
  readonly media: MediaRouter;
  readonly worker: LiveWorker;
  readonly voices: RouterVoices;
  readonly #onChange: () => void;
  readonly #entries = new Map<string, Entry>();
  readonly #waiters = new Map<string, Set<Waiter>>();
  #waiting = 0;

  constructor(media: MediaRouter, worker: LiveWorker, onChange: () => void, onVoices: (voices: HeardVoice[]) => void) {
    this.media = media;
    this.worker = worker;
    this.voices = new RouterVoices(media, onVoices);
    this.#onChange = onChange;
  }

  /** All that can be consumed here. */
  get producerIds(): string[] {
    return [...this.#entries].flatMap(([id, entry]) => (entry.producer ? [id] : []));
  }

  get waiting(): number {
    return this.#waiting;
  }

  find(producerId: string): Present | undefined {
    const entry = this.#entries.get(producerId);
    return entry?.producer && { producer: entry.producer, path: entry.path };
  }

  /**
   * Opens a Producer for its owner, once, whoever asks how often.
   * @throws ClusterError MALFORMED (another owner has this id here), OVERLOADED, CLOSED (it was closed meanwhile)
   */
  open(
    producerId: string,
    owner: object,
    path: readonly string[],
    make: () => Promise<MediaProducer>,
  ): Promise<MediaProducer> {
    const present = this.#entries.get(producerId);
    if (present) {
      if (present.owner === owner) return present.opened;
      throw new ClusterError('MALFORMED', 'this Producer is on this Router already, from elsewhere');
    }
    if (this.#entries.size >= PRODUCERS_PER_ROUTER_MAX) throw new ClusterError('OVERLOADED', 'too many Producers');
    const entry: Entry = { owner, path, producer: undefined, opened: undefined as never };
    this.#entries.set(producerId, entry);
    entry.opened = this.#make(producerId, entry, make);
    return entry.opened;
  }

  async #make(producerId: string, entry: Entry, make: () => Promise<MediaProducer>): Promise<MediaProducer> {
    let producer: MediaProducer;
    try {
      producer = await make();
    } catch (error) {
      if (this.#entries.get(producerId) !== entry) throw new ClusterError('CLOSED', undefined, { cause: error });
      this.#entries.delete(producerId);
      // Its worker says no to parameters that contradict each other or what is there.
      throw mediaError(error, 'MALFORMED');
    }
    if (this.#entries.get(producerId) !== entry) {
      producer.close();
      throw new ClusterError('CLOSED');
    }
    entry.producer = producer;
    const waiters = this.#waiters.get(producerId) ?? [];
    for (const waiter of waiters) waiter.resolve({ producer, path: entry.path });
    this.#onChange();
    return producer;
  }

  /** Closes the Producer of this id, if `owner` has it (or whoever, when left out); its Consumers go with it. */
  closeProducer(producerId: string, owner?: object): boolean {
    const entry = this.#entries.get(producerId);
    if (!entry || (owner && entry.owner !== owner)) return false;
    this.#entries.delete(producerId);
    entry.producer?.close();
    this.#onChange();
    return true;
  }

  /** Closes all that an owner opened here. */
  closeProducersOf(owner: object): void {
    for (const [id, entry] of this.#entries) if (entry.owner === owner) this.closeProducer(id, owner);
  }

  producersOf(owner: object): string[] {
    return [...this.#entries].flatMap(([id, entry]) => (entry.owner === owner ? [id] : []));
  }

  /** Resolves as soon as the Producer is here. @throws ClusterError: the signal's reason, OVERLOADED, or CLOSED with the Router */
  arrival(producerId: string, signal: AbortSignal): Promise<Present> {
    const present = this.find(producerId);
    if (present) return Promise.resolve(present);
    if (signal.aborted) return Promise.reject(reasonOf(signal));
    if (this.#waiting >= WAITERS_PER_ROUTER_MAX) return Promise.reject(new ClusterError('OVERLOADED'));
    return new Promise((resolve, reject) => {
      const waiters = this.#waiters.get(producerId) ?? new Set();
      const leave = (): void => {
        signal.removeEventListener('abort', onAbort);
        if (!waiters.delete(waiter)) return;
        this.#waiting--;
        if (waiters.size === 0) this.#waiters.delete(producerId);
      };
      const waiter: Waiter = {
        resolve: (arrived) => {
          leave();
          resolve(arrived);
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const onAbort = (): void => waiter.reject(reasonOf(signal));
      signal.addEventListener('abort', onAbort);
      this.#waiters.set(producerId, waiters.add(waiter));
      this.#waiting++;
    });
  }

  /** Ends the Router and all on it. */
  close(): void {
    this.media.close();
    this.#entries.clear();
    for (const waiters of this.#waiters.values())
      for (const waiter of waiters) waiter.reject(new ClusterError('CLOSED'));
  }
}

function reasonOf(signal: AbortSignal): ClusterError {
  const reason: unknown = signal.reason;
  return reason instanceof ClusterError ? reason : new ClusterError('DEADLINE', undefined, { cause: reason });
}
