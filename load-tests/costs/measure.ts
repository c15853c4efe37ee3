/** How a cost is taken: from a bench that is there already, or by a measurement of its own. */
import type { Bench, Effort, Say } from '../bench/figure.ts';
import { spreadOf, type Spread } from '../bench/spread.ts';
import { COSTS, type CostName } from './costs.ts';

/** One cost's samples in few numbers, and from what. */
export interface Taken {
  readonly name: CostName;
  readonly spread: Spread;
  readonly from: string;
}

export interface Measurement {
  readonly names: readonly CostName[];
  run(effort: Effort, say: Say): Promise<readonly Taken[]>;
}

/** The figures of a bench under the names of costs. */
export function fromBench(bench: Bench, figures: Readonly<Partial<Record<CostName, string>>>): Measurement {
  const wanted = Object.entries(figures) as [CostName, string][];
  return {
    names: wanted.map(([name]) => name),
    async run(effort, say) {
      const all = await bench.run(effort, say);
      return wanted.map(([name, called]) => {
        const figure = all.find((one) => one.name === called);
        if (!figure) throw new Error(`bench ${bench.name} has no figure "${called}"`);
        if (figure.unit !== COSTS[name][0]) throw new Error(`${name} is in ${COSTS[name][0]}, not in ${figure.unit}`);
        return { name, spread: figure.spread, from: `bench ${bench.name}: ${figure.note}` };
      });
    },
  };
}

/** Runs `act` some times and answers what each cost in processor time of this process, all threads, ms. The first is not counted. */
export async function cpuMsOf(times: number, act: () => unknown): Promise<number[]> {
  const samples: number[] = [];
  for (let n = 0; n <= times; n++) {
    const before = process.cpuUsage();
    await act();
    const { user, system } = process.cpuUsage(before);
    if (n > 0) samples.push((user + system) / 1_000);
  }
  return samples;
}

export function taken(name: CostName, samples: readonly number[], from: string): Taken {
  return { name, spread: spreadOf(samples.map((one) => Math.max(0, one))), from };
}
