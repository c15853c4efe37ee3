/**
 * Looks at what is received while the call goes on: who speaks, which pictures live, when the first frame came. Looks
 * often while the first video is expected, since its first frame is what joining is measured by, and calmly otherwise.
 */
import type { Clock, PeerId, ProducerId } from '@veilcast/protocol';
import type { VideoState } from '../call.ts';
import { Liveness } from './liveness.ts';
import type { Received } from './receiving.ts';
import { Totals } from './totals.ts';
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
  /** Of every connection that something comes by. */
  stats(): Promise<readonly StatsEntries[]>;
  level(peerId: PeerId, level: number): void;
  state(peerId: PeerId, producerId: ProducerId, state: VideoState): void;
  firstFrame(): void;
}

export class MediaWatch {
  readonly #outside: WatchOutside;
  readonly #liveness = new Map<ProducerId, Liveness>();
  readonly #stopLevels: () => void;
  #stopStats: () => void;
  #seen = false;
  #quickLooks = 0;
  #closed = false;
  readonly #totals = new Totals();
  /** By Producer. */
  #stats = new Map<ProducerId, VideoStats & AudioStats>();

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

  /** Figures of what is shown of a Producer, as of the last look. */
  statsOf(producerId: ProducerId): (VideoStats & AudioStats) | undefined {
    return this.#stats.get(producerId);
  }

  close(): void {
    this.#closed = true;
    this.#stopLevels();
    this.#stopStats();
  }

  /** Looks now, for a report that should be fresh. */
  async look(): Promise<void> {
    const reports = await this.#outside.stats().catch(() => []);
    if (reports.length === 0) return;
    // Each by itself: two connections have entries of the same id.
    const figures = new Map(reports.flatMap((entries) => [...receivedOf(entries)]));
    const watched = this.#outside.watched();
    this.#totals.look(new Map(watched.map(({ producerId, track }) => [producerId, track.id])), figures);
    this.#stats = new Map(
      watched.flatMap(({ producerId }) => {
        const total = this.#totals.get(producerId);
        return total ? [[producerId, total] as const] : [];
      }),
    );
    const videos = watched.filter(({ track }) => track.kind === 'video');
    this.#judge(videos);
    const decoded = videos.some(({ producerId }) => (this.#stats.get(producerId)?.framesDecoded ?? 0) > 0);
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
    const alive = new Set(videos.map(({ producerId }) => producerId));
    for (const producerId of this.#liveness.keys()) if (!alive.has(producerId)) this.#liveness.delete(producerId);
    for (const { producerId, peerId, muted, shown } of videos) {
      const liveness = this.#liveness.get(producerId) ?? new Liveness(now);
      this.#liveness.set(producerId, liveness);
      const stats = this.#stats.get(producerId);
      if (stats) this.#stats.set(producerId, { ...stats, frozenMs: liveness.frozenMs(stats.frozenMs, muted, shown) });
      const framesDecoded = stats?.framesDecoded ?? 0;
      this.#outside.state(peerId, producerId, liveness.observe(now, framesDecoded, muted, shown));
    }
  }

  #levels(): void {
    // The page stands still until the browser's network thread answers, which connects us while a first picture is expected.
    if (!this.#seen && this.#quickLooks > 0) return;
    for (const { peerId, source, receiver, muted } of this.#outside.watched()) {
      if (source !== 'microphone') continue;
      const level = muted ? 0 : receiver?.getSynchronizationSources()[0]?.audioLevel;
      this.#outside.level(peerId, level ?? 0);
    }
  }
}
