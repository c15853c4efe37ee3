/**
 * Whom a Node measures: all it has Pipes with, one Node of every region, and a few by chance, so that the View knows each
 * pair of regions from several sides and no Node sends more than a bounded number of probes, however large the cluster is.
 */
import type { NodeId, Random, RegionId } from '@veilcast/protocol';
import type { NodeView, View } from './model.ts';

/** Most targets of a Node. At one probe of 40 B every 2 s each: 10 kb/s. */
export const PROBE_TARGETS_MAX = 48;
/** Of them, by chance. More: pairs of one region are found sooner. */
const BY_CHANCE = 8;

/** The Nodes that `nodeId` shall measure; those with Pipes first. @param linked Nodes that it has Pipes with */
export function probeTargets(view: View, nodeId: NodeId, linked: Iterable<NodeId>, random: Random): readonly NodeId[] {
  const here = view.nodes.find((node) => node.nodeId === nodeId);
  const others = new Map(view.nodes.filter((node) => node !== here && node.state !== 'gone').map((n) => [n.nodeId, n]));
  const targets = new Set([...linked].filter((other) => others.has(other)));
  const byRegion = new Map<RegionId, NodeView[]>();
  for (const node of others.values()) {
    if (node.region === here?.region) continue;
    const nodes = byRegion.get(node.region);
    if (nodes) nodes.push(node);
    else byRegion.set(node.region, [node]);
  }
  const pick = (nodes: readonly NodeView[]): NodeView | undefined => nodes[Math.floor(random.float() * nodes.length)];
  for (const nodes of byRegion.values()) {
    const one = pick(nodes);
    if (one) targets.add(one.nodeId);
  }
  const all = [...others.values()];
  for (let drawn = 0; drawn < BY_CHANCE; drawn += 1) {
    const one = pick(all);
    if (one) targets.add(one.nodeId);
  }
  return [...targets].slice(0, PROBE_TARGETS_MAX);
}
