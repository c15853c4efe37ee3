/** The Plan in words and paths, for operators, tests and the diagnostics of a call. */
import type { NodeId, ProducerId, WorkerId } from '@veilcast/protocol';
import type { Plan, View } from './model.ts';
import { measuredRtt } from './sites.ts';

/** The Workers that a Producer's media crosses, the publisher's first; undefined: the Plan does not bring it there. */
export function pathOf(plan: Plan, producerId: ProducerId, workerId: WorkerId): readonly WorkerId[] | undefined {
  const parents = new Map<WorkerId, WorkerId>();
  let carried = false;
  for (const pipe of plan.pipes) {
    if (!pipe.producerIds.includes(producerId)) continue;
    parents.set(pipe.to, pipe.from);
    carried ||= pipe.from === workerId || pipe.to === workerId;
  }
  if (!carried) return undefined;
  const path = [workerId];
  for (let above = parents.get(workerId); above && path.length <= parents.size; above = parents.get(above)) {
    path.unshift(above);
  }
  return path;
}

/** The Nodes of a path, each named once where several of its Workers follow each other. */
export function nodesOn(path: readonly WorkerId[], view: View): readonly NodeId[] {
  const nodes = new Map(view.nodes.flatMap((node) => node.workers.map((worker) => [worker.workerId, node.nodeId])));
  const on: NodeId[] = [];
  for (const workerId of path) {
    const nodeId = nodes.get(workerId);
    if (nodeId && on.at(-1) !== nodeId) on.push(nodeId);
  }
  return on;
}

/** One line a Router and one a Pipe: what it is for and what it costs. */
export function explain(plan: Plan, view: View): readonly string[] {
  const regions = new Map(view.nodes.flatMap((node) => node.workers.map((worker) => [worker.workerId, node.region])));
  const lines = plan.routers.map(({ workerId, role }) => `router ${workerId} in ${regions.get(workerId)}: ${role}`);
  for (const pipe of plan.pipes) {
    const from = regions.get(pipe.from);
    const to = regions.get(pipe.to);
    const rtt = from && to && from !== to ? measuredRtt(view, from, to) : undefined;
    const length =
      from === to
        ? `inside ${from}`
        : `${from} to ${to}, ${rtt === undefined ? 'rtt unknown' : `rtt ${Math.round(rtt)} ms`}`;
    const deepest = Math.max(...pipe.producerIds.map((id) => (pathOf(plan, id, pipe.to)?.length ?? 1) - 1));
    lines.push(`pipe ${pipe.from} > ${pipe.to}: ${length}, carries ${pipe.producerIds.length}, depth ${deepest}`);
  }
  return lines;
}
