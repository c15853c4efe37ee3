/**
 * What a Node told of before its own answer was taken in: it answers, the thing goes at once, and the word of that
 * may be read first. Whoever takes the answer in asks here whether it is over already.
 */
import type { ErrorCode } from '@veilcast/protocol';

/** Most ids kept for one Peer, the latest. Most are of things that the Room has forgotten itself and never asks for. */
const IDS_MAX = 256;

export class EarlyWords {
  readonly #gone = new Set<string>();
  /** Why the Peer is over, if it was told before the Peer had its place. */
  peerGone: ErrorCode | undefined;

  note(id: string): void {
    this.#gone.add(id);
    const [oldest] = this.#gone;
    if (this.#gone.size > IDS_MAX && oldest !== undefined) this.#gone.delete(oldest);
  }

  /** Whether this Consumer or Producer went already. */
  isGone(id: string): boolean {
    return this.#gone.has(id);
  }
}
