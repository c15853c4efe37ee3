/** What the Room needs of the cascade: its Peers, its Producers, and which Producer must come to which Worker. */
import type { MediaKind, PeerId, ProducerId, Role, RoomId, WorkerId } from '@veilcast/protocol';
import type { RoomState } from './state.ts';
import { joined } from './step.ts';
import { isWatching } from './watched.ts';

export interface RoomDemand {
  readonly roomId: RoomId;
  readonly peers: readonly { readonly peerId: PeerId; readonly workerId: WorkerId; readonly role: Role }[];
  readonly producers: readonly {
    readonly producerId: ProducerId;
    readonly workerId: WorkerId;
    readonly kind: MediaKind;
  }[];
  /** Each pair once, and never the Producer's own Worker. */
  readonly wants: readonly {
    readonly producerId: ProducerId;
    readonly workerId: WorkerId;
    /** A video that nobody there looks at now. Sound comes always: who begins to speak is heard at once everywhere. */
    readonly idle: boolean;
  }[];
}

/** A Producer is wanted on a Worker while a Peer there has a Consumer of it, started or not, or has asked for one. */
export function demandOf(state: RoomState): RoomDemand {
  const placed = joined(state).flatMap((peer) =>
    peer.placement && !peer.displaced ? [{ peer, workerId: peer.placement.workerId }] : [],
  );
  const producers = placed.flatMap(({ peer }) =>
    [...peer.producers.values()].map(({ producerId, kind, placement: { workerId } }) => ({
      producerId,
      workerId,
      kind,
    })),
  );
  const homeOf = new Map(producers.map(({ producerId, workerId }) => [producerId, workerId]));
  const wanted = new Map<WorkerId, Map<ProducerId, boolean>>();
  const want = (workerId: WorkerId, producerId: ProducerId, isWatched: boolean): void => {
    const here = wanted.get(workerId) ?? new Map<ProducerId, boolean>();
    wanted.set(workerId, here.set(producerId, isWatched || (here.get(producerId) ?? false)));
  };
  for (const { peer, workerId } of placed) {
    for (const one of peer.consumers.values())
      want(one.placement.workerId, one.producerId, one.kind === 'audio' || isWatching(one));
    for (const producerId of peer.asked) want(workerId, producerId, true);
  }
  const wants = [...wanted].flatMap(([workerId, here]) =>
    [...here]
      .filter(([producerId]) => (homeOf.get(producerId) ?? workerId) !== workerId)
      .map(([producerId, isWatched]) => ({ producerId, workerId, idle: !isWatched })),
  );
  return {
    roomId: state.roomId,
    peers: placed.map(({ peer, workerId }) => ({ peerId: peer.peerId, workerId, role: peer.role })),
    producers,
    wants,
  };
}
