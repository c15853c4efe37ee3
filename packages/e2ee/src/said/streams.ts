/** The streams that a member follows, each bound to the owner who began it, and bounded in number. */
import type { PeerId } from '@veilcast/protocol';
import { firstNumber, type SaidFrame } from './frame.ts';
import { Incoming } from './incoming.ts';
import { ASK_MAX } from './kinds/repair.ts';
import type { Standing } from './newcomers.ts';
import { Gathering } from './pieces.ts';

/** Streams that are followed at once: everybody in a full group, and as many who were here before. */
const STREAMS_MAX = 256;
/** Streams of one owner: one a call; a page that is loaded anew begins another. */
const STREAMS_OF_ONE_MAX = 8;

/** Members who miss the same thing ask this far apart by place, so that the first one's question is heard in time. */
const ASK_SPREAD_MS = 15;

/** Who sent a message: MLS proves the Peer; the owner is who that Peer belongs to, over its reconnects. */
export interface Speaker {
  readonly peerId: PeerId;
  readonly owner: string;
}

export interface Stream {
  readonly owner: string;
  /** The Peer that spoke last in it. */
  speaker: PeerId;
  readonly incoming: Incoming;
  readonly gathering: Gathering;
  /** What its last frame's clock counted as. */
  clock: number;
}

export class Streams {
  readonly #ours: string;
  readonly #streams = new Map<string, Stream>();
  #place = 0;
  #present: ReadonlySet<PeerId> = new Set();
  /** Said things before we came, so their streams do not begin with what we hear first. */
  readonly #elders = new Set<PeerId>();

  constructor(ours: string) {
    this.#ours = ours;
  }

  follow({ self, members, added, entered }: Standing): void {
    this.#place = members.indexOf(self);
    this.#present = new Set(members);
    if (entered) for (const peerId of members) this.#elders.add(peerId);
    else for (const peerId of added) this.#elders.delete(peerId);
    for (const peerId of this.#elders) if (!this.#present.has(peerId)) this.#elders.delete(peerId);
  }

  get(id: string): Stream | undefined {
    return this.#streams.get(id);
  }

  all(): IterableIterator<[string, Stream]> {
    return this.#streams.entries();
  }

  /**
   * The stream that an ordered frame is of; opened with the first. `remembered` is the number after the newest thing in it
   * that anybody told us.
   */
  of(
    { peerId, owner }: Speaker,
    frame: SaidFrame,
    remembered: () => number | undefined,
  ): Stream | 'wrong-owner' | 'too-many-streams' {
    const known = this.#streams.get(frame.stream);
    if (frame.stream === this.#ours || (known && known.owner !== owner)) return 'wrong-owner';
    if (known) {
      known.speaker = peerId;
      return known;
    }
    if (!this.#makeRoom(owner)) return 'too-many-streams';
    const first = firstNumber(frame);
    // What was said before we came is not missing; what others remember of it shows where the rest begins.
    const next = this.#elders.has(peerId) ? (remembered() ?? first) : 1;
    const incoming = new Incoming(first - next > ASK_MAX ? first : next, this.#place * ASK_SPREAD_MS);
    const stream: Stream = { owner, speaker: peerId, incoming, gathering: new Gathering(), clock: 0 };
    this.#streams.set(frame.stream, stream);
    return stream;
  }

  /** Streams of those who are gone make room, first those of the same owner. */
  #makeRoom(owner: string): boolean {
    const gone = [...this.#streams].filter(([, { speaker }]) => !this.#present.has(speaker));
    const ofOne = [...this.#streams.values()].filter((stream) => stream.owner === owner).length;
    if (ofOne >= STREAMS_OF_ONE_MAX) {
      const oldest = gone.find(([, stream]) => stream.owner === owner);
      return oldest !== undefined && this.#streams.delete(oldest[0]);
    }
    if (this.#streams.size < STREAMS_MAX) return true;
    return gone[0] !== undefined && this.#streams.delete(gone[0][0]);
  }
}
