/**
 * Who tells newcomers what the Room keeps: the member with the lowest leaf of those who were there, once for all who came
 * together. A newcomer whom nobody told asks the next ones in the order of leaves. Pure: `now` in ms is an argument.
 */
import type { PeerId } from '@veilcast/protocol';

/** Newcomers who come within this time get one answer. */
export const GATHER_MS = 150;
/** How long a newcomer waits to be told, and then for each one it asked. */
export const TOLD_WITHIN_MS = 1_500;
/** Members asked before a newcomer takes it that nothing is kept. */
export const HISTORY_ASKS_MAX = 3;
/** The same newcomer is not told again within this time, however often it asks. */
const TOLD_AGAIN_MS = 5_000;
/** Answers taken for one entry: of the one whose turn it is, and of those asked. */
const ANSWERS_MAX = 1 + HISTORY_ASKS_MAX;

export interface Standing {
  readonly self: PeerId;
  /** In the order of leaves, ourselves among them. */
  readonly members: readonly PeerId[];
  readonly added: readonly PeerId[];
  /** We came in with this Epoch ourselves. */
  readonly entered: boolean;
}

export class Newcomers {
  #self: PeerId | undefined;
  #members: readonly PeerId[] = [];
  /** Came lately and were told nothing yet. */
  #untold = new Set<PeerId>();
  #answerAt: number | undefined;
  readonly #toldAt = new Map<PeerId, number>();
  /** Members who were there when we came. Empty: we wait for nothing. */
  #elders: readonly PeerId[] = [];
  #askAt: number | undefined;
  #asks = 0;
  #answers = 0;

  get wakeAt(): number | undefined {
    return earliest(this.#answerAt, this.#askAt);
  }

  follow({ self, members, added, entered }: Standing, now: number): void {
    this.#self = self;
    this.#members = members;
    const here = new Set(members);
    for (const gone of this.#toldAt.keys()) if (!here.has(gone)) this.#toldAt.delete(gone);
    this.#untold = new Set([...this.#untold].filter((peerId) => here.has(peerId)));
    if (entered) {
      this.#elders = members.filter((peerId) => peerId !== self);
      this.#asks = 0;
      this.#answers = 0;
      this.#askAt = this.#elders.length > 0 ? now + TOLD_WITHIN_MS : undefined;
      return;
    }
    for (const peerId of added) {
      this.#untold.add(peerId);
      this.#toldAt.delete(peerId);
    }
    if (this.#untold.size > 0) this.#answerAt ??= now + GATHER_MS;
  }

  /** Whom to tell now, if it is our turn, and whom to ask now. */
  due(now: number): { readonly tell: readonly PeerId[]; readonly ask: PeerId | undefined } {
    let tell: PeerId[] = [];
    if (this.#answerAt !== undefined && now >= this.#answerAt) {
      this.#answerAt = undefined;
      const [first] = this.#members.filter((peerId) => !this.#untold.has(peerId));
      if (first === this.#self && this.#knows) tell = [...this.#untold];
      for (const peerId of tell) this.#toldAt.set(peerId, now);
      this.#untold.clear();
    }
    if (this.#askAt === undefined || now < this.#askAt) return { tell, ask: undefined };
    const elders = this.#elders.filter((peerId) => this.#members.includes(peerId));
    if (this.#asks >= HISTORY_ASKS_MAX || elders.length === 0) {
      this.#askAt = undefined;
      return { tell, ask: undefined };
    }
    this.#asks += 1;
    this.#askAt = now + TOLD_WITHIN_MS;
    return { tell, ask: elders[this.#asks % elders.length] };
  }

  /** Somebody asks us. Returns whether it gets an answer. */
  asked(by: PeerId, now: number): boolean {
    if (!this.#knows || now - (this.#toldAt.get(by) ?? Number.NEGATIVE_INFINITY) < TOLD_AGAIN_MS) return false;
    this.#toldAt.set(by, now);
    return true;
  }

  /** Somebody tells us. Returns whether we take it: from one who was there before us, and not for ever. */
  told(by: PeerId): boolean {
    if (!this.#elders.includes(by) || this.#answers >= ANSWERS_MAX) return false;
    this.#answers += 1;
    this.#askAt = undefined;
    return true;
  }

  /** We were told, or came first. */
  get #knows(): boolean {
    return this.#elders.length === 0 || this.#answers > 0 || this.#askAt === undefined;
  }
}

export function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
