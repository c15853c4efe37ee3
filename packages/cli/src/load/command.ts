/** `veilcast load NAME`: starts or finds a cluster, runs the scenario, shows how it goes, writes the report, exits by its thresholds. */
import { Command, Option } from 'commander';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClusterError } from '@veilcast/protocol';
import type { ApiKey } from '../token.ts';
import { runK6 } from './k6.ts';
import { reportOf, short } from './report.ts';
import { quantile, Series, sum } from './series.ts';
import { namedTarget, startTarget, type Target } from './target.ts';
import { judge, Summary, type Verdict } from './verdict.ts';

const SCENARIOS = fileURLToPath(new URL('../../../../load-tests/k6/scenarios/', import.meta.url));
/** Not scenarios: what they share. */
const SHARED: ReadonlySet<string> = new Set(['run.ts', 'veilcast.d.ts']);
/** Each address is given 600 joins a minute. */
const SOURCES = 100;
const EXIT = { held: 0, missed: 1, void: 2 } as const;

export interface LoadOptions {
  readonly url?: string;
  readonly confirm?: string;
  readonly size: 'tiny' | 'full';
  readonly out?: string;
  readonly apiKey?: ApiKey | undefined;
}

export function loadCommand(
  secret: Option,
  apiKeyOf: (options: { key?: string; secret?: string }) => ApiKey | undefined,
) {
  return new Command('load')
    .description('run a load scenario against a cluster of its own, or yours')
    .argument('[name]', 'the scenario; left out: which there are')
    .option('--url <url>', 'a cluster that is there already')
    .option('--confirm <host>', 'its host, where that is not this machine')
    .option('--key <id>', 'an API key of that cluster')
    .addOption(secret)
    .addOption(new Option('--size <size>', 'how much of it').choices(['tiny', 'full']).default('full'))
    .option('--out <dir>', 'where the report goes; .veilcast/load/ when not given')
    .action(async (name: string | undefined, options: LoadOptions & { key?: string; secret?: string }) => {
      if (name === undefined) {
        process.stdout.write(`${(await scenarios()).join('\n')}\n`);
        return;
      }
      process.exitCode = EXIT[(await load(name, { ...options, apiKey: apiKeyOf(options) })).outcome];
    });
}

async function scenarios(): Promise<string[]> {
  const files = await readdir(SCENARIOS);
  return files.filter((file) => file.endsWith('.ts') && !SHARED.has(file)).map((file) => file.slice(0, -'.ts'.length));
}

/** @throws ClusterError NOT_FOUND, FORBIDDEN, INTERNAL */
async function load(name: string, options: LoadOptions): Promise<Verdict> {
  const known = await scenarios();
  if (!known.includes(name)) throw new ClusterError('NOT_FOUND', `No such scenario. There are: ${known.join(', ')}`);
  const { url, confirm, apiKey, size } = options;
  const target = url === undefined ? await startTarget() : namedTarget(url, apiKey, confirm);
  const at = new Date();
  const folder = resolve(options.out ?? join('.veilcast', 'load', `${name}-${at.toISOString().replaceAll(':', '')}`));
  await mkdir(folder, { recursive: true });
  const series = new Series();
  const stopShowing = show(series);
  const summaryFile = join(folder, 'k6.json');
  try {
    await runK6({
      script: join(SCENARIOS, `${name}.ts`),
      environment: environmentOf(target, size, summaryFile),
      onSample: (line) => series.add(line),
    });
  } finally {
    stopShowing();
    await target.close();
  }
  const summary = Summary.parse(JSON.parse(await readFile(summaryFile, 'utf8')));
  const verdict = judge(summary);
  const seconds = (Date.now() - at.getTime()) / 1_000;
  const run = { name, size, at: at.toISOString(), machine: machine(), target: target.origin, seconds };
  await writeFile(join(folder, 'report.html'), reportOf(run, summary, verdict, series));
  await writeFile(
    join(folder, 'report.json'),
    JSON.stringify({ ...run, verdict, metrics: summary.metrics }, undefined, 2),
  );
  tell(verdict, join(folder, 'report.html'));
  return verdict;
}

function environmentOf({ origin, key }: Target, size: string, summary: string): Record<string, string> {
  const target = { origin, sources: SOURCES, ...(key ? { keyId: key.id, secret: key.secret } : {}) };
  return {
    VEILCAST_TARGET: JSON.stringify(target),
    VEILCAST_SIZE: size,
    VEILCAST_RUN: Date.now().toString(36),
    VEILCAST_SUMMARY: summary,
  };
}

function part(label: string, value: number | undefined, unit = ''): string {
  return value === undefined ? '' : `  ${label} ${short(value)}${unit}`;
}

/** A line a second on a terminal, one in five seconds elsewhere. */
function show(series: Series): () => void {
  const began = Date.now();
  const live = process.stderr.isTTY;
  const once = (): void => {
    const line =
      `◌ ${Math.round((Date.now() - began) / 1_000)} s` +
      part(
        'people',
        series.last('veilcast_peers', (values) => values.at(-1) ?? 0),
      ) +
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

function tell({ outcome, why, thresholds }: Verdict, report: string): void {
  for (const { metric, rule, ok } of thresholds) process.stdout.write(`${ok ? '✓' : '✗'} ${metric}: ${rule}\n`);
  for (const reason of why) process.stdout.write(`✗ void: ${reason}\n`);
  process.stdout.write(`${outcome}\n  report  ${report}\n`);
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}
