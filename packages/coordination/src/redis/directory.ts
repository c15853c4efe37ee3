/**
 * The Directory over shards: an entry lives in the shard of its key, with a sorted set of names to find prefixes and another of
 * expiries to forget by. A watcher keeps a copy of what it watches, a shard at a time: read again when the shard says, over the
 * change channel, that it changed, or when its stamp, looked at every second, is another.
 */
import { ClusterError, type Clock } from '@veilcast/protocol';
import { z } from 'zod';
import type { Directory, Entry } from '../ports.ts';
import { DIRECTORY_SHARDS, shardOf, type Keys } from './keys.ts';
import type { Link } from './link.ts';
import { LIST, PUT, REMOVE, SWEEP } from './scripts.ts';
import { answerOf, type Listening, type Run } from './view.ts';

const KEY_LENGTH = 512;
const VALUE_LENGTH = 64 * 1024;
/** Entries of one shard. */
const ENTRIES_MAX = 4_096;
/** Names in one answer. More: other scripts wait longer. Fewer: more ways. */
const PAGE = 128;
/** How long a shard that nobody writes to is kept; no entry lives longer. */
const MEMORY_MS = 86_400_000;
/** How often stamps are looked at and expired entries forgotten, while somebody watches. Longer: a death is seen later. */
const SWEEP_EVERY_MS = 1_000;

const Version = z.number().int().nonnegative();
const Yes = z.union([z.literal(0), z.literal(1)]);
const Listed = z
  .array(z.union([z.string().max(VALUE_LENGTH), Version]))
  .min(1)
  .max(1 + 3 * PAGE);
const Stamp = z.string().max(20);

const shards: readonly number[] = Array.from({ length: DIRECTORY_SHARDS }, (_, shard) => shard);

export interface DirectoryIn extends Directory {
  /** The connection was lost for a while: what was told meanwhile was missed. */
  lookAgain(): void;
}

export interface DirectoryOptions extends Listening {
  readonly keys: Keys;
  readonly run: Run;
  readonly link: Pick<Link, 'subscribe' | 'unsubscribe'>;
  readonly clock: Clock;
}

export function directoryIn(options: DirectoryOptions): DirectoryIn {
  const { keys, run, alive, owned } = options;
  const list = async (shard: number, prefix: string): Promise<Entry[]> => {
    const entries: Entry[] = [];
    let after = '';
    do {
      const args = [keys.changes(shard), prefix, after, `${PAGE}`];
      const [last, ...fields] = answerOf(Listed, await run('list', LIST, keys.directory(shard), args));
      for (let at = 0; at + 2 < fields.length; at += 3)
        entries.push({ key: String(fields[at]), version: Number(fields[at + 1]), value: String(fields[at + 2]) });
      after = String(last);
    } while (after !== '');
    return entries;
  };
  const watchers = new Watchers(options, list);
  return {
    put: async (key, value, ttlMs) => {
      alive();
      if (key.length > KEY_LENGTH || value.length > VALUE_LENGTH) throw new ClusterError('OVERSIZE');
      const shard = shardOf(key, DIRECTORY_SHARDS);
      const ttl = Math.min(ttlMs, MEMORY_MS);
      const args = [keys.changes(shard), key, value, `${ttl}`, `${ENTRIES_MAX}`, `${MEMORY_MS}`];
      const version = answerOf(Version, await run('put', PUT, keys.directory(shard), args));
      if (version === 0) throw new ClusterError('OVERLOADED', 'too many entries');
      return { key, value, version };
    },
    remove: async ({ key, version }) => {
      alive();
      const shard = shardOf(key, DIRECTORY_SHARDS);
      const args = [keys.changes(shard), key, `${version}`];
      return answerOf(Yes, await run('remove', REMOVE, keys.directory(shard), args)) === 1;
    },
    list: async (prefix) => {
      alive();
      return sorted((await Promise.all(shards.map((shard) => list(shard, prefix)))).flat());
    },
    watch: (prefix, listener) => {
      alive();
      const watcher = new Watcher(prefix, listener);
      watchers.add(watcher);
      return owned(() => watchers.remove(watcher));
    },
    lookAgain: () => watchers.lookAgain(),
  };
}

function sorted(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

class Watcher {
  readonly prefix: string;
  readonly listener: (entries: readonly Entry[]) => void;
  /** What each shard had when it was last read. */
  readonly copies = new Map<number, readonly Entry[]>();
  /** A shard that is being read; true: and has changed since. */
  readonly reading = new Map<number, boolean>();
  told: string | undefined;

  constructor(prefix: string, listener: (entries: readonly Entry[]) => void) {
    this.prefix = prefix;
    this.listener = listener;
  }
}

class Watchers {
  readonly #options: DirectoryOptions;
  readonly #list: (shard: number, prefix: string) => Promise<readonly Entry[]>;
  readonly #watchers = new Set<Watcher>();
  /** The stamps of the shards when the watchers were last told to read them. */
  readonly #stamps = new Map<number, string>();
  #stop: (() => void) | undefined;

  constructor(options: DirectoryOptions, list: (shard: number, prefix: string) => Promise<readonly Entry[]>) {
    this.#options = options;
    this.#list = list;
  }

  add(watcher: Watcher): void {
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#start();
    for (const shard of shards) void this.#read(watcher, shard);
  }

  remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    this.#stop?.();
    for (const shard of shards) this.#options.link.unsubscribe(this.#options.keys.changes(shard));
  }

  lookAgain(): void {
    for (const shard of shards) this.#changed(shard);
  }

  #start(): void {
    const { clock, link, keys } = this.#options;
    for (const shard of shards) link.subscribe(keys.changes(shard), () => this.#changed(shard));
    this.#stop = clock.every(SWEEP_EVERY_MS, () => {
      for (const shard of shards) void this.#sweep(shard);
    });
  }

  #changed(shard: number): void {
    for (const watcher of this.#watchers) void this.#read(watcher, shard);
  }

  async #sweep(shard: number): Promise<void> {
    const { keys, run } = this.#options;
    try {
      const args = [keys.changes(shard)];
      const stamp = answerOf(Stamp, await run('sweep', SWEEP, keys.directory(shard), args));
      const known = this.#stamps.get(shard);
      this.#stamps.set(shard, stamp);
      if (known !== stamp) this.#changed(shard);
    } catch {
      // Counted where it was asked. The next look comes by itself.
      this.#stamps.delete(shard);
    }
  }

  /** One reading of a shard at a time; changes meanwhile make one more, however many they are. */
  async #read(watcher: Watcher, shard: number): Promise<void> {
    if (watcher.reading.has(shard)) {
      watcher.reading.set(shard, true);
      return;
    }
    try {
      do {
        watcher.reading.set(shard, false);
        watcher.copies.set(shard, await this.#list(shard, watcher.prefix));
      } while (watcher.reading.get(shard) === true && this.#watchers.has(watcher));
      this.#tell(watcher);
    } catch {
      // Not told what is not known: with the store away the last list stands.
      this.#stamps.delete(shard);
    } finally {
      watcher.reading.delete(shard);
    }
  }

  #tell(watcher: Watcher): void {
    if (!this.#watchers.has(watcher) || watcher.copies.size < DIRECTORY_SHARDS) return;
    const entries = sorted([...watcher.copies.values()].flat());
    const telling = JSON.stringify(entries.map(({ key, value }) => [key, value]));
    if (telling === watcher.told) return;
    watcher.told = telling;
    try {
      watcher.listener(entries);
    } catch (error) {
      this.#options.report(error);
    }
  }
}
