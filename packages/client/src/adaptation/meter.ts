/**
 * Makes of two looks at RTCStatsReports the sample between them. Works on the plain entries, so that tests need no browser; what a browser does
 * not say is undefined. Counters are compared by the id of their entry: what is new counts from its first look on.
 */
import type { StatsEntries } from '../media/stats.ts';
import type { ReceiveSample, SendSample } from './sample.ts';

type Entry = Readonly<Record<string, unknown>>;
type Look = ReadonlyMap<string, Entry>;

function number(entry: Entry | undefined, key: string): number | undefined {
  const value = entry?.[key];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Longer: a queue is seen that has gone. */
const RTT_HOLDS_MS = 3_000;

/** One transport, look after look. */
export class Meter {
  #before: Look = new Map();
  #at: number | undefined;
  #now: Look = new Map();
  #seconds = 0;
  #lastRtt: { readonly ms: number; readonly at: number } | undefined;

  /** Undefined at the first look, and where no time has passed. */
  send(entries: StatsEntries, now: number): SendSample | undefined {
    if (!this.#look(entries, now)) return undefined;
    const out = this.#of('outbound-rtp');
    const videos = out.filter(({ kind }) => kind === 'video').filter((entry) => this.#grown(entry, 'bytesSent') > 0);
    const heard = this.#of('remote-inbound-rtp').filter((entry) => this.#grown(entry, 'roundTripTimeMeasurements') > 0);
    const delay = sum(out, (entry) => this.#grown(entry, 'totalPacketSendDelay'));
    const packets = sum(out, (entry) => this.#grown(entry, 'packetsSent'));
    const pair = this.#pair();
    return {
      sentBps: this.#rate(out, ['bytesSent', 'headerBytesSent']),
      availableBps: number(pair, 'availableOutgoingBitrate'),
      rttMs: this.#mean(heard, 'totalRoundTripTime', 'roundTripTimeMeasurements') ?? this.#pairRtt(pair),
      // Of a stream that stands still its last word stays for ever.
      loss: most(heard.filter((entry) => this.#isMoving(out, entry)).map((entry) => number(entry, 'fractionLost'))),
      sendDelayMs: packets > 0 ? (delay / packets) * 1_000 : undefined,
      pictures: videos.length > 0,
      cpu: videos.some(({ qualityLimitationReason }) => qualityLimitationReason === 'cpu'),
      encoding: this.#encoding(videos),
    };
  }

  receive(entries: StatsEntries, now: number): Omit<ReceiveSample, 'wanted'> | undefined {
    if (!this.#look(entries, now)) return undefined;
    const streams = this.#of('inbound-rtp');
    const sounds = streams.filter(({ kind }) => kind === 'audio');
    const lost = Math.max(
      0,
      sum(streams, (entry) => this.#grown(entry, 'packetsLost')),
    );
    const received = sum(streams, (entry) => this.#grown(entry, 'packetsReceived'));
    const pictures = streams.filter((entry) => entry['kind'] === 'video' && this.#grown(entry, 'bytesReceived') > 0);
    const frames = sum(pictures, (entry) => this.#grown(entry, 'framesReceived'));
    const dropped = sum(pictures, (entry) => this.#grown(entry, 'framesDropped'));
    const samples = sum(sounds, (entry) => this.#grown(entry, 'totalSamplesReceived'));
    // Between words there is nothing to play, and that is no fault.
    const concealed = sum(
      sounds,
      (entry) => this.#grown(entry, 'concealedSamples') - this.#grown(entry, 'silentConcealedSamples'),
    );
    const rttMs = this.#pairRtt(this.#pair());
    return {
      receivedBps: this.#rate(streams, ['bytesReceived', 'headerBytesReceived']),
      rttMs,
      rttAgeMs: rttMs === undefined ? 0 : (this.#at ?? 0) - (this.#lastRtt?.at ?? 0),
      loss: lost + received > 0 ? lost / (lost + received) : undefined,
      concealed: samples > 0 ? Math.min(1, Math.max(0, concealed / samples)) : undefined,
      pictures: pictures.length,
      starved: this.#starved(),
      late: frames > 0 ? Math.min(1, Math.max(0, dropped / frames)) : undefined,
    };
  }

  #look(entries: StatsEntries, now: number): boolean {
    this.#before = this.#now;
    this.#now = new Map(
      [...entries].filter((one): one is [string, Entry] => typeof one[1] === 'object' && one[1] !== null),
    );
    this.#seconds = this.#at === undefined ? 0 : (now - this.#at) / 1_000;
    this.#at = now;
    return this.#seconds > 0;
  }

  #of(type: string): Entry[] {
    return [...this.#now.values()].filter((entry) => entry['type'] === type && this.#before.has(String(entry['id'])));
  }

  /** Of the loudspeakers. */
  #starved(): number | undefined {
    const playouts = this.#of('media-playout');
    const played = sum(playouts, (entry) => this.#grown(entry, 'totalSamplesDuration'));
    const made = sum(playouts, (entry) => this.#grown(entry, 'synthesizedSamplesDuration'));
    return played > 0 ? Math.min(1, Math.max(0, made / played)) : undefined;
  }

  /** Layers of one picture are encoded one after the other. */
  #encoding(videos: readonly Entry[]): number | undefined {
    const pictures = new Map<unknown, number>();
    for (const entry of videos) {
      if (number(entry, 'totalEncodeTime') === undefined) continue;
      const picture = entry['mediaSourceId'];
      pictures.set(picture, (pictures.get(picture) ?? 0) + this.#grown(entry, 'totalEncodeTime') / this.#seconds);
    }
    return most([...pictures.values()]);
  }

  #isMoving(out: readonly Entry[], remote: Entry): boolean {
    const local = out.find(({ ssrc }) => ssrc === remote['ssrc']);
    return local !== undefined && this.#grown(local, 'packetsSent') > 0;
  }

  #grown(entry: Entry, key: string): number {
    return (number(entry, key) ?? 0) - (number(this.#before.get(String(entry['id'])), key) ?? 0);
  }

  #rate(entries: readonly Entry[], keys: readonly string[]): number {
    const bytes = sum(entries, (entry) => sum(keys, (key) => this.#grown(entry, key)));
    return Math.max(0, (bytes * 8) / this.#seconds);
  }

  /** Of what was counted since, ms. */
  #mean(entries: readonly Entry[], total: string, count: string): number | undefined {
    const times = sum(entries, (entry) => this.#grown(entry, count));
    return times > 0 ? (sum(entries, (entry) => this.#grown(entry, total)) / times) * 1_000 : undefined;
  }

  #pair(): Entry | undefined {
    const transport = [...this.#now.values()].find(({ type }) => type === 'transport');
    const chosen = this.#now.get(String(transport?.['selectedCandidatePairId']));
    return (
      chosen ?? [...this.#now.values()].find(({ type, selected }) => type === 'candidate-pair' && selected === true)
    );
  }

  /** Asked every two to three seconds; between two answers the last one holds. */
  #pairRtt(pair: Entry | undefined): number | undefined {
    const measured = pair ? this.#mean([pair], 'totalRoundTripTime', 'responsesReceived') : undefined;
    if (measured !== undefined) this.#lastRtt = { ms: measured, at: this.#at ?? 0 };
    return this.#lastRtt && (this.#at ?? 0) - this.#lastRtt.at <= RTT_HOLDS_MS ? this.#lastRtt.ms : undefined;
  }
}

function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0);
}

function most(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 0 ? Math.max(...known) : undefined;
}
