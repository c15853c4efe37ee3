/** The HTML report of one load run: verdict, thresholds, plots, all figures. One file that needs nothing else. */
import { escaped, plot, short, styles, table, type Line } from '../report/index.ts';
import type { Figures } from './figures.ts';
import type { Run } from './records.ts';
import { quantile, sum, type Series } from './series.ts';
import type { Verdict } from './verdict.ts';

/** What is said first, where it was measured. */
const CARDS: readonly (readonly [metric: string, value: string, label: string])[] = [
  ['veilcast_joins', 'count', 'people came'],
  ['veilcast_join', 'p(95)', 'ms to join, p95'],
  ['veilcast_first_packet', 'p(95)', 'ms to the first packet, p95'],
  ['veilcast_delay', 'p(50)', 'ms one way, p50'],
  ['veilcast_delay', 'p(99)', 'ms one way, p99'],
  ['veilcast_loss_percent', 'p(95)', '% lost after repair, p95'],
  ['veilcast_message', 'p(99)', 'ms to everybody, p99'],
  ['veilcast_reconnect', 'p(95)', 'ms to be back, p95'],
  ['veilcast_gap', 'p(95)', 'ms without media, p95'],
  ['veilcast_generator_cpu_percent', 'p(95)', '% of the cores for the generator, p95'],
];

export function reportOf(run: Run, figures: Figures, verdict: Verdict, series: Series): string {
  const title = `${run.name}: ${verdict.outcome}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${styles()}</style></head><body><main>
<h1>${escaped(run.name)} <span class="${verdict.outcome}">${verdict.outcome}</span></h1>
<p class="quiet">Run on ${escaped(run.machine)}, ${escaped(run.at)}: size ${escaped(run.size)}, ${short(run.seconds)} s, against ${escaped(run.target)}, ${short(run.generators)} ${run.generators === 1 ? 'generator' : 'generators'}. All figures are <span class="mark">measured</span>.</p>
${verdict.why.map((why) => `<p class="warn">Void: ${escaped(why)}. The figures say nothing of the cluster.</p>`).join('\n')}
${verdict.left.map((what) => `<p class="warn">Left behind on the cluster: ${escaped(what)}.</p>`).join('\n')}
${cards(figures)}
<h2>Thresholds</h2>
${thresholds(verdict, figures)}
<h2>Over time</h2><div class="plots">${plots(series)}</div>
${codes(series)}
<h2>Figures</h2><div class="narrow">
${table(
  ['metric', 'samples', 'values'],
  Object.entries(figures)
    .toSorted(([one], [other]) => one.localeCompare(other))
    .filter(([name, { samples }]) => name.startsWith('veilcast_') && samples > 0)
    .map(([name, { samples, values }]) => [name, short(samples), valuesOf(values)]),
)}</div>
</main></body></html>
`;
}

function cards(figures: Figures): string {
  const all = CARDS.flatMap(([metric, name, label]) => {
    const figure = figures[metric];
    const value = figure?.values[name];
    if (value === undefined || figure?.samples === 0) return [];
    return [`<div class="card"><b>${short(value)}</b><span>${escaped(label)}</span></div>`];
  });
  return `<div class="cards">${all.join('')}</div>`;
}

function thresholds(verdict: Verdict, figures: Figures): string {
  const rows = verdict.thresholds.map(({ metric, rule, ok }) => {
    const [, name = ''] = /^([a-z]+(?:\(\d+\))?)/.exec(rule) ?? [];
    const figure = figures[metric];
    const value =
      figure?.samples === 0 && figure.kind !== 'counter' ? 'nothing measured' : short(figure?.values[name] ?? 0);
    return [ok ? '✓ held' : '✗ missed', metric, rule, value];
  });
  return `<div class="narrow">${table(['', 'metric', 'rule', 'was'], rows)}</div>`;
}

function line(label: string, values: readonly (number | undefined)[]): Line {
  return {
    label,
    points: values.flatMap((value, second) => (value === undefined ? [] : [[second, value] as const])),
  };
}

function most(values: readonly number[]): number {
  return Math.max(...values);
}

function plots(series: Series): string {
  const spread = (metric: string): Line[] =>
    [0.5, 0.95, 0.99].map((q) => line(`p${100 * q}`, series.each(metric, quantile(q))));
  const all: readonly (readonly [title: string, unit: string, lines: readonly Line[]])[] = [
    ['People in the call', 'people', [line('people', series.people())]],
    ['Join', 'ms', spread('veilcast_join')],
    ['Watching to the first packet', 'ms', spread('veilcast_first_packet')],
    ['Packets received', 'a second', [line('packets', series.each('veilcast_packets', sum))]],
    ['One-way delay between key frames', 'ms', spread('veilcast_delay')],
    ['One-way delay at key frames', 'ms', spread('veilcast_delay_key_frames')],
    ['Message to everybody', 'ms', spread('veilcast_message')],
    ['Missing before repair', '%', [line('missing', series.each('veilcast_missing_percent', most))]],
    ['Lost after repair', '%', [line('loss', series.each('veilcast_loss_percent', most))]],
    ["Generator's share of the cores", '%', [line('generator', series.each('veilcast_generator_cpu_percent', most))]],
  ];
  return all.map(([title, unit, lines]) => plot({ title, unit, x: 's', lines })).join('\n');
}

function codes(series: Series): string {
  if (series.codes.size === 0) return '';
  const rows = [...series.codes].map(([code, count]) => [code, short(count)]);
  return `<h2>Refused, ended, or done to it</h2>\n${table(['what', 'count'], rows)}`;
}

function valuesOf(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(' · ');
}
