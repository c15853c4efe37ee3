/** What operators see of the cascade: Nodes, Pipes with what flows on them, and the Routers of the Rooms planned here. */
import {
  PLAN_LINES_MAX,
  type CascadePicture,
  type NodePicture,
  type PipePicture,
  type WorkerId,
} from '@veilcast/protocol';
import { explain, workersOf, type NodeView, type View } from '@veilcast/topology';
import type { Fleet } from './fleet.ts';
import type { PipeReport } from './messages.ts';
import type { SeenNode } from './node.ts';
import type { PlannedRoom } from './room.ts';

export function paint(fleet: Fleet, view: View, rooms: readonly PlannedRoom[]): CascadePicture {
  const views = new Map(view.nodes.map((node) => [node.nodeId, node]));
  return {
    nodes: fleet.nodes().flatMap((node) => nodePicture(node, views.get(node.nodeId)) ?? []),
    pipes: pipePictures(fleet),
    rooms: rooms.map((room) => roomPicture(fleet, view, room)),
  };
}

function nodePicture(node: SeenNode, view: NodeView | undefined): NodePicture | undefined {
  const { report } = node;
  if (!report || !view) return undefined;
  return {
    nodeId: node.nodeId,
    region: report.region,
    state: node.state,
    incarnation: node.incarnation,
    upSince: report.upSince,
    workers: report.workers.map(({ workerId, cpu, routers, transports, producers, consumers }) => {
      const seen = view.workers.find((worker) => worker.workerId === workerId);
      const reserved = seen ? Math.min(1, (seen.streams + seen.reserved) / seen.capacity) : 0;
      return { workerId, cpu, routers: routers.length, transports, producers, consumers, reserved };
    }),
  };
}

interface Ends {
  up?: { readonly node: SeenNode; readonly end: PipeReport };
  down?: { readonly node: SeenNode; readonly end: PipeReport };
}

function pipePictures(fleet: Fleet): PipePicture[] {
  const pipes = new Map<string, Ends>();
  for (const node of fleet.nodes()) {
    if (node.state === 'gone') continue;
    for (const end of node.report?.pipes ?? []) {
      const key = `${end.roomId} ${end.pipeId}`;
      const ends = pipes.get(key) ?? {};
      pipes.set(key, ends);
      ends[workersOf(end.pipeId)?.from === end.workerId ? 'up' : 'down'] = { node, end };
    }
  }
  return [...pipes.values()].flatMap((ends) => pipePicture(fleet, ends) ?? []);
}

function pipePicture(fleet: Fleet, { up, down }: Ends): PipePicture | undefined {
  const told = up ?? down;
  const pipe = told && workersOf(told.end.pipeId);
  const fromNode = pipe && fleet.nodeOf(pipe.from);
  const toNode = pipe && fleet.nodeOf(pipe.to);
  if (!fromNode || !toNode) return undefined;
  const { packetsPerSecond, bitsPerSecond } = told.node.rates.of(told.end);
  const rtts = [up, down].map((one) => one?.end.rttMs ?? -1).filter((rttMs) => rttMs >= 0);
  const loss = Math.max(up?.end.lossRatio ?? 0, down?.end.lossRatio ?? 0);
  return {
    pipeId: told.end.pipeId,
    roomId: told.end.roomId,
    fromNode: fromNode.nodeId,
    toNode: toNode.nodeId,
    fromWorker: pipe.from,
    toWorker: pipe.to,
    producers: (up?.end.sends ?? down?.end.receives ?? []).length,
    packetsPerSecond,
    bitsPerSecond,
    rttMs: rtts[0] ?? null,
    lossRatio: Math.min(1, Math.max(0, loss)),
  };
}

function roomPicture(fleet: Fleet, view: View, room: PlannedRoom): CascadePicture['rooms'][number] {
  const routers = (room.plan?.routers ?? []).flatMap(({ workerId, role }) => {
    const node = fleet.nodeOf(workerId);
    return node ? [{ workerId, nodeId: node.nodeId, role, region: node.region }] : [];
  });
  return {
    roomId: room.roomId,
    plan: room.plan ? explain(room.plan, view).slice(0, PLAN_LINES_MAX) : [],
    planTerm: room.term,
    regions: [...new Set(routers.flatMap(({ region }) => region ?? []))].sort(),
    routers: routers.map(({ workerId, nodeId, role }): { workerId: WorkerId; nodeId: string; role: typeof role } => {
      return { workerId, nodeId, role };
    }),
  };
}
