/**
 * The Plan that whoever owned the Room before must have had, read off what runs. A new owner plans from it, so that taking
 * over moves no media.
 */
import type { RoomId } from '@veilcast/protocol';
import type { Observed, Plan, PlannedPipe } from './model.ts';
import { workersOf } from './pipes.ts';

/** Every Pipe with both ends joined and what runs through it. Roles are not known from here. */
export function adopt(roomId: RoomId, observed: Observed): Plan {
  const ends = new Map(observed.ends.map((end) => [`${end.pipeId} ${end.workerId}`, end]));
  const pipes: PlannedPipe[] = [];
  for (const { pipeId, workerId } of observed.ends) {
    const workers = workersOf(pipeId);
    if (!workers || workers.from !== workerId) continue;
    const up = ends.get(`${pipeId} ${workers.from}`);
    const down = ends.get(`${pipeId} ${workers.to}`);
    if (!up?.connected || !down?.connected) continue;
    const producerIds = up.sends.filter((producerId) => down.receives.includes(producerId));
    const idle = up.paused.filter((producerId) => producerIds.includes(producerId));
    pipes.push({ pipeId, ...workers, producerIds, idle });
  }
  return { roomId, routers: [], pipes };
}
