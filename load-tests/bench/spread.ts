/** Many samples in a few numbers. */

export interface Spread {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  /** Where the true median lies, 19 times of 20, whatever the distribution. */
  readonly medianRange: readonly [low: number, high: number];
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** The value below which this share of the samples lies, between two of them in proportion. `sorted` is not empty. */
function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** The order statistics that enclose the median with 95 %: the binomial distribution, as a normal one. */
function medianRange(sorted: readonly number[]): readonly [number, number] {
  const reach = 0.98 * Math.sqrt(sorted.length);
  const low = Math.max(0, Math.floor(sorted.length / 2 - reach));
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + reach));
  return [sorted[low] ?? Number.NaN, sorted[high] ?? Number.NaN];
}

/** @throws RangeError without samples: a bench that saw nothing has no figure */
export function spreadOf(samples: readonly number[]): Spread {
  if (samples.length === 0) throw new RangeError('nothing was measured');
  const sorted = samples.toSorted((one, other) => one - other);
  return {
    count: sorted.length,
    min: sorted[0] ?? Number.NaN,
    median: quantile(sorted, 0.5),
    medianRange: medianRange(sorted),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max: sorted.at(-1) ?? Number.NaN,
  };
}
