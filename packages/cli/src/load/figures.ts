/**
 * All that was measured in a run, from the samples of as many generators as there were, and how it stands to the thresholds that the
 * scenario names. k6 judges its own samples alone, so the judgement over all of them is made here, for one as for many. Pure.
 */
import { ClusterError } from '@veilcast/protocol';
import { z } from 'zod';
import type { Sample } from './sample.ts';
import { sum } from './series.ts';

const KINDS = ['counter', 'gauge', 'rate', 'trend'] as const;

/** What k6 leaves at its end: which metrics there are, of which kind, and the rules for them. Its values are not used. */
export const Summary = z.object({
  metrics: z.record(
    z.string().max(128),
    z.object({
      type: z.enum(KINDS),
      thresholds: z.record(z.string().max(128), z.object({ ok: z.boolean() })).optional(),
    }),
  ),
});
export type Summary = z.infer<typeof Summary>;

export interface Figure {
  readonly kind: (typeof KINDS)[number];
  readonly samples: number;
  readonly values: Readonly<Record<string, number>>;
}
/** By metric. */
export type Figures = Readonly<Record<string, Figure>>;

export interface Threshold {
  readonly metric: string;
  readonly rule: string;
  readonly ok: boolean;
}

/** Values of each metric, in the order in which they came. */
export class Samples {
  readonly #values = new Map<string, number[]>();

  add({ metric, value }: Sample): void {
    const values = this.#values.get(metric) ?? [];
    if (values.length === 0) this.#values.set(metric, values);
    values.push(value);
  }

  of(metric: string): readonly number[] {
    return this.#values.get(metric) ?? [];
  }
}

/** Of all generators together. */
export function figuresOf(summary: Summary, generators: readonly Samples[]): Figures {
  const of = (metric: string, kind: Figure['kind']): Figure => {
    const each = generators.map((samples) => samples.of(metric));
    const all = each.flat();
    return { kind, samples: all.length, values: valuesOf(kind, all, each) };
  };
  return Object.fromEntries(Object.entries(summary.metrics).map(([metric, { type }]) => [metric, of(metric, type)]));
}

function valuesOf(kind: Figure['kind'], all: readonly number[], each: readonly (readonly number[])[]) {
  if (kind === 'counter') return { count: sum(all) };
  if (kind === 'rate') return { rate: all.length === 0 ? 0 : all.filter((value) => value !== 0).length / all.length };
  if (kind === 'gauge') return { value: sum(each.map((values) => values.at(-1) ?? 0)) };
  const sorted = all.toSorted((one, other) => one - other);
  const at = (q: number): number => quantileOf(sorted, q);
  return { min: at(0), avg: sum(all) / all.length, 'p(50)': at(0.5), 'p(95)': at(0.95), 'p(99)': at(0.99), max: at(1) };
}

/** Between two values in proportion, as k6 does it. */
function quantileOf(sorted: readonly number[], q: number): number {
  const at = (sorted.length - 1) * q;
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  return below + ((sorted[Math.ceil(at)] ?? Number.NaN) - below) * (at - Math.floor(at));
}

const RULE = /^(count|rate|value|min|avg|max|p\(\d{1,2}\))(<=?|>=?|==)(\d+(?:\.\d+)?)$/;

/** What was not measured holds no threshold, but a count of nothing is 0. @throws ClusterError MALFORMED */
export function judged(summary: Summary, figures: Figures): Threshold[] {
  return Object.entries(summary.metrics).flatMap(([metric, { thresholds = {} }]) =>
    Object.keys(thresholds).map((rule) => ({ metric, rule, ok: holds(rule, figures[metric]) })),
  );
}

function holds(rule: string, figure: Figure | undefined): boolean {
  const [, name = '', relation = '', limit = ''] = RULE.exec(rule.replaceAll(' ', '')) ?? [];
  const value = figure?.values[name];
  if (value === undefined) throw new ClusterError('MALFORMED', `This is no threshold: ${rule}`);
  const [left, right] = [value, Number(limit)];
  if (Number.isNaN(left) || (figure?.samples === 0 && figure.kind !== 'counter')) return false;
  if (relation === '<') return left < right;
  if (relation === '<=') return left <= right;
  if (relation === '>') return left > right;
  return relation === '>=' ? left >= right : left === right;
}

/** The rules of several generators of one scenario. */
export function together(summaries: readonly Summary[]): Summary {
  return { metrics: Object.assign({}, ...summaries.map(({ metrics }) => metrics)) as Summary['metrics'] };
}
