/**
 * The remote tracks of the call as applications see them: makes a RemoteTrack of every Consumer, keeps its state, and
 * says when one comes or goes.
 */
import type { Clock, PeerId, ProducerId } from '@veilcast/protocol';
import type { RemoteTrack, ShownTile, VideoState } from './call.ts';
import type { CallEmitter } from './emitter.ts';
import { MediaWatch, type Watched } from './media/watch.ts';
import type { Received } from './media/receiving.ts';
import { NO_AUDIO, NO_VIDEO } from './media/stats.ts';
import type { ReceivedMedia } from './report.ts';
import type { Seat } from './seat.ts';
import type { People } from './snapshot.ts';

export interface RemoteTracksOutside {
  readonly clock: Clock;
  readonly people: People;
  readonly emitter: CallEmitter;
  seat(): Seat | undefined;
  firstFrame(): void;
}

export class RemoteTracks {
  readonly #outside: RemoteTracksOutside;
  readonly #watch: MediaWatch;
  /** Paused Producers. Bounded by the server's own limit of Producers. */
  readonly #muted = new Set<ProducerId>();
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

  showTiles(tiles: readonly ShownTile[]): void {
    this.#shown = new Set(tiles.filter(({ visible }) => visible).map(({ producerId }) => producerId));
  }

  opened({ peerId, producerId, source, track }: Received): void {
    const muted = this.#muted.has(producerId);
    const state: VideoState = muted ? 'muted' : track.kind === 'audio' ? 'live' : 'waiting';
    if (track.kind === 'video') this.#watch.lookOften();
    const remote: RemoteTrack = { producerId, source, track, muted, state };
    this.#outside.people.putTrack(peerId, remote);
    const person = this.#outside.people.get(peerId);
    if (person) this.#outside.emitter.emit('track', remote, person);
  }

  closed({ peerId, producerId }: Received): void {
    const person = this.#outside.people.get(peerId);
    const remote = person?.tracks.find((track) => track.producerId === producerId);
    this.#outside.people.removeTrack(peerId, producerId);
    if (person && remote) this.#outside.emitter.emit('trackEnded', remote, person);
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

  producerGone(producerId: ProducerId): void {
    this.#muted.delete(producerId);
  }

  forgetMuted(): void {
    this.#muted.clear();
  }

  async report(): Promise<ReceivedMedia[]> {
    await this.#watch.look();
    const seat = this.#outside.seat();
    return (seat?.media?.receiving.list() ?? []).map(({ consumerId, peerId, source, path, track }) => ({
      consumerId,
      peerId,
      source,
      path,
      layer: seat?.layers.get(consumerId) ?? '',
      stats: this.#watch.statsOf(track) ?? { ...NO_VIDEO, ...NO_AUDIO },
    }));
  }

  close(): void {
    this.#watch.close();
  }

  #watched(): Watched[] {
    const received = this.#outside.seat()?.media?.receiving.list() ?? [];
    return received.map((one) => ({
      ...one,
      muted: this.#muted.has(one.producerId),
      shown: this.#shown?.has(one.producerId) ?? true,
    }));
  }

  #stats(): Promise<RTCStatsReport> | undefined {
    const media = this.#outside.seat()?.media;
    return media && media.receiving.list().length > 0 ? media.transports.receive.getStats() : undefined;
  }
}
