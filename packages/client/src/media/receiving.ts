/**
 * What this Peer gets: a Consumer for every Producer of the others, asked for in batches and resumed only once its
 * transform is set, so that no frame reaches a decoder around it.
 */
import {
  BATCH_MAX,
  ClusterError,
  type ConsumerId,
  type Clock,
  type ConsumerView,
  type ErrorCode,
  type PeerId,
  type ProducerId,
  type ProducerView,
  type Source,
} from '@veilcast/protocol';
import type { types } from 'mediasoup-client';
import type { Signaling } from '../socket.ts';
import type { Transforms } from '../transforms.ts';
import { codecOf } from './codec.ts';
import { onFirstMedia } from './first-media.ts';
import { plain, type Transports } from './transports.ts';

/** What was left out of an answer is asked for again after these pauses, then given up: its Pipe may come late. */
const RETRY_PAUSES_MS = [500, 2_000, 5_000] as const;

/** One Consumer that lives. */
export interface Received {
  readonly consumerId: ConsumerId;
  readonly producerId: ProducerId;
  readonly peerId: PeerId;
  readonly source: Source;
  readonly path: readonly string[];
  readonly track: MediaStreamTrack;
  readonly receiver: RTCRtpReceiver | undefined;
  /** It comes from the other Peer itself and by no Node (ADR 0034). */
  readonly isDirect?: true;
}

export interface ReceivingListeners {
  opened(received: Received): void;
  closed(received: Received): void;
  /** The same media, from now on by this way: the first is closed. */
  replaced(before: Received, received: Received): void;
  /** This browser cannot decode it, and it was not sent in another codec either. */
  undecodable(producer: ProducerView): void;
}

interface Wanted {
  readonly producer: ProducerView;
  tries: number;
  /** Why it was refused last. */
  refusal?: ErrorCode;
}

export class Receiving {
  readonly #transports: Transports;
  readonly #transforms: Transforms;
  readonly #signaling: Signaling;
  readonly #clock: Clock;
  readonly #listeners: ReceivingListeners;
  /** Producers that exist. Bounded by the server: PEERS_MAX × PRODUCERS_MAX. */
  readonly #wanted = new Map<ProducerId, Wanted>();
  readonly #received = new Map<ProducerId, { readonly received: Received; readonly consumer: types.Consumer }>();
  #batch = new Set<ProducerId>();
  /** Those that take the place of one that is still shown, until they have media. */
  readonly #coming = new Map<ProducerId, () => void>();
  /** Where this Peer was: what it shows goes on until it comes from here too. */
  #former: Receiving | undefined;
  #retired = false;
  #closed = false;

  constructor(
    transports: Transports,
    transforms: Transforms,
    signaling: Signaling,
    clock: Clock,
    listeners: ReceivingListeners,
    former?: Receiving,
  ) {
    this.#former = former;
    this.#transports = transports;
    this.#transforms = transforms;
    this.#signaling = signaling;
    this.#clock = clock;
    this.#listeners = listeners;
  }

  /** What is shown. */
  list(): Received[] {
    const here = Array.from(this.#received.values(), ({ received }) => received);
    const shown = here.filter(({ producerId }) => !this.#coming.has(producerId));
    return [...(this.#former?.list() ?? []), ...shown];
  }

  /** Also what is not shown yet. */
  has(consumerId: string): boolean {
    const here = Array.from(this.#received.values()).some(({ received }) => received.consumerId === consumerId);
    return here || (this.#former?.has(consumerId) ?? false);
  }

  /** Of all ways that something comes by. */
  async stats(): Promise<Map<string, unknown>> {
    const [before, here] = await Promise.all([this.#former?.stats(), this.#transports.receive.getStats()]);
    return new Map<string, unknown>([...(before ?? []), ...here.entries()]);
  }

  /** Nothing is shown any more that comes from where this Peer was. */
  get isOver(): boolean {
    return (this.#former?.list() ?? []).length === 0;
  }

  /** Where it was is left for good. */
  leaveFormer(): void {
    this.#former?.close();
    this.#former = undefined;
  }

  /** Asks for nothing any more; what it shows goes on. */
  retire(): void {
    this.#retired = true;
    this.#wanted.clear();
  }

  /** The Producers that exist, as they were told of. */
  wanted(): ProducerView[] {
    return Array.from(this.#wanted.values(), ({ producer }) => producer);
  }

  /** All Producers that open within one tick become one request, which is sent before the browser does anything else. */
  producerOpened(producer: ProducerView): void {
    if (this.#wanted.has(producer.producerId)) return;
    this.#wanted.set(producer.producerId, { producer, tries: 0 });
    this.#ask(producer.producerId);
  }

  producerClosed(producerId: ProducerId): void {
    this.#former?.producerClosed(producerId);
    this.#wanted.delete(producerId);
    this.#drop(producerId);
  }

  /** The server closed it. If the Producer lives on, it is wanted again. */
  consumerClosed(producerId: ProducerId, consumerId?: ConsumerId): void {
    this.#former?.consumerClosed(producerId, consumerId);
    const present = this.#received.get(producerId)?.received.consumerId;
    if (consumerId && present && present !== consumerId) return;
    this.#drop(producerId);
    this.#askLater(producerId);
  }

  peerLeft(peerId: PeerId): void {
    this.#former?.peerLeft(peerId);
    const theirs = Array.from(this.#wanted.values()).filter(({ producer }) => producer.peerId === peerId);
    for (const { producer } of theirs) this.producerClosed(producer.producerId);
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#coming.values()) cancel();
    this.#coming.clear();
    const producerIds = Array.from(this.#received.keys());
    for (const producerId of producerIds) this.#drop(producerId);
    this.#wanted.clear();
  }

  #ask(producerId: ProducerId): void {
    this.#batch.add(producerId);
    if (this.#batch.size === 1) queueMicrotask(() => void this.#flush());
  }

  #askLater(producerId: ProducerId): void {
    const wanted = this.#wanted.get(producerId);
    const wait = RETRY_PAUSES_MS[wanted?.tries ?? 0];
    if (!wanted) return;
    if (wait === undefined) {
      if (wanted.refusal === 'CANNOT_CONSUME') this.#listeners.undecodable(wanted.producer);
      return;
    }
    wanted.tries += 1;
    this.#clock.after(wait, () => {
      if (!this.#closed && this.#wanted.get(producerId) === wanted && !this.#received.has(producerId)) {
        this.#ask(producerId);
      }
    });
  }

  async #flush(): Promise<void> {
    const producerIds = [...this.#batch].filter((producerId) => this.#wanted.has(producerId));
    this.#batch = new Set();
    for (let from = 0; from < producerIds.length && !this.#closed; from += BATCH_MAX) {
      await this.#consume(producerIds.slice(from, from + BATCH_MAX));
    }
  }

  async #consume(producerIds: ProducerId[]): Promise<void> {
    const rtpCapabilities = plain(this.#transports.device.recvRtpCapabilities);
    let refusal: ErrorCode | undefined;
    const answer = await this.#signaling
      .request('consume', { producerIds, rtpCapabilities })
      .catch((thrown: unknown) => void (refusal = ClusterError.of(thrown).code));
    const views = answer?.consumers ?? [];
    for (const producerId of producerIds) {
      if (views.some((view) => view.producerId === producerId)) continue;
      const wanted = this.#wanted.get(producerId);
      if (wanted && refusal) wanted.refusal = refusal;
      this.#askLater(producerId);
    }
    const opened = await Promise.all(views.map((view) => this.#open(view)));
    const consumerIds = opened.filter((consumerId) => consumerId !== undefined);
    if (consumerIds.length === 0 || this.#closed) return;
    await this.#resume(consumerIds, 0);
  }

  /** A Consumer that stays paused is a black tile, so this is asked again. */
  async #resume(consumerIds: ConsumerId[], tries: number): Promise<void> {
    try {
      await this.#signaling.request('resumeConsumers', { consumerIds });
    } catch (thrown) {
      const error = ClusterError.of(thrown);
      const wait = RETRY_PAUSES_MS[tries];
      if (error.retry === 'never' || wait === undefined || this.#closed) return;
      this.#clock.after(error.retryMs ?? wait, () => void this.#resume(consumerIds, tries + 1));
    }
  }

  async #open(view: ConsumerView): Promise<ConsumerId | undefined> {
    const wanted = this.#wanted.get(view.producerId);
    const rtpParameters = view.rtpParameters as unknown as types.RtpParameters;
    const codec = codecOf(rtpParameters.codecs[0]?.mimeType);
    if (!wanted || !codec || this.#closed || this.#received.has(view.producerId)) {
      this.#closeConsumer(view.consumerId);
      return undefined;
    }
    const { source, peerId } = wanted.producer;
    try {
      const consumer = await this.#transports.receive.consume({
        id: view.consumerId,
        producerId: view.producerId,
        kind: view.kind,
        rtpParameters,
        // One stream for a face and its voice, another for a screen and its sound: each pair is kept in step.
        streamId: `${peerId}-${source.startsWith('screen') ? 'screen' : 'face'}`,
        onRtpReceiver: (receiver) =>
          this.#transforms.open(receiver, { consumerId: view.consumerId, peerId, source, codec }),
      });
      return this.#keep(view, wanted, consumer);
    } catch {
      this.#closeConsumer(view.consumerId);
      this.#askLater(view.producerId);
      return undefined;
    }
  }

  #keep(view: ConsumerView, wanted: Wanted, consumer: types.Consumer): ConsumerId | undefined {
    // The Producer may have closed while the browser negotiated.
    if (this.#closed || this.#wanted.get(view.producerId) !== wanted) {
      consumer.close();
      return undefined;
    }
    wanted.tries = 0;
    const received: Received = {
      consumerId: view.consumerId,
      producerId: view.producerId,
      peerId: wanted.producer.peerId,
      source: wanted.producer.source,
      path: view.path,
      track: consumer.track,
      receiver: consumer.rtpReceiver,
    };
    this.#received.set(view.producerId, { received, consumer });
    if (this.#before(wanted.producer)) {
      const come = (): void => this.#show(view.producerId);
      this.#coming.set(view.producerId, onFirstMedia(received, this.#clock, come));
    } else this.#listeners.opened(received);
    return view.consumerId;
  }

  /** What is shown of the same media: by the way before, or of the Producer that this one replaces. */
  #before({ producerId, replaces }: ProducerView): { readonly by: Receiving; readonly received: Received } | undefined {
    const former = this.#former?.shown(producerId);
    return former ?? (replaces ? this.shown(replaces) : undefined);
  }

  shown(producerId: ProducerId): { readonly by: Receiving; readonly received: Received } | undefined {
    const kept = this.#coming.has(producerId) ? undefined : this.#received.get(producerId);
    return kept ? { by: this, received: kept.received } : this.#former?.shown(producerId);
  }

  /** It has media: from now on it is what is shown. */
  #show(producerId: ProducerId): void {
    this.#coming.get(producerId)?.();
    this.#coming.delete(producerId);
    const kept = this.#received.get(producerId);
    const wanted = this.#wanted.get(producerId);
    if (!kept || !wanted) return;
    const before = this.#former?.shown(producerId) ?? this.#before(wanted.producer);
    if (!before) return this.#listeners.opened(kept.received);
    this.#listeners.replaced(before.received, kept.received);
    before.by.letGo(before.received.producerId);
  }

  /** Another one shows the same. */
  letGo(producerId: ProducerId): void {
    const kept = this.#received.get(producerId);
    if (!kept) return;
    this.#received.delete(producerId);
    kept.consumer.close();
    // Of the place that it leaves the server closes everything at once.
    if (!this.#retired) this.#closeConsumer(kept.received.consumerId);
  }

  #drop(producerId: ProducerId): void {
    const kept = this.#received.get(producerId);
    if (!kept) return;
    this.#received.delete(producerId);
    kept.consumer.close();
    const isComing = this.#coming.has(producerId);
    this.#coming.get(producerId)?.();
    this.#coming.delete(producerId);
    if (!isComing) this.#listeners.closed(kept.received);
    // What was to take its place need not wait any longer.
    for (const next of this.#coming.keys())
      if (this.#wanted.get(next)?.producer.replaces === producerId) this.#show(next);
  }

  /** A Consumer that nobody needs any more; the server may know already. */
  #closeConsumer(consumerId: ConsumerId): void {
    this.#signaling.request('closeConsumers', { consumerIds: [consumerId] }).catch(() => undefined);
  }
}
