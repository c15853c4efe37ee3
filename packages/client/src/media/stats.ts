/**
 * Reads of RTCStatsReports the few figures that the call shows and reports. Works on the plain entries, so that tests
 * need no browser. What a browser does not give reads as zero or empty.
 */
import type { ConsumerId } from '@veilcast/protocol';

/** The entries of an RTCStatsReport, or of a Map in a test. */
export type StatsEntries = Iterable<readonly [string, unknown]>;

export interface VideoStats {
  readonly framesDecoded: number;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly codec: string;
  readonly frozenMs: number;
}

export interface AudioStats {
  readonly packetsReceived: number;
  readonly concealedMs: number;
}

export const NO_VIDEO: VideoStats = { framesDecoded: 0, width: 0, height: 0, fps: 0, codec: '', frozenMs: 0 };
export const NO_AUDIO: AudioStats = { packetsReceived: 0, concealedMs: 0 };

/** What Opus counts its samples in. */
const OPUS_SAMPLES_PER_MS = 48;

export type Entry = Readonly<Record<string, unknown>>;

export function entriesById(entries: StatsEntries): Map<string, Entry> {
  const all = new Map<string, Entry>();
  for (const [id, entry] of entries) if (typeof entry === 'object' && entry !== null) all.set(id, entry as Entry);
  return all;
}

export function number(entry: Entry, key: string): number {
  const value = entry[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

export function text(entry: Entry | undefined, key: string): string {
  const value = entry?.[key];
  return typeof value === 'string' ? value : '';
}

/** The pair that carries the media; undefined before there is one. */
export function selectedPair(all: ReadonlyMap<string, Entry>): Entry | undefined {
  for (const entry of all.values()) {
    if (entry['type'] !== 'transport') continue;
    const pair = all.get(text(entry, 'selectedCandidatePairId'));
    if (pair) return pair;
  }
  // Firefox marks the pair itself.
  for (const entry of all.values()) {
    if (entry['type'] === 'candidate-pair' && entry['selected'] === true) return entry;
  }
  return undefined;
}

/** `udp` or `tcp` of the pair that carries the media; empty before there is one. */
export function transportOf(entries: StatsEntries): string {
  const all = entriesById(entries);
  return text(all.get(text(selectedPair(all), 'localCandidateId')), 'protocol');
}

/** Figures of every receiver of a transport, by the id of its track. */
export function receivedOf(entries: StatsEntries): Map<string, VideoStats & AudioStats> {
  const all = entriesById(entries);
  const found = new Map<string, VideoStats & AudioStats>();
  for (const entry of all.values()) {
    if (entry['type'] !== 'inbound-rtp') continue;
    found.set(text(entry, 'trackIdentifier'), {
      framesDecoded: number(entry, 'framesDecoded'),
      width: number(entry, 'frameWidth'),
      height: number(entry, 'frameHeight'),
      fps: Math.round(number(entry, 'framesPerSecond')),
      codec: text(all.get(text(entry, 'codecId')), 'mimeType').split('/')[1] ?? '',
      frozenMs: Math.round(number(entry, 'totalFreezesDuration') * 1_000),
      packetsReceived: number(entry, 'packetsReceived'),
      concealedMs: Math.round(number(entry, 'concealedSamples') / OPUS_SAMPLES_PER_MS),
    });
  }
  return found;
}

/** Layers as the server last told them, `S2T1`; empty before. */
export class Layers {
  readonly #layers = new Map<ConsumerId, string>();

  put(consumerId: ConsumerId, spatial: number | null, temporal: number | null): void {
    this.#layers.set(consumerId, spatial === null ? '' : `S${spatial}T${temporal ?? 0}`);
  }

  get(consumerId: ConsumerId): string {
    return this.#layers.get(consumerId) ?? '';
  }

  delete(consumerId: ConsumerId): void {
    this.#layers.delete(consumerId);
  }
}
