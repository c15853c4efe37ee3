/**
 * One Room on this node: its Peers, its pipe ends and the Routers that they hold. Answers both authorities; which of their
 * effects are still allowed was decided before (terms.ts). Gone when nobody holds a Router any more.
 */
import { ClusterError } from '@veilcast/protocol';
import type { NodeConfig } from './config.ts';
import { media } from './media/errors.ts';
import type { MediaConsumer } from './media/port.ts';
import type { LiveWorker } from './media/worker.ts';
import { Peer, type PeerTold } from './peer.ts';
import { PipeEnd, type Remote } from './pipe.ts';
import { RoomRouters } from './routers.ts';
import type { HeardVoice } from './voices.ts';

/** What a Room tells of what was not asked for. */
export interface RoomTold extends PeerTold {
  /** The Peer is gone with all that it had. */
  peerGone(peer: Peer, reason: ClusterError): void;
  /** Who was heard in the last quarter of a second, on one of its Routers. */
  voices(heard: HeardVoice[]): void;
  /** Nothing is left. */
  empty(room: Room): void;
}

export interface RoomOptions {
  readonly id: string;
  readonly config: NodeConfig;
  readonly told: RoomTold;
}

/** Who last acted under one of the two Leases of this Room, and when they were last seen connected. */
export interface Actor {
  readonly processId: string;
  /** Which life of the process: the next one knows nothing of what this one left. */
  readonly incarnation: string;
  seenAt: number;
}

export class Room {
  readonly id: string;
  readonly routers: RoomRouters;
  /** The signaling process to tell. */
  owner: Actor | undefined;
  /** The cascade-router process. */
  planner: Actor | undefined;
  readonly #options: RoomOptions;
  readonly #peers = new Map<string, Peer>();
  /** By Pipe and Worker: both ends of one may be here. */
  readonly #pipes = new Map<string, PipeEnd>();

  constructor(options: RoomOptions) {
    this.id = options.id;
    this.#options = options;
    const changed = (): void => {
      options.told.changed();
      this.#checkEmpty();
    };
    this.routers = new RoomRouters(changed, (heard) => options.told.voices(heard));
  }

  get peers(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  get pipes(): readonly PipeEnd[] {
    return [...this.#pipes.values()];
  }

  /** The Peer on this Worker, opened if it is not there. On another Worker it is closed first. @throws ClusterError */
  async openPeer(peerId: string, worker: LiveWorker): Promise<Peer> {
    const present = this.#peers.get(peerId);
    if (present?.worker === worker) return present.open();
    const { nodeId, media: mediaConfig } = this.#options.config;
    const peer = new Peer({
      id: peerId,
      nodeId,
      worker,
      hold: () => this.routers.hold(worker),
      initialOutgoingBitrate: mediaConfig.initialOutgoingBitrate,
      told: this.#options.told,
    });
    this.#peers.set(peerId, peer);
    present?.close();
    try {
      await peer.open();
    } catch (error) {
      if (this.#peers.get(peerId) === peer) this.#peers.delete(peerId);
      this.#checkEmpty();
      throw error;
    }
    this.#options.told.changed();
    return peer;
  }

  /** @throws ClusterError NOT_FOUND */
  peer(peerId: string): Peer {
    const peer = this.#peers.get(peerId);
    if (!peer) throw new ClusterError('NOT_FOUND', 'no such Peer');
    return peer;
  }

  closePeer(peerId: string): void {
    const peer = this.#peers.get(peerId);
    if (!peer) return;
    this.#peers.delete(peerId);
    peer.close();
    this.#options.told.changed();
    this.#checkEmpty();
  }

  /** The Consumers of these ids that are still there: some may have gone while the request travelled. */
  consumers(consumerIds: readonly string[]): { peer: Peer; consumer: MediaConsumer }[] {
    return consumerIds.flatMap((id) => {
      for (const peer of this.#peers.values()) {
        const consumer = peer.consumer(id);
        if (consumer) return [{ peer, consumer }];
      }
      return [];
    });
  }

  /** Closes a Producer on every Router of this node, where it was made and where it came out of a Pipe. */
  closeProducer(producerId: string): void {
    for (const router of this.routers.list()) router.closeProducer(producerId);
    for (const pipe of this.#pipes.values()) pipe.meter.forget(producerId);
  }

  async pauseProducer(producerId: string, paused: boolean): Promise<void> {
    const producers = this.routers.list().flatMap((router) => router.find(producerId)?.producer ?? []);
    await media(Promise.all(producers.map((producer) => (paused ? producer.pause() : producer.resume()))), 'NOT_FOUND');
  }

  /** The Pipe's end on this Worker, opened if it is not there. @throws ClusterError */
  async openPipe(pipeId: string, worker: LiveWorker): Promise<PipeEnd> {
    const key = keyOf(pipeId, worker.id);
    const present = this.#pipes.get(key);
    if (present) return present.open();
    const pipe = new PipeEnd({
      id: pipeId,
      worker,
      config: this.#options.config,
      hold: () => this.routers.hold(worker),
      onChange: () => this.#options.told.changed(),
    });
    this.#pipes.set(key, pipe);
    try {
      await pipe.open();
    } catch (error) {
      if (this.#pipes.get(key) === pipe) this.#pipes.delete(key);
      this.#checkEmpty();
      throw error;
    }
    this.#options.told.changed();
    return pipe;
  }

  /** The end on this Worker; with no Worker named, the only end. @throws ClusterError MALFORMED (there are two) */
  findPipe(pipeId: string, workerId: string): PipeEnd | undefined {
    if (workerId !== '') return this.#pipes.get(keyOf(pipeId, workerId));
    const ends = this.pipes.filter(({ id }) => id === pipeId);
    if (ends.length > 1) throw new ClusterError('MALFORMED', 'both ends of this Pipe are here, and no Worker is named');
    return ends[0];
  }

  /** @throws ClusterError NOT_FOUND, MALFORMED */
  pipe(pipeId: string, workerId: string): PipeEnd {
    const pipe = this.findPipe(pipeId, workerId);
    if (!pipe) throw new ClusterError('NOT_FOUND', 'no such pipe end');
    return pipe;
  }

  /**
   * Joins a pipe end to the other one. An end that is joined to another remote is of no use to anybody, since that one is
   * gone: it is closed, so that the next look at this node shows it missing.
   * @throws ClusterError NOT_FOUND, STALE_INCARNATION, MALFORMED
   */
  async connectPipe(pipeId: string, workerId: string, remote: Remote): Promise<void> {
    const pipe = this.pipe(pipeId, workerId);
    if (!pipe.fits(remote)) {
      this.#end(pipe);
      throw new ClusterError('STALE_INCARNATION', 'this pipe end was joined to another one');
    }
    await pipe.connect(remote);
  }

  closePipe(pipeId: string, workerId: string): void {
    const pipe = this.findPipe(pipeId, workerId);
    if (pipe) this.#end(pipe);
  }

  #end(pipe: PipeEnd): void {
    this.#pipes.delete(keyOf(pipe.id, pipe.worker.id));
    pipe.close();
    this.#options.told.changed();
    this.#checkEmpty();
  }

  /** All that hung on this Worker is gone; its Peers are told of. */
  workerDied(worker: LiveWorker): void {
    const reason = new ClusterError('WORKER_DIED');
    for (const [id, pipe] of this.#pipes) {
      if (pipe.worker !== worker) continue;
      this.#pipes.delete(id);
      pipe.close();
    }
    for (const [id, peer] of this.#peers) {
      if (peer.worker !== worker) continue;
      this.#peers.delete(id);
      peer.close(reason);
      this.#options.told.peerGone(peer, reason);
    }
    this.routers.lost(worker);
    this.#checkEmpty();
  }

  /** Closes everything and tells nobody. */
  close(): void {
    for (const peer of this.#peers.values()) peer.close();
    for (const pipe of this.#pipes.values()) pipe.close();
    this.#peers.clear();
    this.#pipes.clear();
    this.routers.close();
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#peers.size === 0 && this.#pipes.size === 0 && this.routers.empty) this.#options.told.empty(this);
  }
}

function keyOf(pipeId: string, workerId: string): string {
  return `${workerId} ${pipeId}`;
}
