/**
 * From which region each region gets its one long link: the least mean delay of all who wait, within what the Workers of
 * a region can send together.
 */
import type { RegionId } from '@veilcast/protocol';
import { leastDelayTree } from './arborescence.ts';
import type { Policy, View } from './model.ts';
import { longMs } from './sites.ts';

/** What a region has and wants. */
export interface Waiting {
  readonly region: RegionId;
  /** Pipes that its Workers may send out of it, when all inside it are served from inside. */
  readonly slots: number;
  /** How much its delay counts: the Peers that wait in it. */
  readonly weight: number;
}

/** By region, the one that feeds it; the first of `regions` is the source's. Undefined: not all can be fed. */
export function entriesOf(
  view: View,
  regions: readonly Waiting[],
  depthMax: number,
  egressMs: Policy['egressMs'],
): ReadonlyMap<RegionId, RegionId> | undefined {
  const names = regions.map(({ region }) => region);
  const at = (vertex: number): Waiting => regions[vertex] ?? { region: '' as RegionId, slots: 0, weight: 0 };
  // A stream out of a region costs as much as that delay for the viewers of an average region.
  const average = regions.reduce((sum, { weight }) => sum + weight, 0) / Math.max(1, regions.length);
  const tree = leastDelayTree({
    count: names.length,
    ms: (from, to) => longMs(view, at(from).region, at(to).region),
    price:
      egressMs && Object.keys(egressMs).length > 0 ? (from) => average * (egressMs[at(from).region] ?? 0) : undefined,
    weight: (vertex) => at(vertex).weight,
    slots: (vertex) => at(vertex).slots,
    depthMax,
  });
  if (!tree) return undefined;
  const entries = new Map<RegionId, RegionId>();
  for (const [vertex, parent] of tree.entries()) {
    const [to, from] = [names[vertex], names[parent]];
    if (to !== undefined && from !== undefined) entries.set(to, from);
  }
  return entries;
}
