/** All benches, in the order in which they run: those that need quiet first, those that start browsers last. */
import { audience } from './audience.ts';
import { carrier } from './carrier.ts';
import { failover } from './failover.ts';
import type { Bench } from './figure.ts';
import { door } from './door.ts';
import { forward } from './forward.ts';
import { handshake } from './handshake.ts';
import { members } from './members.ts';
import { peers } from './peers.ts';
import { pipeHop } from './pipe-hop.ts';
import { moves } from './moves.ts';
import { planner } from './planner.ts';
import { roomMessage } from './room-message.ts';
import { relay } from './relay.ts';
import { rungs } from './rungs.ts';
import { rekey } from './rekey.ts';
import { socket } from './socket.ts';
import { store } from './store.ts';
import { transform } from './transform.ts';
import { worker } from './worker.ts';
import { joinTime } from './join-time.ts';

export const BENCHES: readonly Bench[] = [
  worker,
  forward,
  peers,
  pipeHop,
  audience,
  roomMessage,
  handshake,
  socket,
  carrier,
  relay,
  store,
  planner,
  members,
  rekey,
  door,
  transform,
  joinTime,
  rungs,
  moves,
  failover,
];
