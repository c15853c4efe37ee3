/** Which counters were opened under one key: the highest and the 64 below it (IPsec's sliding window, RFC 4303 §3.4.3). */

/** Frames that may arrive late. Fewer: a layer switch drops frames. More: nothing gained, order is nearly kept. */
const REPLAY_WINDOW = 64n;

export class ReplayWindow {
  #highest = -1n;
  /** Bit i: `highest - i` was opened. */
  #seen = 0n;

  has(ctr: bigint): boolean {
    if (ctr > this.#highest) return false;
    const age = this.#highest - ctr;
    return age >= REPLAY_WINDOW || ((this.#seen >> age) & 1n) === 1n;
  }

  add(ctr: bigint): void {
    if (ctr > this.#highest) {
      const ahead = ctr - this.#highest;
      this.#seen = ahead >= REPLAY_WINDOW ? 1n : BigInt.asUintN(Number(REPLAY_WINDOW), this.#seen << ahead) | 1n;
      this.#highest = ctr;
    } else this.#seen |= 1n << (this.#highest - ctr);
  }
}
