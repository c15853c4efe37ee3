/**
 * What nobody asks for any more. Media outlives control (DESIGN §3.6), so a Room whose signaling or cascade-router is away keeps
 * all that carries media; what carries none for this long, with nobody left to close it, is given back.
 */
import type { Actor, Room } from './room.ts';
import type { Rooms } from './rooms.ts';

/** Far longer than a Lease takes to change hands. Longer: a lost Peer's transports stay. Shorter: a slow failover closes what it comes for. */
const ORPHAN_MS = 60_000;

/** Which life of a process is connected; undefined: none. */
export type Connected = (kind: 'signaling' | 'cascade-router', processId: string) => string | undefined;

/** Looks once at every Room. Call it each second. */
export class Orphans {
  /** When a pipe end last carried a packet, and how many it had carried then. */
  readonly #moved = new WeakMap<object, { packets: number; at: number }>();

  sweep(rooms: Rooms, connected: Connected, now: number): void {
    for (const room of rooms.list()) {
      // Peers hang on one life of signaling: in the next one they join as others.
      const owned = (owner: Actor): boolean => connected('signaling', owner.processId) === owner.incarnation;
      // A Plan outlives its process: while the Pipes are as planned, its next life asks nothing of this node.
      const planned = (planner: Actor): boolean => connected('cascade-router', planner.processId) !== undefined;
      if (away(room.owner, owned, now)) this.#closePeers(room);
      if (away(room.planner, planned, now)) this.#closePipes(room, now);
    }
  }

  #closePeers(room: Room): void {
    for (const peer of room.peers) if (!peer.connected) room.closePeer(peer.id);
  }

  #closePipes(room: Room, now: number): void {
    for (const pipe of room.pipes) {
      const last = this.#moved.get(pipe);
      if (!last || last.packets !== pipe.meter.packets) this.#moved.set(pipe, { packets: pipe.meter.packets, at: now });
      else if (now - last.at >= ORPHAN_MS) room.closePipe(pipe.id, pipe.worker.id);
    }
  }
}

/** Whether who acted last has been gone for long. Nobody ever: there is nothing of that kind to give back. */
function away(actor: Actor | undefined, connected: (actor: Actor) => boolean, now: number): boolean {
  if (!actor) return false;
  if (connected(actor)) actor.seenAt = now;
  return now - actor.seenAt >= ORPHAN_MS;
}
