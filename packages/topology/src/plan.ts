/**
 * The desired tree of a Room: for every Producer its Pipes form a tree rooted at its Worker that reaches every Worker
 * which wants it. Producers of one Worker share a tree, trees share Pipes, and what the previous Plan had stays where it
 * is: a change of demand moves nobody else. Pure and deterministic.
 */
import type { PipeId, ProducerId, WorkerId } from '@veilcast/protocol';
import { completed } from './distances.ts';
import { linksWithin, type Links } from './links.ts';
import type { Demand, Plan, PlannedPipe, Policy, RouterRole, View } from './model.ts';
import { pipeIdOf } from './pipes.ts';
import { sharedTree } from './shared.ts';
import { sitesOf, type Site, type Sites } from './sites.ts';
import { grow, type Forest, type Ground, type Parents, type Root } from './tree.ts';

/**
 * Plans a Room. Fan-out and depth hold whenever trees within both are found; where the depth cannot be kept, it gives
 * way and `explain` says so. `policy.fanOutMax` is at least 2: with 1 several publishers cannot all reach everybody.
 */
export function plan(seen: View, demand: Demand, policy: Policy, previous?: Plan): Plan {
  const view = completed(seen);
  const sites = sitesOf(view, policy);
  const roots = rootsOf(demand, sites);
  const ground = { view, sites, policy, peersAt: peersAt(demand) };
  const forest = firstComplete(roots, [
    () => separateTrees(ground, roots, policy.depthMax, previous),
    () => separateTrees(ground, roots, policy.depthMax),
    () => sharedTree(ground, roots, Math.floor(policy.depthMax / 2)),
    () => separateTrees(ground, roots, Number.POSITIVE_INFINITY, previous),
    () => sharedTree(ground, roots, Number.POSITIVE_INFINITY),
  ]);
  const pipes = pipesOf(demand, roots, forest);
  return { roomId: demand.roomId, routers: routersOf(demand, sites, roots, pipes), pipes };
}

function peersAt(demand: Demand): ReadonlyMap<WorkerId, number> {
  const peers = new Map<WorkerId, number>();
  for (const { workerId } of demand.peers) peers.set(workerId, (peers.get(workerId) ?? 0) + 1);
  return peers;
}

function rootsOf(demand: Demand, sites: Sites): Root[] {
  const wantedAt = new Map<ProducerId, Set<WorkerId>>();
  for (const { producerId, workerId } of demand.wants) {
    if (!sites.has(workerId)) continue;
    const at = wantedAt.get(producerId);
    if (at) at.add(workerId);
    else wantedAt.set(producerId, new Set([workerId]));
  }
  const seen = new Set<ProducerId>();
  const byWorker = new Map<WorkerId, { site: Site; producers: Root['producers'][number][]; targets: Set<WorkerId> }>();
  for (const { producerId, workerId } of demand.producers) {
    const site = sites.get(workerId);
    const wanted = [...(wantedAt.get(producerId) ?? [])].filter((at) => at !== workerId);
    if (!site || seen.has(producerId) || wanted.length === 0) continue;
    seen.add(producerId);
    const root = byWorker.get(workerId) ?? { site, producers: [], targets: new Set<WorkerId>() };
    byWorker.set(workerId, root);
    root.producers.push({ producerId, wantedAt: wanted });
    for (const at of wanted) root.targets.add(at);
  }
  return [...byWorker.values()]
    .map((root) => ({ ...root, targets: [...root.targets].sort() }))
    .sort((a, b) => b.targets.length - a.targets.length || compare(a.site.workerId, b.site.workerId));
}

function firstComplete(roots: readonly Root[], attempts: readonly (() => Forest)[]): Forest {
  let forest: Forest = new Map();
  for (const attempt of attempts) {
    forest = attempt();
    if (isComplete(roots, forest)) return forest;
  }
  return forest;
}

function isComplete(roots: readonly Root[], forest: Forest): boolean {
  return roots.every((root) => {
    const parents = forest.get(root.site.workerId);
    return root.targets.every((target) => parents?.has(target));
  });
}

/** A tree of its own for each Worker with publishers, all within one budget of Pipes. */
function separateTrees(ground: Ground, roots: readonly Root[], depthMax: number, previous?: Plan): Forest {
  const { view, sites, policy, peersAt } = ground;
  const links = linksWithin(() => policy.fanOutMax);
  const origins = new Set(roots.map((root) => root.site.workerId));
  const forest = new Map<WorkerId, Parents>();
  const cutOff = new Map<Root, Children>();
  for (const root of roots) {
    const stays = previous && kept(root, sites, links, depthMax, previous);
    forest.set(root.site.workerId, stays?.parents ?? new Map());
    if (stays) cutOff.set(root, stays.cutOff);
  }
  for (const root of roots) {
    const parents = forest.get(root.site.workerId) ?? new Map<WorkerId, WorkerId>();
    const former = cutOff.get(root);
    grow(
      { view, sites, links, depthMax, origins, peersAt, egressMs: policy.egressMs, former },
      root.site,
      parents,
      root.targets,
    );
  }
  return forest;
}

type Children = ReadonlyMap<WorkerId, readonly WorkerId[]>;

/**
 * What of the previous Plan still serves this root: alive, within the bounds, and on the way to somebody who wants it; and what hangs
 * together among those whom the source does not reach any more.
 */
function kept(
  root: Root,
  sites: Sites,
  links: Links,
  depthMax: number,
  previous: Plan,
): { readonly parents: Parents; readonly cutOff: Children } {
  const mine = new Set(root.producers.map((producer) => producer.producerId));
  const childrenOf = new Map<WorkerId, WorkerId[]>();
  for (const pipe of previous.pipes) {
    if (!sites.has(pipe.to) || !pipe.producerIds.some((producerId) => mine.has(producerId))) continue;
    const children = childrenOf.get(pipe.from);
    if (children) children.push(pipe.to);
    else childrenOf.set(pipe.from, [pipe.to]);
  }
  const parents: Parents = new Map();
  const depths = new Map([[root.site.workerId, 0]]);
  for (const [from, depth] of depths) {
    const mayRelay = depth === 0 || sites.get(from)?.steady || root.targets.includes(from);
    for (const to of depth < depthMax && mayRelay ? (childrenOf.get(from) ?? []) : []) {
      if (depths.has(to)) continue;
      depths.set(to, depth + 1);
      parents.set(to, from);
    }
  }
  const needed = new Set<WorkerId>();
  for (const target of root.targets) {
    for (let at = parents.has(target) ? target : undefined; at && !needed.has(at); at = parents.get(at)) needed.add(at);
  }
  const targets = new Set(root.targets);
  const isCutOff = (workerId: WorkerId): boolean => targets.has(workerId) && !depths.has(workerId);
  const cutOff = new Map<WorkerId, WorkerId[]>();
  const fed = new Set<WorkerId>();
  for (const [from, children] of childrenOf) {
    const left = isCutOff(from) ? children.filter((to) => isCutOff(to) && !fed.has(to)) : [];
    for (const to of left) fed.add(to);
    if (left.length > 0) cutOff.set(from, left);
  }
  return { parents: fitted(parents, needed, root.site.workerId, links), cutOff };
}

/** Takes the needed edges into the budget, parents first; what hangs below one that does not fit falls away with it. */
function fitted(parents: Parents, needed: ReadonlySet<WorkerId>, root: WorkerId, links: Links): Parents {
  const taken: Parents = new Map();
  for (const [to, from] of parents) {
    if (!needed.has(to) || (from !== root && !taken.has(from))) continue;
    if (!links.has(from, to) && links.free(from) <= 0) continue;
    links.add(from, to);
    taken.set(to, from);
  }
  return taken;
}

function pipesOf(demand: Demand, roots: readonly Root[], forest: Forest): PlannedPipe[] {
  const idleAt = new Set(demand.wants.flatMap((want) => (want.idle ? [`${want.producerId} ${want.workerId}`] : [])));
  const carried = new Map<PipeId, { from: WorkerId; to: WorkerId; watched: Map<ProducerId, boolean> }>();
  for (const root of roots) {
    const parents = forest.get(root.site.workerId);
    for (const { producerId, wantedAt } of root.producers) {
      for (const target of wantedAt) {
        const isWatched = !idleAt.has(`${producerId} ${target}`);
        for (let to = target, from = parents?.get(to); from; to = from, from = parents?.get(to)) {
          const pipeId = pipeIdOf(from, to);
          const pipe = carried.get(pipeId) ?? { from, to, watched: new Map<ProducerId, boolean>() };
          carried.set(pipeId, pipe);
          // What is carried already, and as watched as that, is so all the way up.
          if ((pipe.watched.get(producerId) ?? false) >= isWatched && pipe.watched.has(producerId)) break;
          pipe.watched.set(producerId, isWatched);
        }
      }
    }
  }
  return [...carried]
    .map(([pipeId, { from, to, watched }]) => ({
      pipeId,
      from,
      to,
      producerIds: [...watched.keys()].sort(),
      idle: [...watched].flatMap(([producerId, isWatched]) => (isWatched ? [] : [producerId])).sort(),
    }))
    .sort((a, b) => compare(a.pipeId, b.pipeId));
}

function routersOf(
  demand: Demand,
  sites: Sites,
  roots: readonly Root[],
  pipes: readonly PlannedPipe[],
): Plan['routers'] {
  const roles = new Map<WorkerId, RouterRole>();
  const used = [...demand.peers.map((peer) => peer.workerId), ...pipes.flatMap((pipe) => [pipe.from, pipe.to])];
  for (const workerId of used) if (sites.has(workerId)) roles.set(workerId, 'edge');
  for (const pipe of pipes) roles.set(pipe.from, 'relay');
  for (const { workerId } of demand.producers) if (sites.has(workerId)) roles.set(workerId, 'origin');
  for (const root of roots) roles.set(root.site.workerId, 'origin');
  return [...roles].map(([workerId, role]) => ({ workerId, role })).sort((a, b) => compare(a.workerId, b.workerId));
}

/** By code unit: the same everywhere, whatever the locale. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
