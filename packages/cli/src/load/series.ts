/** What was measured in each second of a run, for its plots and for who watches it. Pure. */
import type { Sample } from './sample.ts';

/** A run of an hour. What comes later is left out of the plots; the figures have it. */
const SECONDS_MAX = 3_600;
/** k6's extension sends at most some hundreds in a second. */
const VALUES_MAX = 2_000;
/** Each generator says how many of its people are there: together they are the sum. */
const PEOPLE = 'veilcast_peers';

export class Series {
  /** By metric, the values of each second of the run. */
  readonly #seconds = new Map<string, number[][]>();
  /** By generator, how many people it has at the end of each second. */
  readonly #people = new Map<number, (number | undefined)[]>();
  #began: number | undefined;
  /** By code, what was refused or ended. */
  readonly #codes = new Map<string, number>();

  /** @param generator whose sample it is */
  add({ metric, at, value, code }: Sample, generator = 0): void {
    this.#began ??= at;
    const isRefusal = metric === 'veilcast_join_ok' && value === 0;
    if (code !== undefined && (isRefusal || value > 0)) {
      const count = isRefusal ? 1 : value;
      this.#codes.set(code, (this.#codes.get(code) ?? 0) + count);
    }
    const second = Math.floor((at - this.#began) / 1_000);
    if (second < 0 || second >= SECONDS_MAX) return;
    if (metric === PEOPLE) {
      const people = this.#people.get(generator) ?? [];
      this.#people.set(generator, people);
      people[second] = value;
      return;
    }
    const seconds = this.#seconds.get(metric) ?? [];
    if (seconds.length === 0) this.#seconds.set(metric, seconds);
    const values = (seconds[second] ??= []);
    if (values.length < VALUES_MAX) values.push(value);
  }

  /** Codes of refusals and of calls that ended, with their counts. */
  get codes(): ReadonlyMap<string, number> {
    return this.#codes;
  }

  /** One value a second; undefined where there was none. */
  each(metric: string, of: (values: readonly number[]) => number): (number | undefined)[] {
    return Array.from(this.#seconds.get(metric) ?? [], (values) => (values?.length ? of(values) : undefined));
  }

  /** How many there were in each second, of all generators. */
  people(): number[] {
    const all = [...this.#people.values()];
    const length = Math.max(0, ...all.map((one) => one.length));
    return Array.from({ length }, (_, second) => sum(all.map((one) => lastUntil(one, second))));
  }

  /** The last second in which this was measured. */
  last(metric: string, of: (values: readonly number[]) => number): number | undefined {
    return this.each(metric, of).findLast((value) => value !== undefined);
  }
}

function lastUntil(values: readonly (number | undefined)[], second: number): number {
  return values.slice(0, second + 1).findLast((value) => value !== undefined) ?? 0;
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
