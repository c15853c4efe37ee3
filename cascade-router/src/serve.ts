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
} from '@veilcast/control';
import { ClusterError, parseWith, RoomId, type CascadePicture } from '@veilcast/protocol';
import { PlaceCall, PutDemandCall } from './messages.ts';
import type { Placements } from './placements.ts';
import type { Rooms } from './rooms.ts';

export interface ServeOptions {
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

async function place({ rooms, placements }: ServeOptions, authority: Incoming['authority'], call: PlaceCall) {
  const room = await rooms.own(parseWith(RoomId, authority.roomId));
  room.admit(authority.term);
  return resultOf('placed', placements.place(room.demand, call));
}

async function putDemand({ rooms, placements }: ServeOptions, authority: Incoming['authority'], call: PutDemandCall) {
  const room = await rooms.own(parseWith(RoomId, authority.roomId));
  room.put(authority.term, call);
  placements.settle(room.roomId, call.peers);
}
