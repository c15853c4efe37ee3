/** A Room for tests: members with the real stream, Epochs, and a server that loses, doubles, delays and reorders. */
import type { PeerId } from '@veilcast/protocol';
import { type Heard, Said } from './said.ts';

export interface Faults {
  /** Per delivery, of 1,000. */
  readonly lose: number;
  readonly double: number;
  /** Delivered up to so many ms late, so also out of order. */
  readonly delayMs: number;
  /** Per request: it is refused and comes back later, as after a lost race. */
  readonly conflict: number;
  /** Per request: taken, but the answer is lost; of 1,000. */
  readonly unanswered: number;
}

export const HONEST: Faults = { lose: 0, double: 0, delayMs: 0, conflict: 0, unanswered: 0 };

export interface Member {
  readonly owner: string;
  readonly said: Said;
  peerId: PeerId;
  readonly heard: Heard[];
  readonly refused: string[];
  lost: number;
  /** The Epoch since which it is in the group. Undefined: out. */
  since: number | undefined;
}

interface Delivery {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** What a sealed message is here: the bytes, and the Epoch in which they can be opened. */
interface Sealed {
  readonly epoch: number;
  readonly from: Member;
  readonly peerId: PeerId;
  readonly bytes: Uint8Array;
}

export class World {
  readonly members: Member[] = [];
  now = 1_000;
  epoch = 0;
  faults = HONEST;
  /** Everything that the server was handed, for those who count. */
  readonly sent: Uint8Array[] = [];
  readonly #random: (below: number) => number;
  #deliveries: Delivery[] = [];
  #order = 0;
  #names = 0;

  constructor(random: (below: number) => number) {
    this.#random = random;
  }

  add(owner: string): Member {
    const stream = Array.from({ length: 32 }, () => this.#random(16).toString(16)).join('');
    const member: Member = {
      owner,
      peerId: owner as PeerId,
      heard: [],
      refused: [],
      lost: 0,
      since: undefined,
      said: new Said(stream, {
        heard: (heard) => void member.heard.push(heard),
        recorded: () => undefined,
        refused: (reason) => void member.refused.push(reason),
        lost: (_, count) => {
          member.lost += count;
        },
      }),
    };
    this.members.push(member);
    return member;
  }

  /** Enters, or comes back as a new Peer. */
  enter(member: Member): void {
    this.#names += 1;
    member.peerId = `${member.owner}-${this.#names}` as PeerId;
    this.epoch += 1;
    member.since = this.epoch;
    this.#tellEpoch([member.peerId], member);
  }

  /** Out of the group; what it says waits. */
  leave(member: Member): void {
    member.since = undefined;
    member.said.forsake();
    this.epoch += 1;
    this.#tellEpoch([], undefined);
  }

  get inside(): Member[] {
    return this.members.filter(({ since }) => since !== undefined).sort((a, b) => (a.since ?? 0) - (b.since ?? 0));
  }

  /** Runs for so long. */
  run(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      this.#sendAll();
      const wakes = this.members.map(({ said }) => said.wakeAt).filter((at) => at !== undefined);
      const next = Math.min(...wakes, ...this.#deliveries.map(({ at }) => at));
      if (next > end) break;
      this.now = Math.max(this.now, next);
      const due = this.#deliveries.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at || a.order - b.order);
      this.#deliveries = this.#deliveries.filter(({ at }) => at > this.now);
      for (const { run } of due) run();
      for (const { said } of this.members) if ((said.wakeAt ?? Infinity) <= this.now) said.wake(this.now);
    }
    this.now = end;
  }

  #later(ms: number, run: () => void): void {
    this.#order += 1;
    this.#deliveries.push({ at: this.now + ms, order: this.#order, run });
  }

  #chance(ofThousand: number): boolean {
    return ofThousand > 0 && this.#random(1_000) < ofThousand;
  }

  #sendAll(): void {
    for (const from of this.members) {
      if (from.since === undefined) continue;
      for (let sending = from.said.take(); sending; sending = from.said.take()) {
        const { id, bytes } = sending;
        if (this.#chance(this.faults.conflict)) {
          this.#later(30, () => from.said.untaken(id));
          continue;
        }
        this.#spread({ epoch: this.epoch, from, peerId: from.peerId, bytes });
        if (this.#chance(this.faults.unanswered)) this.#later(50, () => from.said.untaken(id));
        else this.#later(1, () => from.said.taken(id));
      }
    }
  }

  #spread(sealed: Sealed): void {
    this.sent.push(sealed.bytes);
    for (const to of this.inside) {
      if (to === sealed.from || (to.since ?? Infinity) > sealed.epoch || this.#chance(this.faults.lose)) continue;
      const copies = this.#chance(this.faults.double) ? 2 : 1;
      for (let copy = 0; copy < copies; copy++) {
        const { since } = to;
        this.#later(1 + this.#random(this.faults.delayMs + 1), () => {
          if (to.since === since)
            to.said.hear({ peerId: sealed.peerId, owner: sealed.from.owner }, sealed.bytes, this.now);
        });
      }
    }
  }

  #tellEpoch(added: readonly PeerId[], entered: Member | undefined): void {
    const members = this.inside.map(({ peerId }) => peerId);
    for (const member of this.inside) {
      const standing = {
        self: member.peerId,
        members,
        added: member === entered ? [] : added,
        entered: member === entered,
      };
      member.said.follow(standing, this.now);
    }
  }
}

/** The chat lines that a member has, in its order. */
export function linesOf({ said }: Member): string[] {
  return said.memory.log.entries.map(({ payload }) => (JSON.parse(payload) as { text: string }).text);
}
