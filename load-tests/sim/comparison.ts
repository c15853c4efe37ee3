/** The same audience simulated and really run on this machine: what the simulation's error is. Kept in here.json, which every report shows. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { watched, type Round } from '../bench/audience.ts';
import { loadNow, machine, type Say } from '../bench/figure.ts';
import { spreadOf } from '../bench/spread.ts';
import type { Scenario } from './scenario.ts';
import type { Simulation } from './simulation.ts';

const KEPT = fileURLToPath(new URL('here.json', import.meta.url));
const ROUNDS = 4;
const SECONDS = 12;
const PER_SECOND = 10;

const figure = z.number().finite();

export const Comparison = z.strictObject({
  at: z.iso.datetime(),
  machine: z.string().max(200),
  load: z.tuple([figure, figure]),
  what: z.string().max(400),
  costsOf: z.string().max(10),
  rows: z
    .array(
      z.strictObject({
        figure: z.string().max(80),
        unit: z.string().max(20),
        simulated: figure,
        measured: figure,
        errorPercent: figure,
      }),
    )
    .max(20),
});
export type Comparison = z.infer<typeof Comparison>;

export function keptComparison(file = KEPT): Comparison | undefined {
  return existsSync(file) ? Comparison.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
}

export const COMPARISON_FILE = KEPT;

export interface Predicted {
  readonly workerPercent: number;
  readonly p50: number;
  readonly p99: number;
  readonly keyP99: number;
  readonly perSecond: number;
}

/** What a Worker with these viewers does, by the simulation's own arithmetic; delays are of packets, as the crowd stamps them. */
export function predicted(simulation: Simulation, viewers: number): Predicted {
  const { video } = simulation.scenario;
  const packetMs = simulation.packetMs(viewers, 0);
  // Each packet of a frame goes to all, one after the other: a packet is anywhere in that time.
  const at = (packets: number, share: number): number => share * packets * packetMs;
  const perSecond = viewers * video.perSecond;
  return {
    workerPercent: (packetMs * video.perSecond) / 10,
    p50: at(video.frame, 0.5),
    p99: at(video.frame, 0.99),
    keyP99: at(video.keyFrame, 0.99),
    perSecond,
  };
}

/** Really runs it: a cluster of one media worker, one publisher, and viewers by the crowd of the benches; needs Go. */
export async function runHere(
  scenario: Scenario,
  simulated: Predicted,
  costsOf: string,
  say: Say,
): Promise<Comparison> {
  const before = loadNow();
  const size = {
    rooms: 1,
    viewers: scenario.viewers,
    rounds: ROUNDS,
    seconds: SECONDS,
    perSecond: PER_SECOND,
    least: 0.95,
  };
  const rounds = await watched(size, say);
  return comparisonOf(scenario, simulated, rounds, { costsOf, load: [before, loadNow()] });
}

export function comparisonOf(
  scenario: Scenario,
  simulated: Predicted,
  rounds: readonly Round[],
  known: Pick<Comparison, 'costsOf' | 'load'>,
): Comparison {
  const median = (pick: (round: Round) => number): number => spreadOf(rounds.map(pick)).median;
  return {
    at: new Date().toISOString(),
    machine: machine(),
    ...known,
    what: `${scenario.viewers} viewers of one publisher with ${scenario.video.perSecond} packets/s on one media worker, medians of ${rounds.length} rounds; delays of packets over loopback`,
    rows: [
      row(
        'packets forwarded',
        '/s',
        simulated.perSecond,
        median((one) => one.perSecond),
      ),
      row(
        'media worker',
        '% of a core',
        simulated.workerPercent,
        median((one) => one.workerPercent),
      ),
      row(
        'delay between key frames, p50',
        'ms',
        simulated.p50,
        median((one) => one.p50),
      ),
      row(
        'delay between key frames, p99',
        'ms',
        simulated.p99,
        median((one) => one.p99),
      ),
      row(
        'delay at key frames, p99',
        'ms',
        simulated.keyP99,
        median((one) => one.keyP99),
      ),
    ],
  };
}

function row(name: string, unit: string, guess: number, real: number): Comparison['rows'][number] {
  const errorPercent = Number(((100 * (guess - real)) / real).toPrecision(3));
  return {
    figure: name,
    unit,
    simulated: Number(guess.toPrecision(4)),
    measured: Number(real.toPrecision(4)),
    errorPercent,
  };
}
