/**
 * The remote tracks of the call as applications see them: makes a RemoteTrack of every Consumer, keeps its state, and
 * says when one comes or goes.
 */
import type { AnyEvent, Clock, PeerId, ProducerId } from '@veilcast/protocol';
import type { RemoteTrack, ShownTile, VideoState } from './call.ts';
import type { CallEmitter } from './emitter.ts';
import { MediaWatch, type Watched } from './media/watch.ts';
import type { Received } from './media/receiving.ts';
import { NO_AUDIO, NO_VIDEO, type StatsEntries } from './media/stats.ts';
import type { ReceivedMedia } from './report.ts';
import type { Seat } from './seat.ts';
import type { People } from './snapshot.ts';
import type { TrackLock } from './workers/messages.ts';

export interface RemoteTracksOutside {
  readonly clock: Clock;
  readonly people: People;
  readonly emitter: CallEmitter;
  seat(): Seat | undefined;
  /** What is shown, by whatever way. */
  shown(): readonly Received[];
  /** Of what comes by no Node. */
  directStats(): Promise<StatsEntries | undefined>;
  firstFrame(): void;
}

export class RemoteTracks {
  readonly #outside: RemoteTracksOutside;
  readonly #watch: MediaWatch;
  /** Paused Producers. Bounded by the server's own limit of Producers. */
  readonly #muted = new Set<ProducerId>();
  /** By Consumer: pictures that the server keeps back. */
  readonly #held = new Set<string>();
  /** By Consumer, as the frame worker says; those that have closed are forgotten. */
  readonly #locks = new Map<string, TrackLock>();
  /** The network carries no pictures: all are held back. */
  #holding = false;
  /** Undefined until the application says what it shows: then everything counts as shown. */
  #shown: ReadonlySet<ProducerId> | undefined;

  constructor(outside: RemoteTracksOutside) {
    this.#outside = outside;
    this.#watch = new MediaWatch({
      clock: outside.clock,
      watched: () => this.#watched(),
      stats: () => this.#stats(),
      level: (peerId, level) => outside.people.level(peerId, level),
      state: (peerId, producerId, state) => outside.people.patchTrack(peerId, producerId, { state }),
      firstFrame: () => outside.firstFrame(),
    });
  }

  take(event: AnyEvent): void {
    if (event.name === 'producerClosed') this.#muted.delete(event.body.producerId);
    if (event.name === 'consumersHeld') this.#setHeld(event.body.consumerIds, event.body.held);
    if (event.name === 'producerPaused') this.setMuted(event.body.peerId, event.body.producerId, event.body.paused);
  }

  showTiles(tiles: readonly ShownTile[]): void {
    this.#shown = new Set(tiles.filter(({ visible }) => visible).map(({ producerId }) => producerId));
  }

  opened({ consumerId, peerId, producerId, source, track }: Received): void {
    const muted = this.#muted.has(producerId);
    const state: VideoState = muted ? 'muted' : track.kind === 'audio' ? 'live' : 'waiting';
    if (track.kind === 'video') this.#watch.lookOften();
    const lock = this.#locks.get(consumerId) ?? 'waiting';
    const held = track.kind === 'video' && this.#isHeld(consumerId);
    const remote: RemoteTrack = { producerId, source, track, muted, state, lock, held };
    this.#outside.people.putTrack(peerId, remote);
    const person = this.#outside.people.get(peerId);
    if (person) this.#outside.emitter.emit('track', remote, person);
  }

  /** The same media by another way: what is known of it stays. */
  replaced(before: Received, received: Received): void {
    const { people, emitter } = this.#outside;
    const { consumerId, peerId, producerId, track } = received;
    const known = people.get(before.peerId)?.tracks.find((one) => one.producerId === before.producerId);
    if (!known) return this.opened(received);
    // The network that held it back is not the one that it comes by now.
    const held = known.held && received.isDirect !== true;
    const [muted, lock] = [this.#muted.has(producerId), this.#locks.get(consumerId) ?? known.lock];
    const remote: RemoteTrack = { ...known, held, muted, producerId, track, lock };
    if (this.#shown?.has(before.producerId)) this.#shown = new Set([...this.#shown, producerId]);
    people.putTrack(peerId, remote);
    const [person, was] = [people.get(peerId), people.get(before.peerId)];
    if (before.producerId !== producerId) people.removeTrack(before.peerId, before.producerId);
    this.#locks.delete(before.consumerId);
    if (person) emitter.emit('track', remote, person);
    if (was) emitter.emit('trackEnded', known, was);
  }

  closed({ consumerId, peerId, producerId }: Received): void {
    this.#locks.delete(consumerId);
    this.#held.delete(consumerId);
    const person = this.#outside.people.get(peerId);
    const remote = person?.tracks.find((track) => track.producerId === producerId);
    this.#outside.people.removeTrack(peerId, producerId);
    if (person && remote) this.#outside.emitter.emit('trackEnded', remote, person);
  }

  setLock(consumerId: string, lock: TrackLock): void {
    const received = this.#outside.shown().find((one) => one.consumerId === consumerId);
    // The first frame may be here before the Consumer is.
    this.#locks.set(consumerId, lock);
    if (received) this.#outside.people.patchTrack(received.peerId, received.producerId, { lock });
  }

  /** Also of Consumers that are not open here yet. */
  #setHeld(consumerIds: readonly string[], held: boolean): void {
    for (const id of consumerIds) {
      if (held) this.#held.add(id);
      else this.#held.delete(id);
    }
    for (const { consumerId, peerId, producerId, isDirect } of this.#outside.shown())
      if (consumerIds.includes(consumerId)) {
        this.#outside.people.patchTrack(peerId, producerId, { held: this.#isHeld(consumerId, isDirect) });
      }
  }

  /** Of sound, and of what comes directly, nothing is held back here. */
  #isHeld(consumerId: string, isDirect = false): boolean {
    return (this.#holding && !isDirect) || this.#held.has(consumerId);
  }

  /** Holds all pictures back, or none of those that the server does not. */
  hold(holding: boolean): void {
    if (holding === this.#holding) return;
    this.#holding = holding;
    for (const { consumerId, peerId, producerId, track, isDirect } of this.#outside.shown()) {
      if (track.kind !== 'video') continue;
      this.#outside.people.patchTrack(peerId, producerId, { held: this.#isHeld(consumerId, isDirect) });
    }
  }

  /** Every picture that is consumed. */
  videos(): ProducerId[] {
    return this.#watched().flatMap(({ track, producerId }) => (track.kind === 'video' ? [producerId] : []));
  }

  /** Pictures that somebody sends and the application shows. */
  wanted(): ProducerId[] {
    const wanted = this.#watched().filter(({ track, muted, shown }) => track.kind === 'video' && !muted && shown);
    return wanted.map(({ producerId }) => producerId);
  }

  /** Also of Producers that no Consumer exists for yet. */
  setMuted(peerId: PeerId, producerId: ProducerId, muted: boolean): void {
    if (muted) this.#muted.add(producerId);
    else this.#muted.delete(producerId);
    const track = this.#outside.people.get(peerId)?.tracks.find((known) => known.producerId === producerId);
    if (!track) return;
    const state: VideoState = muted ? 'muted' : track.track.kind === 'audio' ? 'live' : 'waiting';
    this.#outside.people.patchTrack(peerId, producerId, { muted, state });
  }

  /** Muted, or shown nowhere: nothing of it is missed. */
  isIdle(producerId: ProducerId): boolean {
    return this.#muted.has(producerId) || this.#shown?.has(producerId) === false;
  }

  /** Whether the last frames of it could be opened. */
  isOpened(consumerId: string): boolean {
    return this.#locks.get(consumerId) === 'encrypted';
  }

  /** Of a Seat that is given up. */
  forget(): void {
    this.#muted.clear();
    this.#held.clear();
    this.#locks.clear();
  }

  async report(): Promise<ReceivedMedia[]> {
    await this.#watch.look();
    const seat = this.#outside.seat();
    return this.#outside.shown().map(({ consumerId, producerId, peerId, source, path, isDirect }) => ({
      consumerId,
      direct: isDirect === true,
      peerId,
      source,
      path,
      layer: seat?.layers.get(consumerId) ?? '',
      stats: this.#watch.statsOf(producerId) ?? { ...NO_VIDEO, ...NO_AUDIO },
    }));
  }

  close(): void {
    this.#watch.close();
  }

  #watched(): Watched[] {
    return this.#outside.shown().map((one) => ({
      ...one,
      muted: this.#muted.has(one.producerId),
      shown: (this.#shown?.has(one.producerId) ?? true) && !this.#isHeld(one.consumerId, one.isDirect),
    }));
  }

  async #stats(): Promise<StatsEntries[]> {
    const media = this.#outside.seat()?.media;
    if (!media || media.receiving.list().length === 0) return [];
    const [byServer, direct] = await Promise.all([media.receiving.stats(), this.#outside.directStats()]);
    return direct ? [byServer, direct] : [byServer];
  }
}
