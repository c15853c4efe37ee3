/**
 * A list that only grows and outlives this process: the log of bundles, the devices that were revoked. Where several processes serve
 * one root they append to one journal, agree there on the order, and follow each other's entries (ADR 0029).
 */
import type { Appended, Bus, Journals } from '@veilcast/coordination';
import { ClusterError } from '@veilcast/protocol';

/** Where the entries are kept. Texts, none of them secret. */
export interface KeptStore {
  /** Resolves when they outlive this process; refused where the list ends elsewhere. */
  append(at: number, entries: readonly string[]): Promise<Appended>;
  read(from: number): Promise<readonly string[]>;
  /** Told when another process has appended. */
  onGrown?(listener: () => void): void;
  close(): Promise<void>;
}

/** Others may be first so often in a row. More than processes can be; fewer and a store that is broken is asked for ever. */
const TRIES = 64;

export class KeptList {
  readonly #store: KeptStore;
  readonly #took: (entry: string, index: number) => void;
  readonly #entries: string[] = [];
  #tail: Promise<unknown> = Promise.resolve();

  private constructor(store: KeptStore, took: (entry: string, index: number) => void) {
    this.#store = store;
    this.#took = took;
  }

  /** `took` is told of each entry once, in order, whoever wrote it. */
  static async open(store: KeptStore, took: (entry: string, index: number) => void): Promise<KeptList> {
    const list = new KeptList(store, took);
    await list.catchUp();
    store.onGrown?.(() => void list.catchUp().catch(() => undefined));
    return list;
  }

  get size(): number {
    return this.#entries.length;
  }

  /** Resolves to its index when it is kept. `unless`: not, if it is true by then; undefined. @throws what the store throws */
  append(entry: string, unless: () => boolean = () => false): Promise<number | undefined> {
    return this.#then(async () => {
      for (let tries = 0; tries < TRIES; tries++) {
        if (unless()) return undefined;
        const { kind, size } = await this.#store.append(this.size, [entry]);
        if (kind === 'appended') {
          this.#take([entry]);
          return this.size - 1;
        }
        // A store that has forgotten is told again: these entries were shown to people.
        if (size < this.size) await this.#store.append(size, this.#entries.slice(size));
        else this.#take(await this.#store.read(this.size));
      }
      throw new ClusterError('OVERLOADED', 'too many write at once');
    });
  }

  /** Takes what others have appended. */
  catchUp(): Promise<void> {
    return this.#then(async () => this.#take(await this.#store.read(this.size)));
  }

  async close(): Promise<void> {
    await this.#tail;
    await this.#store.close();
  }

  #then<T>(step: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(step);
    this.#tail = done.catch(() => undefined);
    return done;
  }

  #take(entries: readonly string[]): void {
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#took(entry, this.#entries.length - 1);
    }
  }
}

/** What all processes of a cluster share. `ttlMs`: forgotten after so long without an entry. */
export function sharedStore(
  { journals, bus }: { readonly journals: Journals; readonly bus: Bus },
  key: string,
  ttlMs?: number,
): KeptStore {
  let stop: (() => void) | undefined;
  return {
    async append(at, entries) {
      const appended = await journals.append(key, at, entries, ttlMs);
      // A hint: who does not hear it looks when it is asked for what it has not got.
      if (appended.kind === 'appended') void bus.publish(key, new Uint8Array(1)).catch(() => undefined);
      return appended;
    },
    read: (from) => journals.read(key, from),
    onGrown: (listener) => {
      stop = bus.subscribe(key, listener);
    },
    close: async () => stop?.(),
  };
}
