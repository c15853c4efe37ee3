/** What is known of the way to one other Node: the last probes sent to it, which of them came back, and how soon. Pure. */

/** Answers that the round trip is the median of: one late packet of eight is no news. */
const ANSWERS = 8;
/** Probes that the loss is counted over. More: finer, and later. */
const WINDOW = 32;
/** A probe that has not come back by then is lost, ms. Longer than any way round the world. */
export const LOST_AFTER_MS = 1_500;

export class PathStats {
  /** By number, when each was sent. */
  readonly #waiting = new Map<number, number>();
  #answers: number[] = [];
  /** The newest last: whether it came back. */
  #outcomes: boolean[] = [];

  sent(seq: number, now: number): void {
    this.#waiting.set(seq, now);
  }

  /** An answer that nobody waits for any more changes nothing. */
  answered(seq: number, now: number): void {
    const at = this.#waiting.get(seq);
    if (at === undefined || now - at > LOST_AFTER_MS) return;
    this.#waiting.delete(seq);
    this.#answers = [...this.#answers, now - at].slice(-ANSWERS);
    this.#decided(true);
  }

  /** Looks at the time: what is overdue is lost. */
  judge(now: number): void {
    for (const [seq, at] of this.#waiting) {
      if (now - at <= LOST_AFTER_MS) continue;
      this.#waiting.delete(seq);
      this.#decided(false);
    }
  }

  #decided(cameBack: boolean): void {
    this.#outcomes = [...this.#outcomes, cameBack].slice(-WINDOW);
  }

  /** Median round trip of the last answers, ms; undefined: none came. */
  get rttMs(): number | undefined {
    const sorted = this.#answers.toSorted((a, b) => a - b);
    return sorted[Math.floor((sorted.length - 1) / 2)];
  }

  /** Share of the last probes that did not come back. */
  get lossRatio(): number {
    const lost = this.#outcomes.filter((cameBack) => !cameBack).length;
    return this.#outcomes.length === 0 ? 0 : lost / this.#outcomes.length;
  }
}
