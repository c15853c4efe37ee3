/**
 * What was said, drawn into the snapshot: names, hands and lines, each with whose word it is. Knows no network and no
 * browser, so that tests run it in Node.
 */
import { KINDS, type Entry } from '@veilcast/e2ee/said';
import type { PeerId } from '@veilcast/protocol';
import type { ChatLine } from './call.ts';
import type { People, SnapshotStore } from './snapshot.ts';
import type { Talk } from './talk.ts';

export type Told = Pick<Talk, 'memory' | 'stream' | 'isPending'>;

export class TalkPicture {
  readonly #store: SnapshotStore;
  readonly #people: People;
  #drawing = false;

  constructor(store: SnapshotStore, people: People) {
    this.#store = store;
    this.#people = people;
  }

  /** A burst of frames is drawn once. */
  drawSoon(told: Told): void {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      this.#draw(told);
    });
  }

  #draw(told: Told): void {
    const { latest, log } = told.memory;
    for (const { peerId } of this.#people.list()) {
      const profile = latest.get(peerId, 'profile');
      const hand = latest.get(peerId, 'hand');
      if (!profile && !hand) continue;
      const name = valueOf(profile, 'profile')?.name ?? '';
      this.#people.profile(peerId, {
        name,
        nameAs: profile?.as,
        handRaised: valueOf(hand, 'hand')?.raised ?? false,
      });
    }
    this.#store.set({ chat: log.entries.flatMap((entry) => this.#line(entry, told) ?? []) });
  }

  line(told: Told, stream: string, number: number): ChatLine | undefined {
    const entry = told.memory.log.entries.findLast((one) => one.stream === stream && one.number === number);
    return entry && this.#line(entry, told);
  }

  #line(entry: Entry, { memory, stream, isPending }: Told): ChatLine | undefined {
    const said = valueOf(entry, 'chat');
    if (!said) return undefined;
    const own = entry.stream === stream;
    const { by, as, disputed, number } = entry;
    return {
      id: `${entry.stream} ${number}`,
      from: by,
      name: own ? this.#store.snapshot.self.name : memory.nameOf(by) || entry.name,
      text: said.text,
      at: said.at,
      own,
      pending: own && isPending(number),
      as: as === undefined ? undefined : { peerId: as, name: this.#nameOf(as) },
      disputed,
    };
  }

  #nameOf(peerId: PeerId): string {
    return this.#people.get(peerId)?.name ?? '';
  }
}

const utf8 = new TextEncoder();
/** Entries never change, and most of them are drawn many times. */
const values = new WeakMap<Entry, unknown>();

/** Undefined where there is none, or one of another kind. */
function valueOf<N extends 'profile' | 'hand' | 'chat'>(
  entry: Entry | undefined,
  kind: N,
): ReturnType<(typeof KINDS)[N]['decode']> | undefined {
  if (entry?.kind !== kind) return undefined;
  if (!values.has(entry)) values.set(entry, KINDS[kind].decode(utf8.encode(entry.payload)));
  return values.get(entry) as ReturnType<(typeof KINDS)[N]['decode']>;
}
