/**
 * The Rooms whose Plans this process owns, each by a Lease `plan/<room>`: taken at the first question about the Room,
 * held while it lasts, given back when it is over. A Room that another process owns is answered with NOT_OWNER.
 */
import { LeaseHolder, type ServiceContext } from '@veilcast/node-kit';
import { ClusterError, loggable, type RoomId } from '@veilcast/protocol';
import type { CascadeConfig } from './config.ts';
import type { Fleet } from './fleet.ts';
import type { CascadeMetrics } from './metrics.ts';
import { PlannedRoom } from './room.ts';

/** How often pipe ends of Rooms without an owner are looked for. */
const SWEEP_EVERY_MS = 10_000;
/** How often some Rooms are looked at whether their trees are still good, and how many: a Plan takes up to some ms. */
const RECONSIDER_EVERY_MS = 250;
const RECONSIDERED = 10;

export interface RoomsOptions {
  readonly config: CascadeConfig;
  /** Of this life of the process: a restart is another owner. */
  readonly incarnation: string;
  readonly fleet: Fleet;
  readonly metrics: CascadeMetrics;
  readonly context: ServiceContext;
  readonly isAwaited: (roomId: RoomId) => boolean;
}

interface Owned {
  readonly room: PlannedRoom;
  release(): Promise<void>;
}

export class Rooms {
  readonly #options: RoomsOptions;
  readonly #owned = new Map<RoomId, Owned>();
  readonly #acquiring = new Map<RoomId, Promise<PlannedRoom>>();
  readonly #releasing = new Map<RoomId, Promise<void>>();
  /** Since when a Room has had pipe ends and neither an owner here nor Peers. */
  #orphans = new Map<RoomId, number>();
  readonly #holder: LeaseHolder;
  readonly #stopSweep: () => void;
  readonly #stopReconsidering: () => void;
  /** Rooms that wait to be reconsidered in this round. */
  #round: PlannedRoom[] = [];
  #closed = false;

  constructor(options: RoomsOptions) {
    this.#options = options;
    const { config, context, incarnation } = options;
    this.#holder = new LeaseHolder({
      leases: context.coordination.leases,
      clock: context.clock,
      owner: `${config.processId} ${incarnation}`,
      ttlMs: config.leaseTtlMs,
      report: (err) => context.log.warn({ err }, 'leases not renewed; tried again until the store answers'),
    });
    this.#stopSweep = context.clock.every(SWEEP_EVERY_MS, () => this.#sweep());
    this.#stopReconsidering = context.clock.every(RECONSIDER_EVERY_MS, () => this.#reconsider());
  }

  list(): readonly PlannedRoom[] {
    return [...this.#owned.values()].map(({ room }) => room);
  }

  find(roomId: RoomId): PlannedRoom | undefined {
    return this.#owned.get(roomId)?.room;
  }

  /** The Room, owned from now on if nobody owned it. @throws ClusterError NOT_OWNER, OVERLOADED, or what the store throws */
  async own(roomId: RoomId): Promise<PlannedRoom> {
    const owned = this.#owned.get(roomId);
    if (owned) return owned.room;
    const acquiring = this.#acquiring.get(roomId) ?? this.#acquire(roomId);
    this.#acquiring.set(roomId, acquiring);
    try {
      return await acquiring;
    } finally {
      if (this.#acquiring.get(roomId) === acquiring) this.#acquiring.delete(roomId);
    }
  }

  async #acquire(roomId: RoomId): Promise<PlannedRoom> {
    // Or the old Lease's release would end the new one.
    await this.#releasing.get(roomId);
    const { config, context, fleet, metrics, isAwaited } = this.#options;
    if (this.#closed) throw new ClusterError('NOT_OWNER');
    if (this.#owned.size >= config.roomsMax) throw new ClusterError('OVERLOADED', 'too many Rooms');
    const held = await this.#holder.hold(`plan/${roomId}`, () => this.#lost(roomId));
    if (held.kind === 'refused') throw new ClusterError('NOT_OWNER');
    if (this.#closed) {
      await held.release();
      throw new ClusterError('NOT_OWNER');
    }
    const room = new PlannedRoom({
      roomId,
      held,
      config,
      fleet,
      metrics,
      context,
      isAwaited: () => isAwaited(roomId),
      onOver: (over) => this.#over(over),
    });
    this.#owned.set(roomId, { room, release: () => held.release() });
    context.log.debug({ roomId: loggable(roomId), term: held.lease.term }, 'plan acquired');
    return room;
  }

  #lost(roomId: RoomId): void {
    this.#owned.get(roomId)?.room.stop();
    this.#owned.delete(roomId);
    this.#options.context.log.warn({ roomId: loggable(roomId) }, 'lease of a plan lost');
  }

  #over(room: PlannedRoom): void {
    const owned = this.#owned.get(room.roomId);
    if (owned?.room !== room) return;
    this.#owned.delete(room.roomId);
    const releasing = this.#release(owned).finally(() => this.#releasing.delete(room.roomId));
    this.#releasing.set(room.roomId, releasing);
  }

  /** What cannot be given back expires. */
  async #release(owned: Owned): Promise<void> {
    await owned.release().catch((err: unknown) => this.#options.context.log.warn({ err }, 'lease not released'));
  }

  #reconsider(): void {
    if (this.#round.length === 0) this.#round = [...this.list()];
    for (const room of this.#round.splice(0, RECONSIDERED)) room.reconsider();
  }

  /** Pipe ends that nobody plans, of a Room without Peers: owned for a moment, and so closed. */
  #sweep(): void {
    const { fleet, config, context } = this.#options;
    const now = context.clock.now();
    const orphans = new Map<RoomId, number>();
    for (const roomId of fleet.pipedRooms()) {
      if (this.#owned.has(roomId) || fleet.peersOf(roomId) > 0) continue;
      const since = this.#orphans.get(roomId) ?? now;
      orphans.set(roomId, since);
      if (now - since < config.demandTtlMs) continue;
      orphans.delete(roomId);
      this.own(roomId)
        .then((room) => room.abandon())
        .catch((thrown: unknown) => {
          const { code } = ClusterError.of(thrown);
          // Owned by another process: that one's to close.
          if (code !== 'NOT_OWNER') context.log.warn({ code }, 'orphaned pipes not closed');
        });
    }
    this.#orphans = orphans;
  }

  /** Gives all Leases back; media goes on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopSweep();
    this.#stopReconsidering();
    const owned = [...this.#owned.values()];
    this.#owned.clear();
    for (const { room } of owned) room.stop();
    await Promise.all([...owned.map((one) => this.#release(one)), ...this.#releasing.values()]);
  }
}
