/** Less than any amount: what rounding may be wrong by. */
const DUST = 1e-6;

/** A token bucket: so many on average, so many at once. Time is an argument. */
export class Budget {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#at = now;
  }

  /** Takes `amount` if it is there: 0. Otherwise takes nothing and says after how many ms it will be. */
  take(amount: number, now: number): number {
    this.#refill(now);
    if (amount <= this.#left + DUST) {
      this.#left -= amount;
      return 0;
    }
    return this.#waitFor(amount);
  }

  /** Takes `amount` in any case, into debt: for what has been received already. False: a whole burst deep in debt. */
  charge(amount: number, now: number): boolean {
    this.#refill(now);
    this.#left = Math.max(-this.#burst, this.#left - amount);
    return this.#left > -this.#burst;
  }

  /** 0: not in debt. Otherwise how many ms until it is not. */
  debtMs(now: number): number {
    this.#refill(now);
    return this.#left >= -DUST ? 0 : this.#waitFor(0);
  }

  #refill(now: number): void {
    const elapsed = Math.max(0, now - this.#at);
    this.#at = now;
    this.#left = Math.min(this.#burst, this.#left + (elapsed / 1_000) * this.#perSecond);
  }

  #waitFor(amount: number): number {
    return Math.max(1, Math.ceil(((Math.min(amount, this.#burst) - this.#left) / this.#perSecond) * 1_000));
  }
}
