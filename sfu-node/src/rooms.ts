/** All Rooms of a node, and what it may carry: which Peers and pipe ends are let in, and on which Worker. */
import { ClusterError } from '@veilcast/protocol';
import type { NodeConfig } from './config.ts';
import type { LiveWorker, Workers } from './media/worker.ts';
import type { Peer } from './peer.ts';
import type { PipeEnd } from './pipe.ts';
import { Room, type RoomOptions } from './room.ts';

/** Rooms of a node. Each has a Router at least: some 100 kB in the worker. */
const ROOMS_MAX = 5_000;

/** What a Worker carries now. */
export interface Load {
  peers: number;
  pipes: number;
  transports: number;
  producers: number;
  consumers: number;
}

export interface RoomsOptions {
  readonly config: NodeConfig;
  readonly workers: Workers;
  readonly told: (room: () => Room) => Omit<RoomOptions['told'], 'empty'>;
}

export class Rooms {
  /** Takes no new Peers; what is here stays. */
  draining = false;
  readonly #options: RoomsOptions;
  readonly #rooms = new Map<string, Room>();

  constructor(options: RoomsOptions) {
    this.#options = options;
  }

  list(): readonly Room[] {
    return [...this.#rooms.values()];
  }

  find(roomId: string): Room | undefined {
    return this.#rooms.get(roomId);
  }

  /** @throws ClusterError NOT_FOUND */
  get(roomId: string): Room {
    const room = this.#rooms.get(roomId);
    if (!room) throw new ClusterError('NOT_FOUND', 'no such Room on this node');
    return room;
  }

  /** @throws ClusterError NODE_DRAINING, WORKER_DIED, OVERLOADED, CLOSED */
  openPeer(roomId: string, peerId: string, workerId: string): Promise<Peer> {
    const worker = this.#worker(workerId);
    const present = this.#rooms.get(roomId)?.peers.find(({ id }) => id === peerId);
    if (present?.worker !== worker) {
      if (this.draining) throw new ClusterError('NODE_DRAINING');
      if (this.load(worker).peers >= this.#options.config.capacity.peers)
        throw new ClusterError('OVERLOADED', 'the Worker has as many Peers as it may carry');
    }
    return this.#open(roomId).openPeer(peerId, worker);
  }

  /** @throws ClusterError WORKER_DIED, OVERLOADED, CLOSED */
  openPipe(roomId: string, pipeId: string, workerId: string): Promise<PipeEnd> {
    const worker = this.#worker(workerId);
    const present = this.#rooms.get(roomId)?.pipes.find(({ id, worker: at }) => id === pipeId && at === worker);
    if (!present && this.load(worker).pipes >= this.#options.config.capacity.pipes)
      throw new ClusterError('OVERLOADED', 'the Worker has as many pipe ends as it may carry');
    return this.#open(roomId).openPipe(pipeId, worker);
  }

  load(worker: LiveWorker): Load {
    const load: Load = { peers: 0, pipes: 0, transports: 0, producers: 0, consumers: 0 };
    for (const room of this.#rooms.values()) {
      load.producers += room.routers.find(worker.id)?.producerIds.length ?? 0;
      for (const peer of room.peers) {
        if (peer.worker !== worker) continue;
        load.peers++;
        load.transports += peer.transports;
        load.consumers += peer.consumers.length;
      }
      for (const pipe of room.pipes) {
        if (pipe.worker !== worker) continue;
        load.pipes++;
        load.transports += pipe.transports;
        load.consumers += pipe.sends.length;
      }
    }
    return load;
  }

  workerDied(worker: LiveWorker): void {
    for (const room of this.list()) room.workerDied(worker);
  }

  close(): void {
    for (const room of this.list()) room.close();
  }

  #worker(workerId: string): LiveWorker {
    const worker = this.#options.workers.find(workerId);
    if (!worker) throw new ClusterError('WORKER_DIED', 'no such Worker on this node now');
    return worker;
  }

  #open(roomId: string): Room {
    const present = this.#rooms.get(roomId);
    if (present) return present;
    if (this.#rooms.size >= ROOMS_MAX) throw new ClusterError('OVERLOADED', 'too many Rooms');
    const room: Room = new Room({
      id: roomId,
      config: this.#options.config,
      told: {
        ...this.#options.told(() => room),
        empty: (emptied) => {
          if (this.#rooms.get(roomId) === emptied) this.#rooms.delete(roomId);
        },
      },
    });
    this.#rooms.set(roomId, room);
    return room;
  }
}
