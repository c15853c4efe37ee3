/** What signaling may ask of a cascade-router. Everything is checked before it is looked at; a Room's questions need its Term. */
import {
  jsonOf,
  resultOf,
  witnessed,
  type Neighbours,
  type Channel,
  type Incoming,
  type Result,
  type Serve,
  type TermMemory,
} from '@veilcast/control';
import { ClusterError, parseWith, RoomId, type CascadePicture, type Clock } from '@veilcast/protocol';
import { PlaceCall, PutDemandCall } from './messages.ts';
import type { Placements } from './placements.ts';
import type { PlannedRoom } from './room.ts';
import type { Rooms } from './rooms.ts';

export interface ServeOptions {
  /** Of the owners of Rooms, also of Rooms whose Plan is another's for a while. */
  readonly terms: TermMemory;
  readonly clock: Clock;
  readonly rooms: Rooms;
  readonly placements: Placements;
  readonly picture: () => CascadePicture;
  readonly silentMs: Neighbours['silentMs'];
}

export function serveCascade(options: ServeOptions): Serve {
  return async (incoming: Incoming, channel: Channel): Promise<Result | void> => {
    if (channel.remote.kind !== 'signaling') throw new ClusterError('FORBIDDEN', 'only signaling asks this');
    const { call, authority } = incoming;
    if (call.case === 'witness') return witnessed(options.silentMs, call.value);
    if (call.case === 'getPicture') return resultOf('gotPicture', { picture: jsonOf(options.picture()) });
    if (call.case === 'place') return place(options, authority, parseWith(PlaceCall, call.value));
    if (call.case === 'putDemand') return putDemand(options, authority, parseWith(PutDemandCall, call.value));
    throw new ClusterError('UNSUPPORTED', 'a cascade-router has no such call');
  };
}

async function place(options: ServeOptions, authority: Incoming['authority'], call: PlaceCall) {
  const room = await ownedBy(options, authority);
  return resultOf('placed', options.placements.place(room.demand, call));
}

async function putDemand(options: ServeOptions, authority: Incoming['authority'], call: PutDemandCall) {
  const room = await ownedBy(options, authority);
  room.put(authority.term, call);
  options.placements.settle(room.roomId, call.peers);
}

/** Whoever asks must own the Room, also when the Lease of its Plan has come. @throws ClusterError STALE_TERM, and what `Rooms.own` throws */
async function ownedBy({ rooms, terms, clock }: ServeOptions, authority: Incoming['authority']): Promise<PlannedRoom> {
  const roomId = parseWith(RoomId, authority.roomId);
  terms.accept('room', roomId, authority.term, clock.now());
  const room = await rooms.own(roomId);
  terms.accept('room', roomId, authority.term, clock.now());
  return room;
}
