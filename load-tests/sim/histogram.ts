/** Millions of delays in few numbers: buckets of a quarter of a millisecond. Pure. */

const BUCKET_MS = 0.25;
/** What is longer counts as this long. */
const LONGEST_MS = 120_000;

export interface Quantiles {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

export class Histogram {
  readonly #buckets = new Map<number, number>();
  #count = 0;
  #sum = 0;
  #max = 0;

  /** @param weight how many had it */
  add(ms: number, weight = 1): void {
    if (weight <= 0) return;
    const bucket = Math.floor(Math.min(ms, LONGEST_MS) / BUCKET_MS);
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + weight);
    this.#count += weight;
    this.#sum += ms * weight;
    if (ms > this.#max) this.#max = ms;
  }

  /** Zeros where nothing was added. */
  quantiles(): Quantiles {
    const [p50 = 0, p95 = 0, p99 = 0] = this.at([0.5, 0.95, 0.99]);
    const mean = this.#count > 0 ? this.#sum / this.#count : 0;
    return { count: Math.round(this.#count), mean: rounded(mean), p50, p95, p99, max: rounded(this.#max) };
  }

  /** The values below which these shares lie, ascending. */
  at(shares: readonly number[]): number[] {
    const sorted = [...this.#buckets].sort(([a], [b]) => a - b);
    const found: number[] = [];
    let [seen, next] = [0, 0];
    for (const [bucket, weight] of sorted) {
      // Inside of a bucket in proportion.
      while (next < shares.length && seen + weight >= (shares[next] ?? 1) * this.#count) {
        const inside = ((shares[next] ?? 1) * this.#count - seen) / weight;
        found.push(rounded((bucket + inside) * BUCKET_MS));
        next += 1;
      }
      seen += weight;
    }
    while (found.length < shares.length) found.push(rounded(this.#max));
    return found;
  }

  /** `[ms, share of all that had at most that]`, for a curve. */
  curve(points = 40): [number, number][] {
    const shares = Array.from({ length: points }, (_, n) => (n + 0.5) / points);
    if (this.#count === 0) return [];
    return this.at(shares).map((ms, n) => [ms, shares[n] ?? 1]);
  }
}

export function rounded(value: number): number {
  return Number(value.toPrecision(5));
}
