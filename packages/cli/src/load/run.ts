/** One load run: starts or finds the cluster, lets the generators play, looks at what they left behind, and judges. */
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { ClusterError } from '@veilcast/protocol';
import type { ApiKey } from '../token.ts';
import { figuresOf, judged, together } from './figures.ts';
import { heldAfter, heldBy } from './held.ts';
import { runK6, untilInterrupted } from './k6.ts';
import { GeneratorRecord, kept, runFile, summaryFile, summaryIn, type Run } from './records.ts';
import { reportOf } from './report.ts';
import { scenarioNamed } from './scenario.ts';
import { Series } from './series.ts';
import { show, tell } from './show.ts';
import { namedTarget, startTarget, type Target } from './target.ts';
import { judge, leftOf, type Verdict } from './verdict.ts';

/** Each address is given 600 joins a minute. */
const SOURCES = 100;

export interface LoadOptions {
  readonly url?: string;
  readonly confirm?: string;
  readonly token?: string;
  readonly size: 'tiny' | 'full';
  readonly generators: number;
  readonly out?: string;
  readonly apiKey?: ApiKey | undefined;
}

/** @throws ClusterError NOT_FOUND, FORBIDDEN, NODE_UNREACHABLE, INTERNAL */
export async function load(name: string, options: LoadOptions): Promise<Verdict> {
  const scenario = await scenarioNamed(name);
  const { url, confirm, token, apiKey, size, generators } = options;
  if (scenario.isDestructive && url !== undefined)
    throw new ClusterError('FORBIDDEN', `${name} lets processes die: it runs against a cluster of its own alone.`);
  using interrupted = untilInterrupted();
  const target =
    url === undefined
      ? await startTarget(interrupted, scenario.isDestructive)
      : await namedTarget(url, { key: apiKey, confirmed: confirm, token });
  const at = new Date();
  const folder = resolve(options.out ?? join('.veilcast', 'load', `${name}-${at.toISOString().replaceAll(':', '')}`));
  const folders = Array.from({ length: generators }, (_, part) =>
    generators === 1 ? folder : join(folder, `generator-${part + 1}`),
  );
  for (const one of folders) await mkdir(one, { recursive: true });
  const series = new Series();
  const stopShowing = show(series);
  const records = folders.map((one) => new GeneratorRecord(one));
  let left: readonly string[] = [];
  try {
    const before = await heldBy(target.origin);
    const planted = new Set<Promise<void>>();
    await Promise.all(
      records.map((record, part) =>
        runK6(
          {
            script: scenario.file,
            environment: environmentOf(target, { size, part, generators, at, summary: summaryFile(folders[part]!) }),
            onSample: (line) => {
              const sample = record.add(line);
              if (sample) series.add(sample, part);
              if (sample?.metric === 'veilcast_fault' && sample.code) planted.add(target.plant(sample.code));
            },
          },
          interrupted,
        ),
      ),
    );
    await Promise.all(planted);
    // A Region that hangs cannot say what it holds.
    if (before !== undefined && !scenario.isDestructive && !interrupted.aborted) {
      const after = await heldAfter(target.origin, (held) => leftOf(before, held).length === 0);
      left = leftOf(before, after ?? {});
    }
  } finally {
    stopShowing();
    await Promise.all(records.map((record) => record.close()));
    await target.close();
  }
  const seconds = (Date.now() - at.getTime()) / 1_000;
  const run: Run = { name, size, at: at.toISOString(), machine: machine(), target: target.origin, seconds, generators };
  for (const one of folders) await writeFile(runFile(one), JSON.stringify(run));
  const summaries = await Promise.all(folders.map(summaryIn));
  const all = records.map(({ samples }, part) => ({ summary: summaries[part]!, samples }));
  const why = interrupted.aborted ? [`it was interrupted after ${seconds.toFixed(0)} s`] : [];
  return report(run, all, series, folder, { left, why });
}

/** Generators that ran by themselves, here or elsewhere, as one run. @throws ClusterError NOT_FOUND, MALFORMED */
export async function merge(folders: readonly string[], out: string | undefined): Promise<Verdict> {
  const series = new Series();
  const all = [];
  for (const [generator, folder] of folders.entries()) all.push(await kept(folder, series, generator));
  const runs = all.map(({ run }) => run);
  const [first] = runs as [Run, ...Run[]];
  if (runs.some(({ name }) => name !== first.name))
    throw new ClusterError(
      'MALFORMED',
      `These are runs of several scenarios: ${runs.map(({ name }) => name).join(', ')}`,
    );
  const of = (pick: (run: Run) => string): string => [...new Set(runs.map(pick))].join(' and ');
  const run = {
    ...first,
    machine: of(({ machine: one }) => one),
    target: of(({ target }) => target),
    seconds: Math.max(...runs.map(({ seconds }) => seconds)),
    generators: runs.length,
  };
  const folder = resolve(out ?? join('.veilcast', 'load', `${first.name}-merged-${Date.now().toString(36)}`));
  await mkdir(folder, { recursive: true });
  return report(run, all, series, folder, { left: [], why: [] });
}

async function report(
  run: Run,
  generators: readonly Pick<Awaited<ReturnType<typeof kept>>, 'summary' | 'samples'>[],
  series: Series,
  folder: string,
  { left, why }: Pick<Verdict, 'left' | 'why'>,
): Promise<Verdict> {
  const summary = together(generators.map((one) => one.summary));
  const samples = generators.map((one) => one.samples);
  const figures = figuresOf(summary, samples);
  const each = generators.map((one) => figuresOf(one.summary, [one.samples]));
  const verdict = judge(judged(summary, figures), each, { left, why });
  const page = join(folder, 'report.html');
  await writeFile(page, reportOf(run, figures, verdict, series));
  await writeFile(join(folder, 'report.json'), JSON.stringify({ ...run, verdict, figures }, undefined, 2));
  tell(verdict, page);
  return verdict;
}

function environmentOf(
  { origin, key }: Target,
  run: { size: string; part: number; generators: number; at: Date; summary: string },
): Record<string, string> {
  const target = { origin, sources: SOURCES, ...(key ? { keyId: key.id, secret: key.secret } : {}) };
  return {
    VEILCAST_TARGET: JSON.stringify(target),
    VEILCAST_SIZE: run.size,
    VEILCAST_RUN: `${run.at.getTime().toString(36)}-${run.part}`,
    VEILCAST_PART: `${run.part}/${run.generators}`,
    VEILCAST_SUMMARY: run.summary,
  };
}

function machine(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
}
