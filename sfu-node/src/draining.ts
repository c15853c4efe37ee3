/**
 * Empties a Node: asks the owners of its Rooms to move its Peers away, a few at a time, and again while they are there, until
 * nobody is left or time is up. Level-triggered: what got lost is asked again.
 */
import type { Clock } from '@veilcast/protocol';

/** Between two looks. */
const LOOK_EVERY_MS = 100;
/** After this long a Peer that is still here is asked to be moved again. Longer than a move takes at most. */
export const ASK_AGAIN_MS = 12_000;
/** When everybody is gone, pipe ends get this long to follow: who is moved takes what it watches along first. */
const PIPES_MAX_MS = 15_000;

export interface DrainingOptions {
  readonly clock: Clock;
  readonly peersPerSecond: number;
  readonly deadlineMs: number;
  /** Peers that are here, in any order that stays. */
  readonly peers: () => readonly { readonly roomId: string; readonly peerId: string }[];
  readonly pipes: () => number;
  /** Asks that it be moved. False: nobody could be asked. */
  readonly ask: (peer: { readonly roomId: string; readonly peerId: string }) => boolean;
  /** `empty` false: time was up. Once. */
  readonly done: (empty: boolean) => void;
}

export class Draining {
  readonly #options: DrainingOptions;
  readonly #askedAt = new Map<string, number>();
  readonly #startedAt: number;
  readonly #stop: () => void;
  #allowance = 1;
  #lookedAt: number;
  #emptySince: number | undefined;

  constructor(options: DrainingOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    this.#lookedAt = this.#startedAt;
    this.#stop = options.clock.every(LOOK_EVERY_MS, () => this.#look());
  }

  close(): void {
    this.#stop();
  }

  #look(): void {
    const { clock, peers, deadlineMs } = this.#options;
    const now = clock.now();
    const here = peers();
    if (this.#isEmpty(here.length, now)) return this.#end(true);
    if (now - this.#startedAt >= deadlineMs) return this.#end(false);
    this.#allow(now);
    const keys = new Set(here.map(keyOf));
    for (const key of this.#askedAt.keys()) if (!keys.has(key)) this.#askedAt.delete(key);
    for (const peer of here) {
      if (this.#allowance < 1) break;
      const askedAt = this.#askedAt.get(keyOf(peer));
      if (askedAt !== undefined && now - askedAt < ASK_AGAIN_MS) continue;
      if (!this.#options.ask(peer)) continue;
      this.#askedAt.set(keyOf(peer), now);
      this.#allowance -= 1;
    }
  }

  /** What was not used in a second is not saved up: no burst after a lull. */
  #allow(now: number): void {
    const { peersPerSecond } = this.#options;
    const earned = ((now - this.#lookedAt) / 1_000) * peersPerSecond;
    this.#allowance = Math.min(Math.max(1, peersPerSecond), this.#allowance + earned);
    this.#lookedAt = now;
  }

  #isEmpty(peers: number, now: number): boolean {
    if (peers > 0) this.#emptySince = undefined;
    else this.#emptySince ??= now;
    if (this.#emptySince === undefined) return false;
    return this.#options.pipes() === 0 || now - this.#emptySince >= PIPES_MAX_MS;
  }

  #end(empty: boolean): void {
    this.#stop();
    this.#options.done(empty);
  }
}

function keyOf({ roomId, peerId }: { readonly roomId: string; readonly peerId: string }): string {
  return `${roomId} ${peerId}`;
}
