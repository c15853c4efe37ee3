/** A Router: its transports, its Producers, and whether capabilities can consume one of them. */
import type { types } from 'mediasoup';
import { Emitter } from './emitter.ts';
import type { FakeMedia } from './media.ts';
import { consumable, routerCapabilities } from './rtp.ts';
import type { FakeProducer } from './streams.ts';
import { FakeAudioLevelObserver } from './voices.ts';
import { FakePipeTransport, FakeWebRtcTransport, type FakeTransport } from './transport.ts';
import type { FakeWorker } from './worker.ts';

export class FakeRouter extends Emitter {
  readonly id: string;
  readonly worker: FakeWorker;
  readonly rtpCapabilities: types.RtpCapabilities;
  readonly transports = new Map<string, FakeTransport>();
  /** Of all transports. */
  readonly producers = new Map<string, FakeProducer>();
  closed = false;

  constructor(worker: FakeWorker, codecs: readonly types.RouterRtpCodecCapability[]) {
    super(worker.media.listenerErrors);
    this.worker = worker;
    this.id = worker.media.id('router');
    this.rtpCapabilities = routerCapabilities(codecs);
  }

  get media(): FakeMedia {
    return this.worker.media;
  }

  close(): void {
    if (this.closed) return;
    this.#end();
    this.worker.routers.delete(this);
  }

  workerClosed(): void {
    if (this.closed) return;
    this.#end();
    this.safeEmit('workerclose');
  }

  #end(): void {
    this.closed = true;
    for (const transport of this.transports.values()) transport.routerClosed();
    this.transports.clear();
    this.producers.clear();
  }

  canConsume(query: { producerId: string; rtpCapabilities: types.RtpCapabilities }): boolean {
    const producer = this.producers.get(query.producerId);
    return producer !== undefined && consumable(producer.rtpParameters, query.rtpCapabilities).length > 0;
  }

  async createWebRtcTransport(): Promise<FakeWebRtcTransport> {
    await this.worker.request();
    return this.#keep(new FakeWebRtcTransport(this));
  }

  async createPipeTransport(init: {
    listenInfo: types.TransportListenInfo;
    enableSrtp?: boolean;
    enableRtx?: boolean;
  }): Promise<FakePipeTransport> {
    await this.worker.request();
    return this.#keep(new FakePipeTransport(this, { ...init, enableSrtp: init.enableSrtp ?? false }));
  }

  async createAudioLevelObserver(): Promise<FakeAudioLevelObserver> {
    await this.worker.request();
    return new FakeAudioLevelObserver(this);
  }

  /** On a Router that was closed meanwhile it is given out all the same, and the worker knows nothing of it. */
  #keep<T extends FakeTransport>(transport: T): T {
    if (this.closed) transport.close();
    else this.transports.set(transport.id, transport);
    return transport;
  }
}
