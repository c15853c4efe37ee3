/** Transports: of browsers (ICE and DTLS states) and of pipes (a tuple and SRTP keys that must match the other end's). */
import type { types } from 'mediasoup';
import { NotFoundError } from 'mediasoup/errors';
import { Emitter } from './emitter.ts';
import type { FakeMedia } from './media.ts';
import type { FakeRouter } from './router.ts';
import { consumable, consumerParameters, mustProduce } from './rtp.ts';
import { FakeConsumer, FakeProducer } from './streams.ts';
import type { FakeWorker } from './worker.ts';

export abstract class FakeTransport extends Emitter {
  readonly id: string;
  readonly router: FakeRouter;
  readonly producers = new Map<string, FakeProducer>();
  readonly consumers = new Map<string, FakeConsumer>();
  closed = false;
  #mids = 0;

  constructor(router: FakeRouter) {
    super(router.media.listenerErrors);
    this.router = router;
    this.id = router.media.id('transport');
    router.media.liveTransports.set(this.id, this);
  }

  get media(): FakeMedia {
    return this.router.media;
  }

  get worker(): FakeWorker {
    return this.router.worker;
  }

  /** Whether packets can pass. */
  abstract get connected(): boolean;

  close(): void {
    if (this.closed) return;
    this.end();
    this.router.transports.delete(this.id);
  }

  routerClosed(): void {
    if (this.closed) return;
    this.end();
    this.safeEmit('routerclose');
  }

  protected end(): void {
    this.closed = true;
    this.media.liveTransports.delete(this.id);
    for (const producer of this.producers.values()) {
      this.router.producers.delete(producer.id);
      producer.transportClosed();
    }
    for (const consumer of this.consumers.values()) consumer.transportClosed();
    this.producers.clear();
    this.consumers.clear();
  }

  forgetProducer(producer: FakeProducer): void {
    this.producers.delete(producer.id);
    this.router.producers.delete(producer.id);
  }

  /** Waits for the worker. @throws WorkerClosedError; Error when the object is gone */
  async request(object: { readonly closed: boolean } = this): Promise<void> {
    await this.worker.request();
    if (object.closed || this.closed || this.router.closed) throw new Error('not found in the worker');
  }

  async produce(init: {
    id: string;
    kind: types.MediaKind;
    rtpParameters: types.RtpParameters;
    paused?: boolean;
    keyFrameRequestDelay?: number;
  }): Promise<FakeProducer> {
    if (this.producers.has(init.id)) throw new TypeError(`a Producer with same id "${init.id}" already exists`);
    if (init.kind !== 'audio' && init.kind !== 'video') throw new TypeError(`invalid kind "${String(init.kind)}"`);
    mustProduce(init.rtpParameters, this.router.rtpCapabilities);
    await this.request();
    // The worker's own answer, where two asked at the same time or on two transports.
    if (this.router.producers.has(init.id)) throw new Error(`a Producer with same id "${init.id}" already exists`);
    const producer = new FakeProducer(this, { ...init, paused: init.paused ?? false });
    this.producers.set(producer.id, producer);
    this.router.producers.set(producer.id, producer);
    return producer;
  }

  async consume(init: {
    producerId: string;
    rtpCapabilities?: types.RtpCapabilities;
    paused?: boolean;
  }): Promise<FakeConsumer> {
    const producer = this.#mustFind(init.producerId);
    const codecs = this.codecsFor(producer, init.rtpCapabilities);
    await this.request();
    this.#mustFind(init.producerId);
    const mid = this instanceof FakePipeTransport ? undefined : String((this.#mids += 1) - 1);
    const consumer = new FakeConsumer(this, producer, {
      id: this.media.id('consumer'),
      rtpParameters: consumerParameters(producer.rtpParameters, codecs, mid),
      type: mid === undefined ? 'pipe' : producer.type,
      paused: init.paused ?? false,
    });
    this.consumers.set(consumer.id, consumer);
    producer.consumers.add(consumer);
    return consumer;
  }

  protected codecsFor(
    producer: FakeProducer,
    capabilities: types.RtpCapabilities | undefined,
  ): types.RtpCodecParameters[] {
    if (capabilities === undefined) throw new TypeError('missing rtpCapabilities');
    const codecs = consumable(producer.rtpParameters, capabilities);
    if (codecs.length === 0) throw new Error('no compatible media codecs');
    return codecs;
  }

  #mustFind(producerId: string): FakeProducer {
    const producer = this.router.producers.get(producerId);
    if (producer === undefined) throw new NotFoundError(`Producer with id "${producerId}" not found`);
    return producer;
  }
}

export class FakeWebRtcTransport extends FakeTransport {
  iceParameters: types.IceParameters;
  readonly iceCandidates: types.IceCandidate[];
  readonly dtlsParameters: types.DtlsParameters;
  iceState: types.IceState = 'new';
  dtlsState: types.DtlsState = 'new';
  #connectCalled = false;

  constructor(router: FakeRouter) {
    super(router);
    this.iceParameters = this.#makeIce();
    const address = '127.0.0.1';
    this.iceCandidates = [
      { foundation: 'udp', priority: 1, ip: address, address, protocol: 'udp', port: 1, type: 'host' },
    ];
    this.dtlsParameters = { role: 'auto', fingerprints: [{ algorithm: 'sha-256', value: this.media.id('fp') }] };
  }

  get connected(): boolean {
    return (
      !this.closed && this.dtlsState === 'connected' && (this.iceState === 'connected' || this.iceState === 'completed')
    );
  }

  #makeIce(): types.IceParameters {
    return { usernameFragment: this.media.id('ufrag'), password: this.media.id('pwd'), iceLite: true };
  }

  async connect(remote: { dtlsParameters: types.DtlsParameters }): Promise<void> {
    if (!Array.isArray(remote.dtlsParameters?.fingerprints)) throw new TypeError('missing fingerprints');
    await this.request();
    if (this.#connectCalled) throw new Error('connect() already called');
    this.#connectCalled = true;
    if (!this.media.clientsConnect) return;
    this.setIce('connected');
    this.setIce('completed');
    this.setDtls('connecting');
    this.setDtls('connected');
  }

  async restartIce(): Promise<types.IceParameters> {
    await this.request();
    this.iceParameters = this.#makeIce();
    return this.iceParameters;
  }

  /** As when the client's network changes. */
  setIce(state: types.IceState): void {
    this.worker.notify(() => {
      if (this.closed || this.iceState === state) return;
      this.iceState = state;
      this.safeEmit('icestatechange', state);
    });
  }

  /** As when the client's browser connects, fails or closes. */
  setDtls(state: types.DtlsState): void {
    this.worker.notify(() => {
      if (this.closed || this.dtlsState === state) return;
      this.dtlsState = state;
      this.safeEmit('dtlsstatechange', state);
    });
  }
}

export class FakePipeTransport extends FakeTransport {
  readonly tuple: { readonly localAddress: string; readonly localPort: number; readonly protocol: 'udp' };
  readonly srtpParameters: types.SrtpParameters | undefined;
  remote: { ip: string; port: number; srtpParameters?: types.SrtpParameters } | undefined;

  constructor(router: FakeRouter, init: { listenInfo: types.TransportListenInfo; enableSrtp: boolean }) {
    super(router);
    const { ip, announcedAddress, portRange } = init.listenInfo;
    const localAddress = announcedAddress ?? ip;
    this.tuple = { localAddress, localPort: this.media.takePort(this, localAddress, portRange), protocol: 'udp' };
    this.srtpParameters = init.enableSrtp
      ? { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: btoa(this.media.id('srtp')) }
      : undefined;
  }

  get connected(): boolean {
    return !this.closed && this.remote !== undefined;
  }

  async connect(remote: { ip: string; port: number; srtpParameters?: types.SrtpParameters }): Promise<void> {
    if ((remote.srtpParameters === undefined) !== (this.srtpParameters === undefined))
      throw new TypeError('SRTP on one end only');
    await this.request();
    if (this.remote !== undefined) throw new Error('connect() already called');
    this.remote = remote;
  }

  async getStats(): Promise<{ type: string; bytesReceived: number; bytesSent: number }[]> {
    await this.request();
    return [{ type: 'pipe-transport', bytesReceived: 0, bytesSent: 0 }];
  }

  protected override codecsFor(producer: FakeProducer): types.RtpCodecParameters[] {
    return producer.rtpParameters.codecs;
  }

  protected override end(): void {
    super.end();
    this.media.freePort(this);
  }
}
