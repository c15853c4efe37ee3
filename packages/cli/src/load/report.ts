/** The HTML report of one load run: verdict, thresholds, plots, all figures. One file that needs nothing else. Pure. */
import { quantile, sum, type Series } from './series.ts';
import type { Summary, Verdict } from './verdict.ts';

export interface Run {
  readonly name: string;
  readonly size: string;
  /** ISO 8601. */
  readonly at: string;
  readonly machine: string;
  readonly target: string;
  readonly seconds: number;
}

interface Line {
  readonly label: string;
  readonly values: readonly (number | undefined)[];
}

const WIDTH = 640;
const HEIGHT = 150;
const COLOURS = ['#2563eb', '#ea580c', '#16a34a'];

export function reportOf(run: Run, summary: Summary, verdict: Verdict, series: Series): string {
  const title = `${run.name}: ${verdict.outcome}`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#111827}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #e5e7eb;font-variant-numeric:tabular-nums}
.held{color:#15803d}.missed{color:#b91c1c}.void{color:#a16207}svg{width:100%;height:auto}
svg text{font:11px system-ui,sans-serif;fill:#4b5563}</style></head><body>
<h1>${escaped(run.name)} <span class="${verdict.outcome}">${verdict.outcome}</span></h1>
<p>${escaped(`${run.at}, size ${run.size}, ${run.seconds.toFixed(0)} s, against ${run.target}. All figures are measured, on: ${run.machine}.`)}</p>
${verdict.why.map((why) => `<p class="void">Void: ${escaped(why)}. The figures say nothing of the cluster.</p>`).join('\n')}
<h2>Thresholds</h2>
<table><tr><th>metric</th><th>rule</th><th></th></tr>
${verdict.thresholds.map(({ metric, rule, ok }) => row([metric, rule, ok ? 'held' : 'missed'])).join('\n')}</table>
${plots(series)}
${codes(series)}
<h2>Figures</h2>
<table><tr><th>metric</th><th>values</th></tr>
${Object.entries(summary.metrics)
  .filter(([name]) => name.startsWith('veilcast_'))
  .map(([name, { values }]) => row([name, valuesOf(values)]))
  .join('\n')}</table>
</body></html>
`;
}

function plots(series: Series): string {
  const ms = (metric: string): Line[] => [
    { label: 'p50', values: series.each(metric, quantile(0.5)) },
    { label: 'p95', values: series.each(metric, quantile(0.95)) },
    { label: 'p99', values: series.each(metric, quantile(0.99)) },
  ];
  return [
    plot('People in the call', '', [
      { label: 'people', values: series.each('veilcast_peers', (values) => Math.max(...values)) },
    ]),
    plot('Join', 'ms', ms('veilcast_join')),
    plot('Packets received', '/s', [{ label: 'packets', values: series.each('veilcast_packets', sum) }]),
    plot('One-way delay between key frames', 'ms', ms('veilcast_delay')),
    plot('One-way delay at key frames', 'ms', ms('veilcast_delay_key_frames')),
    plot('Message to everybody', 'ms', ms('veilcast_message')),
    plot('Lost after repair', '%', [
      { label: 'loss', values: series.each('veilcast_loss_percent', (values) => Math.max(...values)) },
    ]),
    plot("Generator's share of the cores", '%', [
      { label: 'generator', values: series.each('veilcast_generator_cpu_percent', (values) => Math.max(...values)) },
    ]),
  ].join('\n');
}

/** Nothing where nothing was measured. */
function plot(title: string, unit: string, lines: readonly Line[]): string {
  const all = lines.flatMap(({ values }) => values.filter((value) => value !== undefined));
  const length = Math.max(...lines.map(({ values }) => values.length));
  if (all.length < 2) return '';
  const top = Math.max(...all) || 1;
  const x = (second: number): string => (40 + (second * (WIDTH - 50)) / Math.max(1, length - 1)).toFixed(1);
  const y = (value: number): string => (HEIGHT - 20 - (value * (HEIGHT - 40)) / top).toFixed(1);
  const drawn = lines.map(({ values }, index) => {
    const points = values.flatMap((value, second) => (value === undefined ? [] : [`${x(second)},${y(value)}`]));
    return `<polyline fill="none" stroke="${COLOURS[index] ?? '#111827'}" stroke-width="1.5" points="${points.join(' ')}"/>`;
  });
  const names = lines.map(
    ({ label }, index) =>
      `<text x="${WIDTH - 60 - 50 * (lines.length - 1 - index)}" y="12" style="fill:${COLOURS[index] ?? '#111827'}">${label}</text>`,
  );
  return `<h2>${escaped(title)}</h2>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}, at most ${short(top)} ${escaped(unit)}">
<line x1="40" x2="${WIDTH - 10}" y1="${y(0)}" y2="${y(0)}" stroke="#d1d5db"/><line x1="40" x2="${WIDTH - 10}" y1="${y(top)}" y2="${y(top)}" stroke="#e5e7eb"/>
<text x="0" y="${y(top)}">${short(top)} ${escaped(unit)}</text><text x="0" y="${y(0)}">0</text>
<text x="40" y="${HEIGHT - 4}">0 s</text><text x="${WIDTH - 40}" y="${HEIGHT - 4}">${length - 1} s</text>
${drawn.join('')}${names.join('')}</svg>`;
}

function codes(series: Series): string {
  if (series.codes.size === 0) return '';
  const rows = [...series.codes].map(([code, count]) => row([code, String(count)]));
  return `<h2>Refused or ended</h2>\n<table><tr><th>code</th><th>count</th></tr>${rows.join('')}</table>`;
}

function row(cells: readonly string[]): string {
  return `<tr>${cells.map((cell) => `<td>${escaped(cell)}</td>`).join('')}</tr>`;
}

function valuesOf(values: Readonly<Record<string, number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(' · ');
}

/** Three digits that count. */
export function short(value: number): string {
  return Math.abs(value) >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
