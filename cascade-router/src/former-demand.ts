/**
 * What a Room's former owner wanted. Its people are told nothing when it dies: they join the next owner one after the other and go on
 * seeing each other by what they had, which the next owner knows nothing of (ADR 0041). So it stays planned for a while.
 */
import type { Demand, Observed } from '@veilcast/topology';
import type { RoomDemand } from './room-policy.ts';

/** Longer than a client keeps the Seat before. Longer: Pipes for nobody. Shorter: who waits at the door sees pictures end. */
export const FORMER_MS = 30_000;

export interface FormerDemand {
  readonly demand: RoomDemand;
  readonly until: number;
}

/** Both demands; of the former one what is still there, and what the present one says nothing of. */
export function withFormer<D extends Demand>(demand: D, former: Demand | undefined, { routers }: Observed): D {
  if (!former) return demand;
  const here = new Set(routers.flatMap(({ workerId, producerIds }) => producerIds.map((id) => `${id} ${workerId}`)));
  const known = new Set(
    [...demand.producers, ...demand.peers].map((one) => ('peerId' in one ? one.peerId : one.producerId)),
  );
  const producers = former.producers.filter(
    ({ producerId, workerId }) => here.has(`${producerId} ${workerId}`) && !known.has(producerId),
  );
  const alive = new Set(producers.map(({ producerId }) => producerId));
  return {
    ...demand,
    peers: [...demand.peers, ...former.peers.filter(({ peerId }) => !known.has(peerId))],
    producers: [...demand.producers, ...producers],
    wants: [...demand.wants, ...former.wants.filter(({ producerId }) => alive.has(producerId))],
  };
}
