/**
 * Looks at what is received while the call goes on: who speaks, which pictures live, when the first frame came. Looks
 * often until there is a first frame, since that moment is what joining is measured by, and calmly afterwards.
 */
import type { Clock, ConsumerId, PeerId, ProducerId } from '@veilcast/protocol';
import type { VideoState } from '../call.ts';
import { Liveness } from './liveness.ts';
import type { Received } from './receiving.ts';
import { receivedOf, type AudioStats, type StatsEntries, type VideoStats } from './stats.ts';

/** Five levels a second look alive; more would redraw for nothing. */
const LEVEL_INTERVAL_MS = 200;
const STATS_INTERVAL_MS = 500;
const FIRST_FRAME_INTERVAL_MS = 50;

export interface Watched extends Received {
  readonly muted: boolean;
  readonly shown: boolean;
}

export interface WatchOutside {
  readonly clock: Clock;
  watched(): readonly Watched[];
  /** Of the receiving transport; undefined while there is none. */
  stats(): Promise<StatsEntries> | undefined;
  level(peerId: PeerId, level: number): void;
  state(peerId: PeerId, producerId: ProducerId, state: VideoState): void;
  firstFrame(): void;
}

export class MediaWatch {
  readonly #outside: WatchOutside;
  readonly #liveness = new Map<ConsumerId, Liveness>();
  readonly #stopLevels: () => void;
  #stopStats: () => void;
  #seen = false;
  #looking = false;
  #stats = new Map<string, VideoStats & AudioStats>();

  constructor(outside: WatchOutside) {
    this.#outside = outside;
    this.#stopLevels = outside.clock.every(LEVEL_INTERVAL_MS, () => this.#levels());
    this.#stopStats = outside.clock.every(FIRST_FRAME_INTERVAL_MS, () => void this.#look());
  }

  /** Figures of a track, as of the last look. */
  statsOf(track: MediaStreamTrack): (VideoStats & AudioStats) | undefined {
    return this.#stats.get(track.id);
  }

  close(): void {
    this.#stopLevels();
    this.#stopStats();
  }

  /** Looks now, for a report that should be fresh. */
  async look(): Promise<void> {
    const entries = await this.#outside.stats()?.catch(() => undefined);
    if (!entries) return;
    this.#stats = receivedOf(entries);
    const videos = this.#outside.watched().filter(({ track }) => track.kind === 'video');
    this.#judge(videos);
    const decoded = videos.some(({ track }) => (this.#stats.get(track.id)?.framesDecoded ?? 0) > 0);
    if (decoded && !this.#seen) this.#firstFrame();
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    await this.look().finally(() => {
      this.#looking = false;
    });
  }

  #judge(videos: readonly Watched[]): void {
    const now = this.#outside.clock.now();
    const alive = new Set(videos.map(({ consumerId }) => consumerId));
    for (const consumerId of this.#liveness.keys()) if (!alive.has(consumerId)) this.#liveness.delete(consumerId);
    for (const { consumerId, producerId, peerId, track, muted, shown } of videos) {
      const liveness = this.#liveness.get(consumerId) ?? new Liveness(now);
      this.#liveness.set(consumerId, liveness);
      const stats = this.#stats.get(track.id);
      if (stats) this.#stats.set(track.id, { ...stats, frozenMs: liveness.frozenMs(stats.frozenMs, muted, shown) });
      const framesDecoded = stats?.framesDecoded ?? 0;
      this.#outside.state(peerId, producerId, liveness.observe(now, framesDecoded, muted, shown));
    }
  }

  #firstFrame(): void {
    this.#seen = true;
    this.#outside.firstFrame();
    this.#stopStats();
    this.#stopStats = this.#outside.clock.every(STATS_INTERVAL_MS, () => void this.#look());
  }

  #levels(): void {
    for (const { peerId, source, receiver, muted } of this.#outside.watched()) {
      if (source !== 'microphone') continue;
      const level = muted ? 0 : receiver?.getSynchronizationSources()[0]?.audioLevel;
      this.#outside.level(peerId, level ?? 0);
    }
  }
}
