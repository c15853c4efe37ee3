/** What k6 says while it runs, a line a sample, gathered by metric and second. Pure. */
import { z } from 'zod';

const Point = z.object({
  type: z.literal('Point'),
  metric: z.string().max(128),
  data: z.object({
    time: z.string().max(64),
    value: z.number(),
    tags: z.record(z.string(), z.string()).optional(),
  }),
});

/** Metrics of ours; k6's own say nothing of a cluster. */
const PREFIX = 'veilcast_';
/** A run of an hour. What comes later is left out of the plots; k6's own summary has it. */
const SECONDS_MAX = 3_600;
/** k6's extension sends at most some hundreds in a second. */
const VALUES_MAX = 2_000;

export class Series {
  /** By metric, the values of each second of the run. */
  readonly #seconds = new Map<string, number[][]>();
  #began: number | undefined;
  /** By code, what was refused or ended. */
  readonly #codes = new Map<string, number>();

  /** One line of `k6 run --out json=-`. What is no sample of ours is passed over. */
  add(line: string): void {
    const point = read(line);
    if (!point?.metric.startsWith(PREFIX)) return;
    const { metric, data } = point;
    const at = Date.parse(data.time);
    if (Number.isNaN(at)) return;
    this.#began ??= at;
    const code = data.tags?.code;
    const isRefusal = metric === 'veilcast_join_ok' && data.value === 0;
    if (code !== undefined && (isRefusal || data.value > 0)) {
      const count = isRefusal ? 1 : data.value;
      this.#codes.set(code, (this.#codes.get(code) ?? 0) + count);
    }
    const second = Math.floor((at - this.#began) / 1_000);
    if (second < 0 || second >= SECONDS_MAX) return;
    const seconds = this.#seconds.get(metric) ?? [];
    if (seconds.length === 0) this.#seconds.set(metric, seconds);
    const values = (seconds[second] ??= []);
    if (values.length < VALUES_MAX) values.push(data.value);
  }

  /** Codes of refusals and of calls that ended, with their counts. */
  get codes(): ReadonlyMap<string, number> {
    return this.#codes;
  }

  /** One value a second; undefined where there was none. */
  each(metric: string, of: (values: readonly number[]) => number): (number | undefined)[] {
    return Array.from(this.#seconds.get(metric) ?? [], (values) => (values?.length ? of(values) : undefined));
  }

  /** The last second in which this was measured. */
  last(metric: string, of: (values: readonly number[]) => number): number | undefined {
    return this.each(metric, of).findLast((value) => value !== undefined);
  }
}

function read(line: string): z.infer<typeof Point> | undefined {
  if (!line.startsWith('{"metric"') && !line.startsWith('{"type":"Point"')) return undefined;
  try {
    return Point.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** @param q 0 to 1 */
export function quantile(q: number): (values: readonly number[]) => number {
  return (values) => {
    const sorted = values.toSorted((one, other) => one - other);
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
  };
}
