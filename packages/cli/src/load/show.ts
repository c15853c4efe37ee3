/** What somebody who waits for a run sees of it. */
import { short } from '../report/index.ts';
import { quantile, sum, type Series } from './series.ts';
import type { Verdict } from './verdict.ts';

function part(label: string, value: number | undefined, unit = ''): string {
  return value === undefined ? '' : `  ${label} ${short(value)}${unit}`;
}

/** A line a second on a terminal, one in five seconds elsewhere. */
export function show(series: Series): () => void {
  const began = Date.now();
  const live = process.stderr.isTTY;
  const once = (): void => {
    const line =
      `◌ ${Math.round((Date.now() - began) / 1_000)} s` +
      part('people', series.people().at(-1)) +
      part('packets', series.last('veilcast_packets', sum), '/s') +
      part('delay p95', series.last('veilcast_delay', quantile(0.95)), ' ms') +
      part('message p95', series.last('veilcast_message', quantile(0.95)), ' ms') +
      part('generator', series.last('veilcast_generator_cpu_percent', quantile(0.5)), ' %');
    process.stderr.write(live ? `\r\u001B[K${line}` : `${line}\n`);
  };
  const timer = setInterval(once, live ? 1_000 : 5_000);
  return () => {
    clearInterval(timer);
    if (live) process.stderr.write('\r\u001B[K');
  };
}

export function tell({ outcome, why, thresholds, left }: Verdict, report: string): void {
  for (const { metric, rule, ok } of thresholds) process.stdout.write(`${ok ? '✓' : '✗'} ${metric}: ${rule}\n`);
  for (const what of left) process.stdout.write(`✗ left behind on the cluster: ${what}\n`);
  for (const reason of why) process.stdout.write(`✗ void: ${reason}\n`);
  process.stdout.write(`${outcome}\n  report  ${report}\n`);
}
