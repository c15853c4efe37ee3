/**
 * What Nodes measured of the ways between them, as one picture: each pair of Nodes, and each pair of regions by the median
 * of theirs, so that one Node behind a bad link does not make its region look far.
 */
import type { NodeId, RegionId } from '@veilcast/protocol';
import type { Path, View } from './model.ts';

/** One measurement: by whom, of whom. */
export interface Measured extends Path {
  readonly from: NodeId;
  readonly to: NodeId;
}

/** @param regionOf undefined: the Node is gone, and what was measured of it counts for nothing */
export function pathsOf(
  measured: Iterable<Measured>,
  regionOf: (nodeId: NodeId) => RegionId | undefined,
): Required<Pick<View, 'rttMs' | 'paths'>> {
  const paths = new Map<string, Path>();
  const between = new Map<string, number[]>();
  for (const { from, to, rttMs, lossRatio } of measured) {
    const [a, b] = [regionOf(from), regionOf(to)];
    if (!a || !b || from === to) continue;
    paths.set(`${from}>${to}`, { rttMs, lossRatio });
    if (a === b) continue;
    const key = a < b ? `${a}>${b}` : `${b}>${a}`;
    const figures = between.get(key);
    if (figures) figures.push(rttMs);
    else between.set(key, [rttMs]);
  }
  return { paths, rttMs: new Map([...between].map(([key, figures]) => [key, median(figures)])) };
}

/** Of at least one figure; of two, the lower. */
export function median(figures: readonly number[]): number {
  return [...figures].sort((a, b) => a - b)[Math.floor((figures.length - 1) / 2)] ?? Number.NaN;
}
