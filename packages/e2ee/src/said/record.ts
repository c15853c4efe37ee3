/**
 * What the Room keeps of what was said, as this member has it: lines in one order, and the latest of each person. Every
 * entry says whether it was heard from its speaker or is what another member remembers; MLS proves only the former, so
 * it wins, and two memories that differ are marked and not reconciled.
 *
 * The order (ADR 0019): Lamport's clock, then the stream, then the number. Exact for one speaker, and the same for all.
 */
import type { PeerId } from '@veilcast/protocol';
import type { SayingName } from './kinds.ts';
import { HISTORY_BYTES_MAX, HISTORY_ENTRIES_MAX, type HistoryEntry } from './kinds/repair.ts';

/** Lines kept, and the bytes of their payloads. The oldest fall out. */
export const LOG_MAX = 500;
const LOG_BYTES_MAX = 524_288;

export interface Entry {
  readonly stream: string;
  readonly number: number;
  readonly clock: number;
  readonly kind: SayingName;
  /** JSON, as it was said. */
  readonly payload: string;
  readonly by: PeerId;
  /** The speaker's name at that time; empty when it was not known. */
  readonly name: string;
  /** Whose memory this is. Undefined: heard from the speaker, or said by us. */
  readonly as: PeerId | undefined;
  /** Another member remembers it differently. */
  readonly disputed: boolean;
}

export type Put = 'new' | 'confirmed' | 'known' | 'disputed' | 'contradicts';

export class Log {
  #entries: Entry[] = [];
  #bytes = 0;

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** contradicts: a memory of something that was heard otherwise; it changes nothing. */
  put(entry: Entry): Put {
    const place = this.#entries.findIndex((one) => one.stream === entry.stream && one.number === entry.number);
    const known = this.#entries[place];
    if (!known) return this.#insert(entry);
    const same = known.kind === entry.kind && known.payload === entry.payload;
    if (known.as === undefined) return same ? 'known' : 'contradicts';
    if (entry.as === undefined) {
      this.#remove(place);
      this.#insert(entry);
      return 'confirmed';
    }
    if (same || known.disputed) return 'known';
    this.#entries = this.#entries.with(place, { ...known, disputed: true });
    return 'disputed';
  }

  #insert(entry: Entry): Put {
    const place = this.#entries.findLastIndex((one) => inOrder(one, entry) < 0) + 1;
    this.#entries = this.#entries.toSpliced(place, 0, entry);
    this.#bytes += entry.payload.length;
    while (this.#entries.length > LOG_MAX || this.#bytes > LOG_BYTES_MAX) this.#remove(0);
    return 'new';
  }

  #remove(place: number): void {
    this.#bytes -= this.#entries[place]?.payload.length ?? 0;
    this.#entries = this.#entries.toSpliced(place, 1);
  }
}

export function inOrder(a: Entry, b: Entry): number {
  if (a.clock !== b.clock) return a.clock - b.clock;
  if (a.stream !== b.stream) return a.stream < b.stream ? -1 : 1;
  return a.number - b.number;
}

/** The latest of each kind that each member present said of itself. */
export class Latest {
  readonly #entries = new Map<PeerId, Map<SayingName, Entry>>();

  get(by: PeerId, kind: SayingName): Entry | undefined {
    return this.#entries.get(by)?.get(kind);
  }

  /** Returns whether it changed anything. Memories give way to what was heard, older things to newer. */
  put(entry: Entry): boolean {
    const kinds = this.#entries.get(entry.by) ?? new Map<SayingName, Entry>();
    const known = kinds.get(entry.kind);
    const better =
      !known ||
      (known.as !== undefined && entry.as === undefined) ||
      ((known.as === undefined) === (entry.as === undefined) && newer(entry, known));
    if (!better) return false;
    kinds.set(entry.kind, entry);
    this.#entries.set(entry.by, kinds);
    return true;
  }

  /** Who is not here any more has no latest. */
  retain(present: ReadonlySet<PeerId>): void {
    for (const peerId of this.#entries.keys()) if (!present.has(peerId)) this.#entries.delete(peerId);
  }

  all(): Entry[] {
    return [...this.#entries.values()].flatMap((kinds) => [...kinds.values()]);
  }
}

function newer(entry: Entry, than: Entry): boolean {
  return entry.stream === than.stream ? entry.number > than.number : entry.clock >= than.clock;
}

/** The newest that fit one answer: first the latest of people, then lines. */
export function answerOf(latest: readonly Entry[], lines: readonly Entry[]): HistoryEntry[] {
  const answer: HistoryEntry[] = [];
  let bytes = 0;
  for (const entry of [...latest, ...lines.toReversed()]) {
    const { stream, number, clock, kind, by, name, payload } = entry;
    const told = { stream, number, clock, kind, by, name, payload };
    bytes += new TextEncoder().encode(JSON.stringify(told)).length + 1;
    if (bytes > HISTORY_BYTES_MAX || answer.length >= HISTORY_ENTRIES_MAX) break;
    answer.push(told);
  }
  return answer;
}
