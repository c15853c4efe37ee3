/**
 * Where a Room may be: the Workers that the View shows alive and the policy allows, and what a Pipe between two of them
 * costs in milliseconds of delay.
 */
import type { NodeId, RegionId, WorkerId } from '@veilcast/protocol';
import type { Policy, View } from './model.ts';

/** What each Pipe adds to the path's own delay, ms. Higher: flatter trees with more long links. */
const HOP_MS = 1;
/** One way between two Workers of one Node, and of one region, ms. */
const SAME_NODE_MS = 0.05;
const SAME_REGION_MS = 0.25;
/** Assumed round trip between two regions that nobody has measured, ms: half of the worst one in use anywhere. */
export const UNKNOWN_RTT_MS = 200;
/** Delay that counts as much as losing everything, ms: 1 % of loss is 5 ms, about what sending again costs on a link of 500 ms. */
const LOSS_MS = 500;

export interface Site {
  readonly workerId: WorkerId;
  readonly nodeId: NodeId;
  readonly region: RegionId;
  /** Healthy: may be given new work. A draining or suspect one only keeps what it has. */
  readonly steady: boolean;
}

export type Sites = ReadonlyMap<WorkerId, Site>;

/** The Workers a Plan may use. What is gone or outside the policy's regions is not there at all. */
export function sitesOf(view: View, policy: Policy): Sites {
  const sites = new Map<WorkerId, Site>();
  for (const node of view.nodes) {
    if (node.state === 'gone') continue;
    if (policy.regions.length > 0 && !policy.regions.includes(node.region)) continue;
    for (const worker of node.workers) {
      sites.set(worker.workerId, {
        workerId: worker.workerId,
        nodeId: node.nodeId,
        region: node.region,
        steady: node.state === 'healthy',
      });
    }
  }
  return sites;
}

/** Measured round trip between two regions, in either direction; undefined when nobody measured it. */
export function measuredRtt(view: View, from: RegionId, to: RegionId): number | undefined {
  return view.rttMs.get(`${from}>${to}`) ?? view.rttMs.get(`${to}>${from}`);
}

/** Delay that a Pipe between two regions adds, ms. */
export function longMs(view: View, from: RegionId, to: RegionId): number {
  return HOP_MS + (measuredRtt(view, from, to) ?? UNKNOWN_RTT_MS) / 2;
}

/** Delay that a Pipe between two Workers adds, ms. What is lost on the way counts as delay. */
export function pipeMs(view: View, from: Site, to: Site): number {
  if (from.nodeId === to.nodeId) return HOP_MS + SAME_NODE_MS;
  const path = view.paths?.get(`${from.nodeId}>${to.nodeId}`) ?? view.paths?.get(`${to.nodeId}>${from.nodeId}`);
  const lossMs = (path?.lossRatio ?? 0) * LOSS_MS;
  // Between regions the way of all their Nodes together counts: one Node's figure is a few packets.
  if (from.region !== to.region) return longMs(view, from.region, to.region) + lossMs;
  return HOP_MS + (path ? path.rttMs / 2 : SAME_REGION_MS) + lossMs;
}
