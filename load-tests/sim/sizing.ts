/** How large a cluster must be for so many viewers: arithmetic with the measured unit costs and the simulator's own bounds. Pure. */
import type { Region } from './sizing-input.ts';
import { capacityOf, workerUs, type Capacity } from './capacity.ts';
import { levelsOf } from './keys.ts';
import { needsOf } from './needs.ts';
import type { Needs } from './result.ts';
import { rateOf, type Scenario } from './scenario.ts';
import type { UnitModel } from './unit-model.ts';

export interface Sized {
  readonly capacity: Capacity;
  readonly needs: Needs;
  readonly workers: number;
  readonly depth: number;
  readonly perRegion: readonly {
    readonly region: Region;
    readonly viewers: number;
    readonly workers: number;
    readonly nodes: number;
  }[];
  /** Of the Nodes' network, at the fullest. */
  readonly nodeGbps: number;
}

export type SizingInput = Pick<Scenario, 'video' | 'audio' | 'fleet' | 'policy' | 'keys' | 'prices'> & {
  readonly viewers: number;
  /** Evenly among them. */
  readonly regions: readonly Region[];
  /** Share of the viewers who come in a minute, at the most. */
  readonly joinsPerMinute: number;
};

export function sizeOf(model: UnitModel, input: SizingInput): Sized {
  const { viewers, regions, fleet, policy, keys } = input;
  const capacity = capacityOf(model, input);
  const spare = 1 + fleet.spare;
  const perRegion = regions.map((region, n) => {
    const here = Math.floor(viewers / regions.length) + (n < viewers % regions.length ? 1 : 0);
    const workers = Math.ceil(here / capacity.workerSeats);
    return {
      region,
      viewers: here,
      workers,
      nodes: Math.max(1, Math.ceil((here * spare) / capacity.workerSeats / fleet.workersPerNode)),
    };
  });
  const workers = perRegion.reduce((sum, one) => sum + one.workers, 0);
  const nodes = perRegion.reduce((sum, one) => sum + one.nodes, 0);
  // All but the source's are fed; as many Pipes as there are fed Workers.
  const pipes = Math.max(0, workers - 1);
  const forwarding = perRegion.reduce(
    (sum, one) => sum + one.workers * workerUs(model, input, one.viewers / Math.max(1, one.workers), 0, true),
    0,
  );
  const mediaCoresBusy = (forwarding + pipes * rateOf(input).packets * model.pipeSendUs) / 1e6;
  const needs = needsOf(model, input, {
    viewers,
    nodes,
    mediaCoresBusy,
    joinsPerS: (viewers * input.joinsPerMinute) / 60,
    betweenRegions: regions.length - 1,
    keyDeliveries: viewers + levelsOf(viewers, keys).leaves,
  });
  const largest = Math.max(...perRegion.map((one) => one.workers));
  const depth =
    (regions.length > 1 ? 1 : 0) +
    (largest > 1 ? Math.ceil(Math.log(largest * (policy.fanOutMax - 1) + 1) / Math.log(policy.fanOutMax)) - 1 : 0);
  const nodeGbps = (Math.min(viewers, fleet.workersPerNode * capacity.workerSeats) * rateOf(input).bits) / 1e9;
  return { capacity, needs, workers, depth, perRegion, nodeGbps };
}
