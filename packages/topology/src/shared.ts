/**
 * One tree for the whole Room, used in both directions: what is planned when separate trees would not fit the fan-out.
 * Each Worker's Pipes out are at most its neighbours in the tree, so the bound holds for any number of publishers.
 */
import type { WorkerId } from '@veilcast/protocol';
import { linksWithin } from './links.ts';
import { grow, type Forest, type Ground, type Parents, type Root } from './tree.ts';

/** @param depthMax from the middle of the tree: half of what a path through it may have */
export function sharedTree(ground: Ground, roots: readonly Root[], depthMax: number): Forest {
  const { policy, ...given } = ground;
  const middle = roots[0];
  if (!middle) return new Map();
  const everybody = new Set(roots.flatMap((root) => [root.site.workerId, ...root.targets]));
  const origins = new Set(roots.map((root) => root.site.workerId));
  // All but the middle have a neighbour above them already.
  const links = linksWithin((worker) => policy.fanOutMax - (worker === middle.site.workerId ? 0 : 1));
  const tree: Parents = new Map();
  grow({ ...given, links, depthMax, origins, egressMs: policy.egressMs }, middle.site, tree, [...everybody].sort());
  const neighbours = new Map<WorkerId, WorkerId[]>();
  for (const [child, parent] of tree) {
    neighbours.set(child, [...(neighbours.get(child) ?? []), parent]);
    neighbours.set(parent, [...(neighbours.get(parent) ?? []), child]);
  }
  return new Map(roots.map((root) => [root.site.workerId, seenFrom(root.site.workerId, neighbours)]));
}

/** The tree with another root. */
function seenFrom(root: WorkerId, neighbours: ReadonlyMap<WorkerId, readonly WorkerId[]>): Parents {
  const parents: Parents = new Map();
  const frontier = new Set([root]);
  for (const at of frontier) {
    for (const next of neighbours.get(at) ?? []) {
      if (frontier.has(next)) continue;
      frontier.add(next);
      parents.set(next, at);
    }
  }
  return parents;
}
