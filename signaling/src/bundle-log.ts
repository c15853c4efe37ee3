/** The log of bundles: entries in order, signed heads, proofs (ADR 0012). */
import { LOG_ENTRY_BYTES, logEntry, type LoggedKey, loggedKeys } from '@veilcast/e2ee/identity';
import { ClusterError, type Clock } from '@veilcast/protocol';
import { leafHash, MerkleLog, type Frontier } from '@veilcast/translog';
import type { Authority } from './authority.ts';
import { KeptList, type KeptStore } from './kept-list.ts';

/** Entries in one answer: 96 kB. */
export const ENTRIES_MAX = 1_024;

export interface BundleLogOptions {
  readonly authority: Pick<Authority, 'signHead'>;
  readonly clock: Clock;
  readonly store: KeptStore;
}

export class BundleLog {
  readonly #options: BundleLogOptions;
  readonly #tree = new MerkleLog();
  readonly #entries: Uint8Array[] = [];
  #kept: KeptList | undefined;
  #head: { readonly size: number; readonly bytes: Promise<Uint8Array> } | undefined;

  private constructor(options: BundleLogOptions) {
    this.#options = options;
  }

  static async open(options: BundleLogOptions): Promise<BundleLog> {
    const log = new BundleLog(options);
    log.#kept = await KeptList.open(options.store, (entry) => log.#take(entry));
    return log;
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Kept before anybody can be shown it. Resolves to its index. */
  async append(user: string, key: Uint8Array, bundle: Uint8Array): Promise<number> {
    const entry = Buffer.from(logEntry({ user, key, bundle })).toString('base64');
    const index = await this.#kept?.append(entry);
    if (index === undefined) throw new ClusterError('CLOSED');
    return index;
  }

  /** Has so many entries, if any process of the cluster does. */
  async reach(size: number): Promise<void> {
    if (size > this.size) await this.#kept?.catchUp();
  }

  inclusion(index: number, size: number): Uint8Array[] {
    return this.#tree.inclusion(index, size);
  }

  /** @throws ClusterError NOT_FOUND for sizes that it has not had */
  consistency(from: number, to: number): Uint8Array[] {
    if (from > to || to > this.size) throw new ClusterError('NOT_FOUND');
    return this.#tree.consistency(from, to);
  }

  /** One after the other, with the frontier that they extend. @throws ClusterError NOT_FOUND, OVERSIZE */
  entries(from: number, to: number): { frontier: Frontier; entries: Uint8Array } {
    if (from > to || to > this.size) throw new ClusterError('NOT_FOUND');
    if (to - from > ENTRIES_MAX) throw new ClusterError('OVERSIZE');
    const entries = new Uint8Array((to - from) * LOG_ENTRY_BYTES);
    for (const [i, entry] of this.#entries.slice(from, to).entries()) entries.set(entry, i * LOG_ENTRY_BYTES);
    return { frontier: this.#tree.frontier(from), entries };
  }

  /** Signed once for each size. */
  head(size = this.size): Promise<Uint8Array> {
    if (this.#head?.size !== size) {
      const { authority, clock } = this.#options;
      const bytes = authority.signHead({ size, root: this.#tree.root(size), at: clock.now() });
      this.#head = { size, bytes };
    }
    return this.#head.bytes;
  }

  /** The keys that were ever given a bundle, by their names. */
  async keysOf(wanted: LoggedKey): Promise<string[]> {
    await this.#kept?.catchUp();
    return loggedKeys(this.#entries, wanted);
  }

  async close(): Promise<void> {
    await this.#kept?.close();
  }

  #take(text: string): void {
    const entry = new Uint8Array(Buffer.from(text, 'base64'));
    this.#entries.push(entry);
    this.#tree.append(leafHash(entry));
  }
}
