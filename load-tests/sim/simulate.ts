/** `veilcast sim`: runs a scenario, shows how it goes, writes the report and the JSON. Ctrl-C ends it where it is, and it still reports. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { machine } from '../bench/figure.ts';
import { newestCosts } from '../costs/costs.ts';
import { COMPARISON_FILE, keptComparison, predicted, runHere } from './comparison.ts';
import { pageOf, type Ran } from './report/page.ts';
import { clock, short } from '@veilcast/cli/report';
import type { Found } from './result.ts';
import { scenarioNames, scenarioOf } from './scenario.ts';
import { Simulation, type Progress } from './simulation.ts';
import { unitModel } from './unit-model.ts';

/** One that is also really run on this machine. */
const HERE = 'here';
/** As a shell has it for Ctrl-C. */
const INTERRUPTED = 130;

export interface SimulateOptions {
  /** Undefined: says which there are. */
  readonly name?: string | undefined;
  readonly viewers?: number | undefined;
  readonly exact: boolean;
  readonly seed: number;
  /** Where the HTML goes; the JSON beside it. */
  readonly report?: string | undefined;
  /** Of `here`: keep the errors for all later reports. */
  readonly keep: boolean;
}

/** @throws ClusterError NOT_FOUND */
export async function simulate({ name, viewers, exact, seed, report, keep }: SimulateOptions): Promise<void> {
  if (name === undefined) {
    process.stdout.write(`${scenarioNames().join('\n')}\n`);
    return;
  }
  const scenario = scenarioOf(name, viewers);
  const costs = newestCosts();
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.on('SIGINT', end).on('SIGTERM', end);
  const [at, began] = [new Date(), performance.now()];
  const show = shower();
  try {
    const options = {
      name,
      scenario,
      model: unitModel(costs),
      costsOf: costs.date,
      exact,
      seed,
      signal: stop.signal,
      onProgress: show.progress,
    };
    const simulation = new Simulation(options);
    const found = await simulation.run();
    show.end();
    if (!found.complete) process.exitCode = INTERRUPTED;
    const seconds = (performance.now() - began) / 1_000;
    const ran: Ran = {
      at: at.toISOString(),
      machine: machine(),
      seconds,
      peakMiB: process.resourceUsage().maxRSS / 1_024,
    };
    if (name === HERE && found.complete) {
      const comparison = await runHere(scenario, predicted(simulation, scenario.viewers), costs.date, (line) =>
        process.stderr.write(`    ${line}\n`),
      );
      for (const { figure, unit, simulated, measured, errorPercent } of comparison.rows)
        process.stdout.write(
          `  ${figure}: simulated ${short(simulated)} ${unit}, measured ${short(measured)} ${unit}, error ${short(errorPercent)} %\n`,
        );
      if (keep) await writeFile(COMPARISON_FILE, `${JSON.stringify(comparison, undefined, 2)}\n`);
      await write(found, ran, comparison);
    } else await write(found, ran, keptComparison());
  } finally {
    show.end();
    process.off('SIGINT', end).off('SIGTERM', end);
  }

  async function write(found: Found, ran: Ran, comparison: ReturnType<typeof keptComparison>): Promise<void> {
    const file = resolve(
      report ?? join('.veilcast', 'sim', `${name}-${at.toISOString().replaceAll(':', '')}`, 'report.html'),
    );
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, pageOf(found, scenario, ran, costs, comparison));
    const json = `${file.replace(/\.html$/, '')}.json`;
    await writeFile(json, `${JSON.stringify({ found, ran, comparison, scenario }, undefined, 2)}\n`);
    tell(found, ran, file);
  }
}

function tell({ needs, frames, kick, complete, limits, minutes }: Found, ran: Ran, file: string): void {
  const lines = [
    complete
      ? `✓ simulated ${short(minutes)} minutes in ${short(ran.seconds)} s, ${short(ran.peakMiB)} MiB`
      : `✗ stopped at minute ${short(minutes)}`,
    `  needs   ${short(needs.nodes)} Nodes with ${short(needs.mediaCores)} cores (${short(needs.mediaCoresBusy)} busy), ${short(needs.signalingProcesses)} signaling processes, ${short(needs.egressGbps)} Gb/s out, ${needs.currency}${short(needs.costPerHour)} an hour at assumed prices`,
    `  delay   ${short(frames.p50)} ms p50, ${short(frames.p99)} ms p99`,
    `  re-key  ${short(kick.all.p95)} ms p95 when somebody is thrown out (simulated model of ${kick.levels.levels} levels)`,
    ...limits.map((limit) => `  limit   ${limit}`),
    `  report  ${file}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** A line that is written over on a terminal, one in five seconds elsewhere. */
function shower(): { progress: (at: Progress) => void; end: () => void } {
  const live = process.stderr.isTTY;
  const everyMs = live ? 250 : 5_000;
  let last = Number.NEGATIVE_INFINITY;
  return {
    progress: ({ minute, minutes, viewers, nodes, workers }) => {
      if (performance.now() - last < everyMs) return;
      last = performance.now();
      const line = `◌ minute ${clock(minute * 60)} of ${minutes}  ${short(viewers)} viewers  ${short(nodes)} Nodes  ${short(workers)} Workers in use`;
      process.stderr.write(live ? `\r\u001B[K${line}` : `${line}\n`);
    },
    end: () => {
      if (live) process.stderr.write('\r\u001B[K');
    },
  };
}
