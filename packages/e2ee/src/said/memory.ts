/**
 * What this member remembers of what was said, and what others tell it they remember. Entries are made here alone, so
 * that nothing gets in without a kind that is kept, a payload that fits it and a mark of whose word it is.
 */
import type { PeerId } from '@veilcast/protocol';
import { decodeText } from '../bytes.ts';
import { isKindName, KINDS, type SayingName } from './kinds.ts';
import type { HistoryEntry } from './kinds/repair.ts';
import type { LamportClock } from './lamport.ts';
import { answerOf, Latest, Log, type Entry } from './record.ts';

export interface Place {
  readonly stream: string;
  readonly number: number;
  readonly clock: number;
}

export class Memory {
  readonly log = new Log();
  readonly latest = new Latest();
  readonly #clock: LamportClock;

  constructor(clock: LamportClock) {
    this.#clock = clock;
  }

  /** Heard from its speaker, or said by us. Returns whether it is kept. */
  heard(kind: SayingName, payload: Uint8Array, by: PeerId, place: Place): boolean {
    if (KINDS[kind].keep === 'nothing') return false;
    const entry: Entry = {
      ...place,
      kind,
      payload: decodeText(payload) ?? '',
      by,
      name: this.nameOf(by),
      as: undefined,
      disputed: false,
    };
    if (KINDS[kind].keep === 'last') return this.latest.put(entry);
    this.log.put(entry);
    return true;
  }

  /** What another member remembers. Counts what was not taken. */
  remember(
    as: PeerId,
    told: readonly HistoryEntry[],
    { ours, present }: { readonly ours: string; readonly present: ReadonlySet<PeerId> },
  ): { malformed: number; contradictions: number } {
    const counts = { malformed: 0, contradictions: 0 };
    for (const { stream, number, clock, kind, by, name, payload } of told) {
      // Of our own stream nobody need tell us.
      if (stream === ours) continue;
      if (!isKept(kind) || KINDS[kind].decode(new TextEncoder().encode(payload)) === undefined) {
        counts.malformed += 1;
        continue;
      }
      const entry: Entry = {
        stream,
        number,
        clock: this.#clock.observe(clock, 0),
        kind,
        payload,
        by,
        name,
        // What the teller says of itself is its own word.
        as: by === as ? undefined : as,
        disputed: false,
      };
      if (KINDS[kind].keep === 'last') {
        if (present.has(by)) this.latest.put(entry);
      } else if (this.log.put(entry) === 'contradicts') counts.contradictions += 1;
    }
    return counts;
  }

  /** For a newcomer: who is who, and the newest lines. */
  answer(): HistoryEntry[] {
    return answerOf(this.latest.all(), this.log.entries);
  }

  /** For somebody who misses these frames of a stream whose speaker is gone. */
  answerOn(stream: string, from: number, count: number): HistoryEntry[] {
    const asked = this.log.entries.filter(
      (entry) => entry.stream === stream && entry.number >= from && entry.number < from + count,
    );
    return answerOf([], asked);
  }

  /** The number after the newest thing of a stream before `number` that anybody remembers. */
  remembersUpTo(stream: string, number: number): number | undefined {
    const known = [...this.log.entries, ...this.latest.all()].filter(
      (entry) => entry.stream === stream && entry.number < number,
    );
    return known.length === 0 ? undefined : Math.max(...known.map((entry) => entry.number)) + 1;
  }

  nameOf(peerId: PeerId): string {
    const profile = this.latest.get(peerId, 'profile');
    return profile ? (KINDS.profile.decode(new TextEncoder().encode(profile.payload))?.name ?? '') : '';
  }
}

function isKept(kind: string): kind is SayingName {
  return isKindName(kind) && KINDS[kind].keep !== 'nothing';
}
