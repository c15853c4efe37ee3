/**
 * The Rooms that this process owns. Whoever comes first has the Lease acquired, all others wait for the same; a Room that
 * is being given back is waited for and then acquired anew, under its next Term.
 */
import type { EventKind } from '@veilcast/control';
import type { Lease, LeaseStore } from '@veilcast/coordination';
import { LeaseHolder } from '@veilcast/node-kit';
import { ClusterError, loggable, type RoomId } from '@veilcast/protocol';
import { RoomOwner } from './room-owner.ts';
import type { RoomServices } from './room-services.ts';
import type { Owner, Seat } from './seat.ts';

export interface RoomsOptions {
  readonly services: RoomServices;
  readonly leases: LeaseStore;
  /** Holder of the Leases: this life of this process. */
  readonly owner: string;
}

/** Another process owns the Room. */
export class NotOwner extends ClusterError {
  readonly lease: Lease;

  constructor(lease: Lease) {
    super('NOT_OWNER');
    this.lease = lease;
  }
}

function keyOf(roomId: RoomId): string {
  return `room/${roomId}`;
}

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #rooms = new Map<RoomId, RoomOwner>();
  readonly #opening = new Map<RoomId, Promise<RoomOwner>>();
  readonly #holder: LeaseHolder;
  #closed = false;

  constructor(options: RoomsOptions) {
    this.#options = options;
    const { leases, owner, services } = options;
    const { clock, config, log } = services;
    this.#holder = new LeaseHolder({
      leases,
      clock,
      owner,
      ttlMs: config.leaseTtlMs,
      report: (err) => log.warn({ err }, 'leases not renewed; tried again until the store answers'),
    });
  }

  get all(): readonly RoomOwner[] {
    return [...this.#rooms.values()];
  }

  get size(): number {
    return this.#rooms.size;
  }

  /**
   * This process, where it owns the Room or can. `isKnown`: it is a Room, and may be opened here; otherwise only one that is open.
   * @throws ClusterError NOT_JOINED, OVERLOADED; NotOwner: another process is
   */
  async ownerOf(roomId: RoomId, isKnown: boolean): Promise<Owner> {
    if (!isKnown && !this.#rooms.has(roomId)) {
      const lease = await this.#options.leases.read(keyOf(roomId));
      throw lease === undefined ? new ClusterError('NOT_JOINED') : new NotOwner(lease);
    }
    await this.#open(roomId);
    return {
      sit: async (link, entrant, body) =>
        this.#in(roomId, (room) => {
          if (!link.open) throw new ClusterError('CLOSED');
          return room.sit(link, entrant, body);
        }),
      resume: async (link, comeback) => this.#in(roomId, (room) => room.resume(link, comeback)),
    };
  }

  /** Its holder is dead: whoever comes first has the next Term, and need not wait for the expiry of this one. */
  async bury(lease: Lease): Promise<void> {
    await this.#options.leases.release(lease);
  }

  async #in(roomId: RoomId, step: (room: RoomOwner) => Seat): Promise<Seat> {
    let room = await this.#open(roomId);
    // It may have closed between being found and being used.
    while (!room.open) room = await this.#open(roomId);
    try {
      return step(room);
    } finally {
      room.closeIfEmpty();
    }
  }

  nodeEvent(nodeId: string, event: EventKind): void {
    if (!('roomId' in event.value)) return;
    this.#rooms.get(event.value.roomId as RoomId)?.nodeEvent(nodeId, event);
  }

  nodeGone(nodeId: string): void {
    for (const room of this.all) room.nodeGone(nodeId);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#opening.values());
    await Promise.all(this.all.map((room) => room.shutDown()));
  }

  async #open(roomId: RoomId): Promise<RoomOwner> {
    for (;;) {
      if (this.#closed) throw new ClusterError('CHANNEL_CLOSED');
      const present = this.#rooms.get(roomId);
      if (present?.open) return present;
      if (present !== undefined) await present.ended;
      else await this.#acquire(roomId);
    }
  }

  #acquire(roomId: RoomId): Promise<RoomOwner> {
    const opening = this.#opening.get(roomId) ?? this.#make(roomId).finally(() => this.#opening.delete(roomId));
    this.#opening.set(roomId, opening);
    return opening;
  }

  async #make(roomId: RoomId): Promise<RoomOwner> {
    const { services } = this.#options;
    const { config } = services;
    if (this.#rooms.size + this.#opening.size >= config.limits.roomsMax) throw new ClusterError('OVERLOADED');
    let room: RoomOwner | undefined;
    const lease = await this.#holder.hold(keyOf(roomId), () => room?.leaseLost());
    if (lease.kind === 'refused') throw new NotOwner(lease.lease);
    room = new RoomOwner(roomId, lease, services);
    this.#rooms.set(roomId, room);
    // Before whoever waits for the end goes on: they must not find it again.
    void room.ended.then(() => this.#rooms.delete(roomId));
    services.log.debug({ roomId: loggable(roomId), term: room.term }, 'owns a Room');
    if (lease.lost) room.leaseLost();
    return room;
  }
}
