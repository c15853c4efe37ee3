/**
 * Looks at what is received while the call goes on: who speaks, which pictures live, when the first frame came. Looks
 * often while the first video is expected, since its first frame is what joining is measured by, and calmly otherwise.
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
/** So many quick looks for one new video; who sends nothing for five seconds is not worth more. */
const QUICK_LOOKS_MAX = 100;

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
  #quickLooks = 0;
  #closed = false;
  #stats = new Map<string, VideoStats & AudioStats>();

  constructor(outside: WatchOutside) {
    this.#outside = outside;
    this.#stopLevels = outside.clock.every(LEVEL_INTERVAL_MS, () => this.#levels());
    this.#stopStats = outside.clock.after(STATS_INTERVAL_MS, () => void this.#look());
  }

  /** A video has come; when it is the first, its first frame matters to the millisecond. */
  lookOften(): void {
    if (this.#seen || this.#closed) return;
    this.#quickLooks = QUICK_LOOKS_MAX;
    this.#lookAfter(FIRST_FRAME_INTERVAL_MS);
  }

  /** Figures of a track, as of the last look. */
  statsOf(track: MediaStreamTrack): (VideoStats & AudioStats) | undefined {
    return this.#stats.get(track.id);
  }

  close(): void {
    this.#closed = true;
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
    if (!decoded || this.#seen) return;
    this.#seen = true;
    this.#outside.firstFrame();
  }

  async #look(): Promise<void> {
    await this.look();
    if (this.#closed) return;
    this.#quickLooks = this.#seen ? 0 : Math.max(0, this.#quickLooks - 1);
    this.#lookAfter(this.#quickLooks > 0 ? FIRST_FRAME_INTERVAL_MS : STATS_INTERVAL_MS);
  }

  #lookAfter(ms: number): void {
    this.#stopStats();
    this.#stopStats = this.#outside.clock.after(ms, () => void this.#look());
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

  #levels(): void {
    for (const { peerId, source, receiver, muted } of this.#outside.watched()) {
      if (source !== 'microphone') continue;
      const level = muted ? 0 : receiver?.getSynchronizationSources()[0]?.audioLevel;
      this.#outside.level(peerId, level ?? 0);
    }
  }
}
