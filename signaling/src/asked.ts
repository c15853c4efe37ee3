/** Where one request of a seated Peer is carried out. */
import { ClusterError, type PeerId } from '@veilcast/protocol';
import type { Placement } from '@veilcast/room';
import type { RoomOwner } from './room-owner.ts';
import type { RoomServices } from './room-services.ts';

export interface Asked {
  readonly room: RoomOwner;
  readonly services: RoomServices;
  readonly peerId: PeerId;
}

/** @throws ClusterError NOT_JOINED while it waits or is placed */
export function placementOf({ room, peerId }: Asked): Placement {
  const peer = room.state.peers.get(peerId);
  if (peer?.status !== 'joined' || peer.placement === undefined) throw new ClusterError('NOT_JOINED');
  return peer.placement;
}

/** @throws ClusterError NOT_FOUND: not a transport of this Peer */
export function transportOf(asked: Asked, transportId: string): Placement {
  const placement = placementOf(asked);
  if (asked.room.seated(asked.peerId)?.transports.has(transportId) !== true) throw new ClusterError('NOT_FOUND');
  return placement;
}
