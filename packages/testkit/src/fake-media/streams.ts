/** Producers and Consumers: who closes whom, who is paused, and how many packets would have passed. */
import type { types } from 'mediasoup';
import { Emitter } from './emitter.ts';
import { spatialLayers, typeOf } from './rtp.ts';
import type { FakeTransport } from './transport.ts';

/** Packets a second while media flows. */
const RATE: Readonly<Record<types.MediaKind, number>> = { audio: 50, video: 150 };

/** Counts what would have passed, whenever it is asked. */
class Meter {
  #packets = 0;
  #countedAt: number;

  constructor(now: number) {
    this.#countedAt = now;
  }

  count(now: number, rate: number): number {
    this.#packets += ((now - this.#countedAt) / 1000) * rate;
    this.#countedAt = now;
    return Math.trunc(this.#packets);
  }
}

interface Stats {
  readonly type: string;
  readonly packetCount: number;
  readonly packetsLost: number;
  readonly fractionLost: number;
  readonly roundTripTime?: number;
}

export class FakeProducer extends Emitter {
  readonly id: string;
  readonly kind: types.MediaKind;
  readonly rtpParameters: types.RtpParameters;
  readonly type: types.ConsumerType;
  readonly transport: FakeTransport;
  readonly consumers = new Set<FakeConsumer>();
  keyFrameRequests = 0;
  paused: boolean;
  closed = false;
  readonly #meter: Meter;

  constructor(
    transport: FakeTransport,
    init: { id: string; kind: types.MediaKind; rtpParameters: types.RtpParameters; paused: boolean },
  ) {
    super(transport.media.listenerErrors);
    this.transport = transport;
    this.id = init.id;
    this.kind = init.kind;
    this.rtpParameters = init.rtpParameters;
    this.paused = init.paused;
    this.type = typeOf(init.rtpParameters);
    this.#meter = new Meter(transport.media.clock.now());
  }

  /** Its Consumers close, which is told a moment later, as from another process. */
  close(): void {
    if (this.closed) return;
    this.end();
    this.transport.forgetProducer(this);
  }

  transportClosed(): void {
    if (this.closed) return;
    this.end();
    this.safeEmit('transportclose');
  }

  protected end(): void {
    this.closed = true;
    for (const consumer of this.consumers) this.transport.worker.notify(() => consumer.producerClosed());
    this.consumers.clear();
  }

  async pause(): Promise<void> {
    await this.transport.request(this);
    this.#setPaused(true);
  }

  async resume(): Promise<void> {
    await this.transport.request(this);
    this.#setPaused(false);
  }

  #setPaused(paused: boolean): void {
    this.paused = paused;
    for (const consumer of this.consumers) this.transport.worker.notify(() => consumer.producerPausedIs(paused));
  }

  async getStats(): Promise<Stats[]> {
    await this.transport.request(this);
    const { media } = this.transport;
    const rate = media.arrives(this) === 'flows' ? RATE[this.kind] : 0;
    const packetCount = this.#meter.count(media.clock.now(), rate);
    return [{ type: 'inbound-rtp', packetCount, packetsLost: 0, fractionLost: 0 }];
  }
}

export class FakeConsumer extends Emitter {
  readonly id: string;
  readonly producer: FakeProducer;
  readonly rtpParameters: types.RtpParameters;
  readonly type: types.ConsumerType;
  readonly transport: FakeTransport;
  paused: boolean;
  producerPaused: boolean;
  closed = false;
  preferredLayers: { spatialLayer: number; temporalLayer: number } | undefined;
  readonly #meter: Meter;

  constructor(
    transport: FakeTransport,
    producer: FakeProducer,
    init: { id: string; rtpParameters: types.RtpParameters; type: types.ConsumerType; paused: boolean },
  ) {
    super(transport.media.listenerErrors);
    this.transport = transport;
    this.producer = producer;
    this.id = init.id;
    this.rtpParameters = init.rtpParameters;
    this.type = init.type;
    this.paused = init.paused;
    this.producerPaused = producer.paused;
    this.#meter = new Meter(transport.media.clock.now());
    if (init.type === 'simulcast' || init.type === 'svc')
      this.preferredLayers = { spatialLayer: spatialLayers(producer.rtpParameters) - 1, temporalLayer: 2 };
    transport.media.liveConsumers.set(this.id, this);
  }

  get producerId(): string {
    return this.producer.id;
  }

  get kind(): types.MediaKind {
    return this.producer.kind;
  }

  close(): void {
    if (this.closed) return;
    this.#end();
    this.producer.consumers.delete(this);
    this.transport.consumers.delete(this.id);
  }

  #end(): void {
    this.closed = true;
    this.transport.media.liveConsumers.delete(this.id);
  }

  transportClosed(): void {
    if (this.closed) return;
    this.#end();
    this.producer.consumers.delete(this);
    this.safeEmit('transportclose');
  }

  producerClosed(): void {
    if (this.closed) return;
    this.#end();
    this.transport.consumers.delete(this.id);
    this.safeEmit('producerclose');
  }

  producerPausedIs(paused: boolean): void {
    if (this.closed || this.producerPaused === paused) return;
    this.producerPaused = paused;
    this.safeEmit(paused ? 'producerpause' : 'producerresume');
  }

  async pause(): Promise<void> {
    await this.transport.request(this);
    if (this.paused) return;
    this.paused = true;
    this.#tellLayers();
  }

  async resume(): Promise<void> {
    await this.transport.request(this);
    if (!this.paused) return;
    this.paused = false;
    this.#tellLayers();
  }

  async setPreferredLayers(layers: { spatialLayer: number; temporalLayer?: number }): Promise<void> {
    await this.transport.request(this);
    if (this.preferredLayers === undefined) return;
    this.preferredLayers = {
      spatialLayer: Math.min(layers.spatialLayer, spatialLayers(this.producer.rtpParameters) - 1),
      temporalLayer: layers.temporalLayer ?? 2,
    };
    if (!this.paused) this.#tellLayers();
  }

  #tellLayers(): void {
    if (this.preferredLayers === undefined) return;
    const layers = this.paused ? undefined : { ...this.preferredLayers };
    this.transport.worker.notify(() => {
      if (!this.closed) this.safeEmit('layerschange', layers);
    });
  }

  async requestKeyFrame(): Promise<void> {
    await this.transport.request(this);
    this.producer.keyFrameRequests += 1;
  }

  async getStats(): Promise<Stats[]> {
    await this.transport.request(this);
    const { media } = this.transport;
    const rate = media.flow(this.id) === 'flows' ? RATE[this.kind] : 0;
    const packetCount = this.#meter.count(media.clock.now(), rate);
    return [{ type: 'outbound-rtp', packetCount, packetsLost: 0, fractionLost: 0, roundTripTime: 1 }];
  }
}
