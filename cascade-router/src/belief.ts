/**
 * What one Node is believed to have: its last report, and what was done on it since. A report comes over the same Channel
 * as the answers and in order with them, so one that follows an answer shows its effect and replaces the belief.
 */
import type { PipeId, ProducerId, RoomId, WorkerId } from '@veilcast/protocol';
import type { Observed, Step } from '@veilcast/topology';
import type { NodeReport } from './messages.ts';

interface End {
  readonly pipeId: PipeId;
  readonly workerId: WorkerId;
  connected: boolean;
  readonly sends: Set<ProducerId>;
  readonly receives: Set<ProducerId>;
  readonly paused: Set<ProducerId>;
}

/** A Room on one Node. */
export interface RoomBelief {
  readonly routers: Map<WorkerId, Set<ProducerId>>;
  readonly ends: Map<string, End>;
  peers: number;
}

export type NodeBelief = Map<RoomId, RoomBelief>;

export function believed(report: NodeReport): NodeBelief {
  const rooms = new Map<RoomId, RoomBelief>();
  for (const worker of report.workers) {
    for (const router of worker.routers) {
      const room = roomIn(rooms, router.roomId);
      room.routers.set(worker.workerId, new Set(router.producerIds));
      room.peers += router.peers;
    }
  }
  for (const { roomId, pipeId, workerId, connected, sends, receives, paused } of report.pipes) {
    const ids = { sends: new Set(sends), receives: new Set(receives), paused: new Set(paused) };
    const end = { pipeId, workerId, connected, ...ids };
    roomIn(rooms, roomId).ends.set(endKey(pipeId, workerId), end);
  }
  return rooms;
}

/** The Room in a belief, begun if there is nothing of it yet. */
export function roomIn(rooms: NodeBelief, roomId: RoomId): RoomBelief {
  const room = rooms.get(roomId) ?? { routers: new Map(), ends: new Map(), peers: 0 };
  rooms.set(roomId, room);
  return room;
}

function endKey(pipeId: PipeId, workerId: WorkerId): string {
  return `${pipeId} ${workerId}`;
}

/** The Rooms in which two beliefs differ. */
export function changedRooms(before: NodeBelief, after: NodeBelief): RoomId[] {
  const rooms = new Set([...before.keys(), ...after.keys()]);
  return [...rooms].filter((roomId) => written(before.get(roomId)) !== written(after.get(roomId)));
}

/** The same text for the same belief, in whatever order a report had it. */
function written(room: RoomBelief | undefined): string {
  if (!room) return '';
  const routers = [...room.routers].map(([workerId, ids]) => `${workerId} ${[...ids].sort().join()}`);
  const ends = [...room.ends].map(([key, { connected, sends, receives, paused }]) => {
    return [key, connected, ...[sends, receives, paused].map((ids) => [...ids].sort().join())].join(' ');
  });
  return `${room.peers}\n${routers.sort().join('\n')}\n\n${ends.sort().join('\n')}`;
}

/** Notes what a step did on the Room of this Node, where `worker` of the step is. */
export function note(room: RoomBelief, step: Step, workerId: WorkerId): void {
  const key = endKey(step.pipeId, workerId);
  if (step.kind === 'openPipe') {
    const end = { pipeId: step.pipeId, workerId, connected: true, sends: new Set<ProducerId>() };
    room.ends.set(key, { ...end, receives: new Set(), paused: new Set() });
    if (!room.routers.has(workerId)) room.routers.set(workerId, new Set());
    return;
  }
  const end = room.ends.get(key);
  if (!end) return;
  if (step.kind === 'closePipe') {
    room.ends.delete(key);
    for (const producerId of end.receives) room.routers.get(workerId)?.delete(producerId);
  } else if (step.kind === 'pauseCarry') {
    if (step.paused) end.paused.add(step.producerId);
    else end.paused.delete(step.producerId);
  } else if (step.kind === 'stopCarry') {
    end.sends.delete(step.producerId);
    end.paused.delete(step.producerId);
    if (end.receives.delete(step.producerId)) room.routers.get(workerId)?.delete(step.producerId);
  } else if (workerId === step.from) {
    end.sends.add(step.producerId);
  } else {
    end.receives.add(step.producerId);
    room.routers.get(workerId)?.add(step.producerId);
  }
}

/** The beliefs about one Room, as the planner takes them. */
export function observedOf(rooms: readonly RoomBelief[]): Observed {
  return {
    routers: rooms.flatMap((room) => [...room.routers].map(([workerId, ids]) => ({ workerId, producerIds: [...ids] }))),
    ends: rooms.flatMap((room) =>
      [...room.ends.values()].map(({ pipeId, workerId, connected, sends, receives, paused }) => ({
        pipeId,
        workerId,
        connected,
        sends: [...sends],
        receives: [...receives],
        paused: [...paused],
      })),
    ),
  };
}
