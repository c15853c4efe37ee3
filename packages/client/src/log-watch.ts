/**
 * Follows the log of bundles (ADR 0012): every head that anybody shows must be the beginning or the continuation of every other,
 * and no entry of ours may vouch for a key that is not this device's. The log's keeper is asked for proofs and believed nothing.
 */
import {
  acceptHead,
  foreignEntries,
  fromBase64Url,
  hexNameOf,
  LOG_ENTRY_BYTES,
  toBase64Url,
  type LogHead,
} from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { ClusterError, type PeerId } from '@veilcast/protocol';
import { extendFrontier, extendsLog, frontierRoot, leafHash, type Frontier } from '@veilcast/translog';
import { z } from 'zod';
import type { GroupWarning } from './workers/messages.ts';

/** Entries in one answer of signaling. */
const PAGE = 1_024;
/** Entries looked at for one head. A log that grew by more is looked at from its end. */
const PAGES_MAX = 4;
const HASH_CHARS = 43;
const PATH_MAX = 96;
/** Heads that wait to be compared. More is a flood: the newest counts. */
const WAITING_MAX = 32;

const hash = z.string().length(HASH_CHARS);
const Consistency = z.object({ path: z.array(hash).max(PATH_MAX) });
const Entries = z.object({
  frontier: z.array(hash).max(PATH_MAX),
  entries: z.string().max(Math.ceil((PAGE * LOG_ENTRY_BYTES * 4) / 3) + 4),
});

/** What is remembered of a log between visits. */
export interface RememberedHead {
  readonly head: Uint8Array<ArrayBuffer>;
  /** Entries before this one were looked at. */
  readonly looked: number;
}

export interface HeadMemory {
  get(log: string): Promise<RememberedHead | undefined>;
  put(log: string, remembered: RememberedHead): Promise<void>;
}

export interface LogWatchOptions {
  /** ML-DSA-65 public key that signs heads: one log for each. */
  readonly root: Uint8Array;
  readonly own: { readonly user: string; readonly key: Uint8Array };
  /** `GET /api/log/…`, as JSON. @throws ClusterError NOT_FOUND, or anything when nobody answers */
  readonly ask: (path: string) => Promise<unknown>;
  readonly memory: HeadMemory;
  readonly now: () => number;
  readonly warned: (warning: GroupWarning) => void;
}

export class LogWatch {
  readonly #options: LogWatchOptions;
  readonly #name: string;
  #tail: Promise<void>;
  #waiting = 0;
  #latest: { readonly head: LogHead; readonly bytes: Uint8Array } | undefined;
  #looked: number | undefined;

  constructor(options: LogWatchOptions) {
    this.#options = options;
    this.#name = hexNameOf(options.root);
    this.#tail = this.#recall();
  }

  /** The newest head, to be told to others. */
  get latest(): Uint8Array | undefined {
    return this.#latest?.bytes;
  }

  follows(root: Uint8Array, user: string): boolean {
    return this.#name === hexNameOf(root) && user === this.#options.own.user;
  }

  /** A head that the server or a member shows. Resolves when it was compared. */
  seen(bytes: Uint8Array, from: PeerId | undefined): Promise<void> {
    if (this.#waiting >= WAITING_MAX) return this.#tail;
    this.#waiting += 1;
    this.#tail = this.#tail
      .then(() => this.#compare(bytes, from))
      // Nobody answered: the next head is compared with the same one.
      .catch(() => undefined)
      .finally(() => (this.#waiting -= 1));
    return this.#tail;
  }

  async #recall(): Promise<void> {
    const { memory, root } = this.#options;
    const remembered = await memory.get(this.#name).catch(() => undefined);
    const head = remembered && (await acceptHead(remembered.head, root, signatures));
    if (!remembered || !head) return;
    this.#latest = { head, bytes: remembered.head };
    this.#looked = remembered.looked;
  }

  async #compare(bytes: Uint8Array, from: PeerId | undefined): Promise<void> {
    const head = await acceptHead(bytes, this.#options.root, signatures);
    if (!head) return this.#warn('logFork', from, 'bad-head', [bytes]);
    const latest = this.#latest;
    if (latest && !(await this.#agree(latest.head, head))) {
      return this.#warn('logFork', from, 'fork', [latest.bytes, bytes]);
    }
    if (latest && head.size <= latest.head.size) return;
    this.#latest = { head, bytes: bytes.slice() };
    await this.#look(head);
    const remembered = { head: bytes.slice(), looked: this.#looked ?? head.size };
    await this.#options.memory.put(this.#name, remembered).catch(() => undefined);
  }

  async #agree(a: LogHead, b: LogHead): Promise<boolean> {
    const [older, newer] = a.size <= b.size ? [a, b] : [b, a];
    if (older.size === newer.size || older.size === 0) return extendsLog(older, newer, []);
    try {
      const answer = await this.#options.ask(`/api/log/consistency?from=${older.size}&to=${newer.size}`);
      const path = Consistency.parse(answer).path.map(fromBase64Url);
      return extendsLog(older, newer, path);
    } catch (thrown) {
      // It has signed both and has no proof: they are of two logs.
      if (ClusterError.of(thrown).code === 'NOT_FOUND') return false;
      throw thrown;
    }
  }

  /** Every new entry, for keys that somebody was given in our name. */
  async #look(head: LogHead): Promise<void> {
    const from = Math.max(this.#looked ?? 0, head.size - PAGES_MAX * PAGE);
    let frontier: Frontier | undefined;
    let foreign = 0;
    for (let at = from; at < head.size;) {
      const to = Math.min(at + PAGE, head.size);
      const page = Entries.parse(await this.#options.ask(`/api/log/entries?from=${at}&to=${to}`));
      const entries = fromBase64Url(page.entries);
      if (entries.length !== (to - at) * LOG_ENTRY_BYTES) return this.#warn('logFork', undefined, 'entries', []);
      frontier ??= { size: at, hashes: page.frontier.map(fromBase64Url) };
      for (let i = 0; i < entries.length; i += LOG_ENTRY_BYTES) {
        frontier = extendFrontier(frontier, leafHash(entries.subarray(i, i + LOG_ENTRY_BYTES)));
      }
      foreign += foreignEntries(entries, this.#options.own).length;
      at = to;
    }
    const shown = frontier && frontierRoot(frontier);
    if (shown && !extendsLog({ ...head, root: shown }, head, [])) {
      return this.#warn('logFork', undefined, 'entries', []);
    }
    this.#looked = head.size;
    if (foreign > 0) this.#warn('otherDevice', undefined, String(foreign), []);
  }

  #warn(kind: 'logFork' | 'otherDevice', from: PeerId | undefined, reason: string, heads: readonly Uint8Array[]): void {
    const { now, warned } = this.#options;
    const peers = from === undefined ? [] : [from];
    warned({ kind, at: now(), epoch: 0, peers, reason, heads: heads.map(toBase64Url) });
  }
}
