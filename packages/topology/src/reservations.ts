/**
 * Capacity promised to Peers who were placed and whose streams no Node reports yet (DESIGN §4: a flash crowd must not
 * land on one Worker). A value: every change answers a new one. An entry falls when the Room's demand names the Peer and
 * its Node had time to report, or at its expiry.
 */
import type { PeerId, Role, RoomId, WorkerId } from '@veilcast/protocol';
import type { View } from './model.ts';

/** How long a placed Peer may take to arrive. Longer: those who never come hold capacity. Shorter: a slow one is counted twice. */
export const RESERVATION_MS = 10_000;
/** How long a Peer that arrived is still counted here, until reports show its streams. Two reports. */
export const SETTLE_MS = 2_000;
/** Streams promised to a Peer: what it sends and the first of what it receives. More: emptier Workers. Fewer: crowds pile up. */
export const STREAMS_RESERVED: Readonly<Record<Role, number>> = { host: 8, speaker: 8, viewer: 4 };

export interface Reservation {
  readonly roomId: RoomId;
  readonly peerId: PeerId;
  readonly workerId: WorkerId;
  readonly streams: number;
  readonly expiresAt: number;
}

export type Reservations = ReadonlyMap<string, Reservation>;

export const NO_RESERVATIONS: Reservations = new Map();

function keyOf(roomId: RoomId, peerId: PeerId): string {
  return `${roomId} ${peerId}`;
}

/** The promise made to a Peer, unless it ran out. */
export function reservationOf(
  reservations: Reservations,
  roomId: RoomId,
  peerId: PeerId,
  now: number,
): Reservation | undefined {
  const found = reservations.get(keyOf(roomId, peerId));
  return found && found.expiresAt > now ? found : undefined;
}

/** Promises capacity to a Peer; an older promise to it is replaced. */
export function reserve(reservations: Reservations, wanted: Omit<Reservation, 'expiresAt'>, now: number): Reservations {
  const next = new Map(reservations);
  next.set(keyOf(wanted.roomId, wanted.peerId), { ...wanted, expiresAt: now + RESERVATION_MS });
  return next;
}

/** Takes a promise back. */
export function release(reservations: Reservations, roomId: RoomId, peerId: PeerId): Reservations {
  const key = keyOf(roomId, peerId);
  if (!reservations.has(key)) return reservations;
  const next = new Map(reservations);
  next.delete(key);
  return next;
}

/** Takes note of who has arrived: their promise ends once their Node has reported them. */
export function settle(
  reservations: Reservations,
  roomId: RoomId,
  arrived: Iterable<PeerId>,
  now: number,
): Reservations {
  const next = new Map(reservations);
  for (const peerId of arrived) {
    const found = next.get(keyOf(roomId, peerId));
    if (!found) continue;
    next.set(keyOf(roomId, peerId), { ...found, expiresAt: Math.min(found.expiresAt, now + SETTLE_MS) });
  }
  return next;
}

/** Drops what has run out. */
export function expire(reservations: Reservations, now: number): Reservations {
  const next = new Map(reservations);
  for (const [key, { expiresAt }] of reservations) if (expiresAt <= now) next.delete(key);
  return next.size === reservations.size ? reservations : next;
}

/** Streams promised on each Worker. */
export function reservedStreams(reservations: Reservations, now: number): ReadonlyMap<WorkerId, number> {
  const streams = new Map<WorkerId, number>();
  for (const { workerId, streams: count, expiresAt } of reservations.values()) {
    if (expiresAt > now) streams.set(workerId, (streams.get(workerId) ?? 0) + count);
  }
  return streams;
}

/** The View with the promises counted in. */
export function withReserved(view: View, reservations: Reservations, now: number): View {
  const streams = reservedStreams(reservations, now);
  return {
    ...view,
    nodes: view.nodes.map((node) => ({
      ...node,
      workers: node.workers.map((worker) => ({ ...worker, reserved: streams.get(worker.workerId) ?? 0 })),
    })),
  };
}
