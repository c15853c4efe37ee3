/**
 * One end of a Pipe: a PipeTransport on the Room's Router, sealed with SRTP (AEAD_AES_256_GCM, the only suite that mediasoup
 * has for pipes) and with RTX. Upstream it consumes Producers into the Pipe; downstream it produces what comes out,
 * under the same ids. Every call can be repeated: the same end gives the same answer.
 */
import { ClusterError } from '@veilcast/protocol';
import { PIPE_KEY_FRAME_DELAY_MS } from './codecs.ts';
import type { NodeConfig } from './config.ts';
import { RECEIVE_BUFFER_BYTES } from './media/buffers.ts';
import { media } from './media/errors.ts';
import type { MediaConsumer, MediaKind, MediaPipeTransport, RtpParameters, SrtpParameters } from './media/port.ts';
import type { LiveWorker } from './media/worker.ts';
import { PipeMeter } from './meter.ts';
import type { Present } from './router.ts';
import type { Hold } from './routers.ts';

/** Producers on one Pipe. */
const PRODUCERS_PER_PIPE_MAX = 2_000;

export interface PipeOptions {
  readonly id: string;
  readonly worker: LiveWorker;
  readonly config: NodeConfig;
  readonly hold: () => Promise<Hold>;
  readonly onChange: () => void;
}

export interface Remote {
  readonly ip: string;
  readonly port: number;
  readonly srtpParameters: SrtpParameters;
}

interface Sending {
  readonly consumer: MediaConsumer;
  readonly from: Present;
}

export class PipeEnd {
  readonly id: string;
  readonly worker: LiveWorker;
  readonly meter = new PipeMeter();
  readonly #options: PipeOptions;
  readonly #sends = new Map<string, Promise<Sending>>();
  readonly #sending = new Map<string, MediaConsumer>();
  #hold: Hold | undefined;
  #transport: MediaPipeTransport | undefined;
  #opened: Promise<this> | undefined;
  #remote: { readonly key: string; readonly done: Promise<void> } | undefined;
  #connected = false;
  #closed = false;

  constructor(options: PipeOptions) {
    this.id = options.id;
    this.worker = options.worker;
    this.#options = options;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Ids of what goes into the Pipe here. */
  get sends(): string[] {
    return [...this.#sending.keys()];
  }

  /** Of these, what nobody below watches: nothing of it goes in. */
  get paused(): string[] {
    return [...this.#sending].flatMap(([producerId, { paused }]) => (paused ? [producerId] : []));
  }

  /** Ids of what comes out of it here. */
  get receives(): string[] {
    return this.#hold?.router.producersOf(this) ?? [];
  }

  get transports(): number {
    return this.#transport ? 1 : 0;
  }

  /** @throws ClusterError CLOSED, WORKER_DIED */
  open(): Promise<this> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<this> {
    const { config, hold } = this.#options;
    const held = await hold();
    this.#hold = held;
    const { ip, pipeIp, announcedAddress, pipePorts } = config.media;
    const announced = pipeIp ?? announcedAddress;
    try {
      if (this.#closed) throw new ClusterError('CLOSED');
      const transport = await media(
        held.router.media.createPipeTransport({
          listenInfo: {
            protocol: 'udp',
            ip,
            recvBufferSize: RECEIVE_BUFFER_BYTES,
            ...(announced === undefined ? {} : { announcedAddress: announced }),
            ...(pipePorts === undefined ? {} : { portRange: pipePorts }),
          },
          enableSrtp: true,
          enableRtx: true,
        }),
      );
      if (this.#closed) {
        transport.close();
        throw new ClusterError('CLOSED');
      }
      this.#transport = transport;
    } catch (error) {
      held.release();
      throw this.#closed ? new ClusterError('CLOSED') : error;
    }
    return this;
  }

  /** Where this end listens and how it seals. */
  answer(): Remote {
    const { transport } = this.#mustBeOpen();
    const { tuple, srtpParameters } = transport;
    if (!srtpParameters) throw new ClusterError('INTERNAL', 'a pipe end without SRTP');
    return { ip: tuple.localAddress, port: tuple.localPort, srtpParameters };
  }

  /** Whether it is free, or joined to just this remote end. */
  fits(remote: Remote): boolean {
    return this.#remote === undefined || this.#remote.key === keyOf(remote);
  }

  /** @throws ClusterError MALFORMED, CLOSED */
  async connect(remote: Remote): Promise<void> {
    const { transport } = this.#mustBeOpen();
    const { ip, port, srtpParameters } = remote;
    this.#remote ??= { key: keyOf(remote), done: media(transport.connect({ ip, port, srtpParameters }), 'MALFORMED') };
    try {
      await this.#remote.done;
    } catch (error) {
      this.#remote = undefined;
      throw error;
    }
    if (this.#connected) return;
    this.#connected = true;
    this.#options.onChange();
  }

  /** Upstream: consumes the Producer into the Pipe. @throws ClusterError NOT_FOUND, OVERLOADED, CLOSED */
  async send(producerId: string) {
    let sending = this.#sends.get(producerId);
    if (!sending) {
      if (this.#sends.size >= PRODUCERS_PER_PIPE_MAX) throw new ClusterError('OVERLOADED');
      sending = this.#send(producerId);
      this.#sends.set(producerId, sending);
      sending.catch(() => {
        if (this.#sends.get(producerId) === sending) this.#sends.delete(producerId);
      });
    }
    const { consumer, from } = await sending;
    // Of the Producer itself: its Consumers hear of a pause a moment later.
    const { paused } = from.producer;
    return { kind: consumer.kind, rtpParameters: consumer.rtpParameters, paused, path: from.path };
  }

  async #send(producerId: string): Promise<Sending> {
    const { transport, hold } = this.#mustBeOpen();
    const from = hold.router.find(producerId);
    if (!from) throw new ClusterError('NOT_FOUND', 'the Producer is not on this Router');
    const consumer = await media(transport.consume({ producerId }), 'NOT_FOUND');
    if (this.#closed) throw new ClusterError('CLOSED');
    consumer.on('producerclose', () => this.#unsend(producerId, consumer));
    this.#sending.set(producerId, consumer);
    this.#options.onChange();
    return { consumer, from };
  }

  #unsend(producerId: string, consumer: MediaConsumer): void {
    if (this.#sending.get(producerId) !== consumer) return;
    this.#sending.delete(producerId);
    this.#sends.delete(producerId);
    this.meter.forget(producerId);
    this.#options.onChange();
  }

  /** Downstream: produces what comes out; told again with another `paused`, follows it. @throws ClusterError MALFORMED, OVERLOADED, CLOSED */
  async receive(wanted: {
    producerId: string;
    kind: MediaKind;
    rtpParameters: RtpParameters;
    paused: boolean;
    path: readonly string[];
  }): Promise<void> {
    const { transport, hold } = this.#mustBeOpen();
    const { producerId: id, kind, rtpParameters, paused } = wanted;
    const here = this.#options.config.nodeId;
    const path = wanted.path.at(-1) === here ? wanted.path : [...wanted.path, here];
    const producer = await hold.router.open(id, this, path, () =>
      transport.produce({ id, kind, rtpParameters, paused, keyFrameRequestDelay: PIPE_KEY_FRAME_DELAY_MS }),
    );
    if (producer.paused !== paused) await media(paused ? producer.pause() : producer.resume(), 'NOT_FOUND');
  }

  /** Upstream: stops what goes in, or lets it in again, which asks the publisher for key frames. @throws ClusterError NOT_FOUND */
  async pause(producerId: string, paused: boolean): Promise<void> {
    const consumer = this.#sending.get(producerId);
    if (!consumer) throw new ClusterError('NOT_FOUND', 'the Producer does not go into this Pipe here');
    await media(paused ? consumer.pause() : consumer.resume(), 'NOT_FOUND');
    this.#options.onChange();
  }

  /** Takes a Producer off this Pipe, whichever end this is. */
  stop(producerId: string): void {
    const consumer = this.#sending.get(producerId);
    if (consumer) {
      this.#unsend(producerId, consumer);
      consumer.close();
    }
    if (this.#hold?.router.closeProducer(producerId, this)) this.meter.forget(producerId);
  }

  /** Takes what it has carried so far. */
  async measure(): Promise<void> {
    if (!this.#transport || !this.#hold) return;
    const { router } = this.#hold;
    const receiving = this.receives.flatMap((id) => router.find(id)?.producer ?? []);
    await this.meter.measure(this.#transport, this.#sending, receiving);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connected = false;
    this.#sending.clear();
    this.#sends.clear();
    this.#hold?.router.closeProducersOf(this);
    if (!this.#transport) return;
    this.#transport.close();
    this.#hold?.release();
  }

  #mustBeOpen() {
    if (this.#closed || !this.#transport || !this.#hold)
      throw new ClusterError('NOT_FOUND', 'the pipe end is not open');
    return { transport: this.#transport, hold: this.#hold };
  }
}

function keyOf({ ip, port, srtpParameters }: Remote): string {
  return `${ip} ${port} ${srtpParameters.cryptoSuite} ${srtpParameters.keyBase64}`;
}
