/**
 * Whether a Plan that stands is still worth standing. `plan` keeps what runs, so a tree laid when the network was another
 * one stays; this says which trees would be so much better anew that moving their media is worth it.
 */
import type { ProducerId, WorkerId } from '@veilcast/protocol';
import { completed } from './distances.ts';
import type { Demand, Plan, Policy, View } from './model.ts';
import { plan } from './plan.ts';
import { pipeMs, sitesOf } from './sites.ts';

/** A tree is laid anew when its mean delay falls by this share, and by as many ms: a move costs each viewer below a key frame. */
export const GAIN_RATIO_MIN = 0.2;
export const GAIN_MS_MIN = 10;

/** Trees laid anew at a time. More: more media moves at once. */
const TREES_MAX = 4;

/**
 * The Plan with those trees laid anew that gain enough by it, all others exactly as they are. Undefined: there is none. The
 * caller adopts it only when that stays so for a while.
 */
export function restructured(view: View, demand: Demand, policy: Policy, current: Plan): Plan | undefined {
  const gains = gainsBy(demand, delaysAt(current), delaysAt(plan(view, demand, policy)));
  const roots = [...gains].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, TREES_MAX);
  let best = current;
  for (const [root] of roots) {
    const mine = new Set(demand.producers.filter((one) => one.workerId === root).map((one) => one.producerId));
    const next = plan(
      view,
      demand,
      policy,
      split(best, (producerId) => !mine.has(producerId)),
    );
    const others = (made: Plan): string => JSON.stringify(split(made, (producerId) => !mine.has(producerId)).pipes);
    if (gainsBy(demand, delaysAt(best), delaysAt(next)).has(root) && others(best) === others(next)) best = next;
  }
  return best === current ? undefined : best;

  function delaysAt(made: Plan): ReadonlyMap<ProducerId, number> {
    return meanDelays(view, demand, policy, made);
  }
}

/** By Worker with publishers, the most that one of its Producers gains; those that gain too little are left out. */
function gainsBy(
  demand: Demand,
  now: ReadonlyMap<ProducerId, number>,
  then: ReadonlyMap<ProducerId, number>,
): ReadonlyMap<WorkerId, number> {
  const gains = new Map<WorkerId, number>();
  for (const { producerId, workerId } of demand.producers) {
    const [ms, anew] = [now.get(producerId), then.get(producerId)];
    if (ms === undefined || anew === undefined || ms - anew < Math.max(GAIN_MS_MIN, GAIN_RATIO_MIN * ms)) continue;
    gains.set(workerId, Math.max(gains.get(workerId) ?? 0, ms - anew));
  }
  return gains;
}

/** What of a Plan carries these Producers. */
function split(made: Plan, isKept: (producerId: ProducerId) => boolean): Plan {
  const pipes = made.pipes.map((pipe) => ({ ...pipe, producerIds: pipe.producerIds.filter(isKept) }));
  return { ...made, pipes: pipes.filter((pipe) => pipe.producerIds.length > 0) };
}

/** Mean delay of each Producer to the Workers that want it, ms, weighed by the Peers there. What is not reached is left out. */
export function meanDelays(view: View, demand: Demand, policy: Policy, planned: Plan): ReadonlyMap<ProducerId, number> {
  const seen = completed(view);
  const sites = sitesOf(seen, policy);
  const peers = new Map<WorkerId, number>();
  for (const { workerId } of demand.peers) peers.set(workerId, (peers.get(workerId) ?? 0) + 1);
  const wantedAt = new Map<ProducerId, WorkerId[]>();
  for (const { producerId, workerId } of demand.wants) {
    const at = wantedAt.get(producerId);
    if (at) at.push(workerId);
    else wantedAt.set(producerId, [workerId]);
  }
  const means = new Map<ProducerId, number>();
  for (const [producerId, delays] of delaysOf(planned, demand, (from, to) => {
    const [a, b] = [sites.get(from), sites.get(to)];
    return a && b ? pipeMs(seen, a, b) : Number.POSITIVE_INFINITY;
  })) {
    let [sum, all] = [0, 0];
    for (const workerId of wantedAt.get(producerId) ?? []) {
      const ms = delays.get(workerId);
      if (ms === undefined || !Number.isFinite(ms)) continue;
      const weight = peers.get(workerId) ?? 1;
      sum += weight * ms;
      all += weight;
    }
    if (all > 0) means.set(producerId, sum / all);
  }
  return means;
}

/** When each Producer's media is where, ms after it left its Worker. */
function delaysOf(
  planned: Plan,
  demand: Demand,
  ms: (from: WorkerId, to: WorkerId) => number,
): ReadonlyMap<ProducerId, ReadonlyMap<WorkerId, number>> {
  const children = new Map<string, WorkerId[]>();
  for (const { from, to, producerIds } of planned.pipes) {
    for (const producerId of producerIds) {
      const key = `${producerId} ${from}`;
      const below = children.get(key);
      if (below) below.push(to);
      else children.set(key, [to]);
    }
  }
  const all = new Map<ProducerId, Map<WorkerId, number>>();
  for (const { producerId, workerId } of demand.producers) {
    const at = new Map([[workerId, 0]]);
    for (const [from, then] of at) {
      for (const to of children.get(`${producerId} ${from}`) ?? []) if (!at.has(to)) at.set(to, then + ms(from, to));
    }
    all.set(producerId, at);
  }
  return all;
}
