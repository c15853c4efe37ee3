/** What a bench gives back: figures with their spread and goal, and how a run of them is printed and written down. */
import { cpus, loadavg, totalmem } from 'node:os';
import type { Spread } from './spread.ts';

/** One figure. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly spread: Spread;
  /** Which of the spread is meant when one number is quoted. */
  readonly quote: 'median' | 'p95' | 'p99';
  /** What it should be at most, by DESIGN §8; left out where it is only shown beside another. */
  readonly goal?: number;
  /** What stood under load while it was taken. */
  readonly note: string;
  /** Load average over a minute, when it began and when it ended. */
  readonly load: readonly [number, number];
}

/** How hard a bench works. `full` is what is quoted; `tiny` shows in seconds that it still runs. */
export type Effort = 'full' | 'tiny';

/** Says what a bench is doing, a line at a time. */
export type Say = (line: string) => void;

/** One bench: the name by which it is asked for, and how to run it. */
export interface Bench {
  readonly name: string;
  readonly title: string;
  run(effort: Effort, say: Say): Promise<readonly Figure[]>;
}

export function loadNow(): number {
  return Math.round((loadavg()[0] ?? 0) * 10) / 10;
}

/** Makes the figures of one measurement, which share the load under which they were taken. */
export function figures(
  loadBefore: number,
  all: readonly Omit<Figure, 'load' | 'quote'>[],
  quote: Figure['quote'] = 'median',
): Figure[] {
  const load = [loadBefore, loadNow()] as const;
  return all.map((each) => ({ quote, ...each, load }));
}

/** Three digits that count. */
function digits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const whole = Math.abs(value) >= 100;
  return whole ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)));
}

/** A goal is met or missed only where the samples can tell: `open` when it lies within what the median may be. */
export function verdict({ goal, quote, spread }: Pick<Figure, 'goal' | 'quote' | 'spread'>): string {
  if (goal === undefined) return '';
  const [low, high] = quote === 'median' ? spread.medianRange : [spread[quote], spread[quote]];
  if (high <= goal) return 'met';
  return low > goal ? 'missed' : 'open';
}

const HEAD = ['figure', 'value', 'min – max', 'p95', 'samples', 'goal', '', 'load'];

function row(figure: Figure): string[] {
  const { name, unit, spread, quote, goal, load } = figure;
  const value = `${digits(spread[quote])} ${unit}${quote === 'median' ? '' : ` (${quote})`}`;
  return [
    name,
    value,
    `${digits(spread.min)} – ${digits(spread.max)}`,
    digits(spread.p95),
    String(spread.count),
    goal === undefined ? '' : `≤ ${digits(goal)}`,
    verdict(figure),
    `${load[0]} – ${load[1]}`,
  ];
}

/** The figures in columns for a terminal. */
export function tableOf(all: readonly Figure[]): string {
  const rows = [HEAD, ...all.map(row)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)));
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The machine in one line. */
export function machine(): string {
  const [first] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${memory} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}`;
}

function cells(each: readonly string[]): string {
  return `| ${each.join(' | ')} |`;
}

/** `docs/performance.md`: what was measured, on what, under which load. */
export function pageOf(all: readonly Figure[], failed: ReadonlyMap<string, string>, at: Date): string {
  const lines = all.map((figure) => {
    const [name, value, range, p95, samples, goal, met, load] = row(figure);
    return cells(
      [name, value, range, p95, samples, goal, met, load, 'measured', figure.note].map((cell) => cell ?? ''),
    );
  });
  const missing = [...failed].map(([name, reason]) => `- ${name} could not run: ${reason}`);
  return [
    '# Performance',
    '',
    'Written by `npm run bench -- --write`; what each bench does and does not show stands in [load-tests](../load-tests/README.md).',
    '',
    `- Machine: ${machine()}. Everything ran on it: SFU, sources, viewers, browsers.`,
    `- Date: ${at.toISOString().slice(0, 16).replace('T', ' ')} UTC.`,
    '- Load: the load average over a minute before and after each measurement. Above the number of cores the machine was busy',
    '  with other work, and times (not ratios of processor time) are worse than on a quiet one.',
    '- A goal is `open` where the samples scatter too much to say on which side of it the true median lies.',
    '',
    cells(['figure', 'value', 'min – max', 'p95', 'samples', 'goal', 'goal was', 'load', 'how known', 'from what']),
    cells(Array.from({ length: 10 }, () => '---')),
    ...lines,
    ...(missing.length > 0 ? ['', ...missing] : []),
    '',
  ].join('\n');
}
