/**
 * A Peer on this node: its two WebRTC transports on the Room's Router, what it produces and what it consumes.
 * Opened once, however often it is asked for; closing it gives everything back, whatever was under way.
 */
import { BATCH_MAX, ClusterError, PRODUCERS_MAX } from '@veilcast/protocol';
import { KEY_FRAME_DELAY_MS } from './codecs.ts';
import { media } from './media/errors.ts';
import type {
  DtlsParameters,
  MediaConsumer,
  MediaKind,
  MediaWebRtcTransport,
  RtpCapabilities,
  RtpParameters,
} from './media/port.ts';
import type { LiveWorker } from './media/worker.ts';
import type { Present } from './router.ts';
import type { Hold } from './routers.ts';

/** After this long without a sign of life over ICE a transport is `disconnected`, s. Shorter: a lift ride shows. It comes back by itself. */
const ICE_CONSENT_S = 10;
/** Consumers of one Peer: everything of a full group once. */
const CONSUMERS_PER_PEER_MAX = 4 * BATCH_MAX;

export type TransportState = 'new' | 'connected' | 'disconnected' | 'failed' | 'closed';

/** What a Peer tells of what was not asked for. */
export interface PeerTold {
  transport(peer: Peer, transportId: string, state: TransportState): void;
  /** Its Producer went, or came off its Pipe. */
  consumerGone(peer: Peer, consumer: MediaConsumer): void;
  layers(peer: Peer, consumer: MediaConsumer, spatial: number, temporal: number): void;
  /** Counts changed. */
  changed(): void;
}

export interface PeerOptions {
  readonly id: string;
  readonly nodeId: string;
  readonly worker: LiveWorker;
  readonly hold: () => Promise<Hold>;
  readonly initialOutgoingBitrate: number;
  readonly told: PeerTold;
}

interface End {
  readonly transport: MediaWebRtcTransport;
  state: TransportState;
  connecting: { readonly key: string; readonly done: Promise<void> } | undefined;
}

export interface Consuming {
  readonly consumer: MediaConsumer;
  readonly from: Present;
}

export class Peer {
  readonly id: string;
  readonly worker: LiveWorker;
  readonly #options: PeerOptions;
  readonly #abort = new AbortController();
  /** By Producer: a Peer consumes each once. */
  readonly #consuming = new Map<string, Promise<Consuming>>();
  readonly #consumers = new Map<string, MediaConsumer>();
  #hold: Hold | undefined;
  #ends: readonly [send: End, recv: End] | undefined;
  #opened: Promise<this> | undefined;

  constructor(options: PeerOptions) {
    this.id = options.id;
    this.worker = options.worker;
    this.#options = options;
  }

  get closed(): boolean {
    return this.#abort.signal.aborted;
  }

  get producers(): number {
    return this.#hold?.router.producersOf(this).length ?? 0;
  }

  get consumers(): readonly MediaConsumer[] {
    return [...this.#consumers.values()];
  }

  get transports(): number {
    return this.#ends ? 2 : 0;
  }

  /** Whether media can flow on any of its transports. */
  get connected(): boolean {
    return this.#ends?.some((end) => end.state === 'connected') ?? false;
  }

  /** @throws ClusterError CLOSED, WORKER_DIED: it was closed meanwhile */
  open(): Promise<this> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<this> {
    const hold = await this.#options.hold();
    this.#hold = hold;
    if (this.closed) {
      hold.release();
      throw this.#abort.signal.reason as ClusterError;
    }
    const made = await Promise.allSettled([this.#makeTransport(hold), this.#makeTransport(hold)]);
    const [send, recv] = made;
    if (this.closed || send.status === 'rejected' || recv.status === 'rejected') {
      for (const one of made) if (one.status === 'fulfilled') one.value.close();
      hold.release();
      if (this.closed) throw this.#abort.signal.reason as ClusterError;
      throw ClusterError.of(send.status === 'rejected' ? send.reason : (recv as PromiseRejectedResult).reason);
    }
    this.#ends = [this.#watch(send.value), this.#watch(recv.value)];
    return this;
  }

  #makeTransport(hold: Hold): Promise<MediaWebRtcTransport> {
    return media(
      hold.router.media.createWebRtcTransport({
        webRtcServer: this.worker.server,
        enableUdp: true,
        enableTcp: true,
        preferUdp: true,
        iceConsentTimeout: ICE_CONSENT_S,
        initialAvailableOutgoingBitrate: this.#options.initialOutgoingBitrate,
      }),
    );
  }

  #watch(transport: MediaWebRtcTransport): End {
    const end: End = { transport, state: 'new', connecting: undefined };
    let ice = 'new';
    let dtls = 'new';
    const judge = (): void => {
      const state = stateOf(ice, dtls);
      if (state === end.state || this.closed) return;
      end.state = state;
      if (state !== 'new') this.#options.told.transport(this, transport.id, state);
    };
    transport.on('icestatechange', (state) => {
      ice = state;
      judge();
    });
    transport.on('dtlsstatechange', (state) => {
      dtls = state;
      judge();
    });
    return end;
  }

  /** What the client needs to build its half. */
  answer() {
    const { hold, ends } = this.#mustBeOpen();
    const [send, recv] = ends.map(({ transport }) => ({
      id: transport.id,
      iceParameters: transport.iceParameters,
      iceCandidates: transport.iceCandidates,
      dtlsParameters: transport.dtlsParameters,
    }));
    return { routerRtpCapabilities: hold.router.media.rtpCapabilities, send: send!, recv: recv! };
  }

  /** @throws ClusterError NOT_FOUND, FORBIDDEN (connected to other parameters already), MALFORMED */
  async connect(transportId: string, dtlsParameters: DtlsParameters): Promise<void> {
    const end = this.#end(transportId);
    const key = JSON.stringify(dtlsParameters);
    if (end.connecting && end.connecting.key !== key)
      throw new ClusterError('FORBIDDEN', 'this transport is connected to other DTLS parameters');
    end.connecting ??= { key, done: media(end.transport.connect({ dtlsParameters }), 'MALFORMED') };
    try {
      await end.connecting.done;
    } catch (error) {
      end.connecting = undefined;
      throw error;
    }
  }

  restartIce(transportId: string) {
    return media(this.#end(transportId).transport.restartIce(), 'NOT_FOUND');
  }

  /** @throws ClusterError FORBIDDEN (too many), MALFORMED, CLOSED */
  async produce(wanted: { producerId: string; kind: MediaKind; rtpParameters: RtpParameters; paused: boolean }) {
    const { hold, ends } = this.#mustBeOpen();
    const { producerId: id, kind, rtpParameters, paused } = wanted;
    const mine = hold.router.producersOf(this);
    if (mine.length >= PRODUCERS_MAX && !mine.includes(id)) throw new ClusterError('FORBIDDEN', 'too many Producers');
    const producer = await hold.router.open(id, this, [this.#options.nodeId], () =>
      ends[0].transport.produce({ id, kind, rtpParameters, paused, keyFrameRequestDelay: KEY_FRAME_DELAY_MS }),
    );
    if (kind === 'audio') hold.router.voices.add(producer);
  }

  /**
   * Waits for the Producer to come to this Router, then opens a paused Consumer of it; the same one if there is one.
   * @throws ClusterError DEADLINE, CANNOT_CONSUME, OVERLOADED, NOT_FOUND (it went while it was consumed), CLOSED
   */
  async consume(producerId: string, rtpCapabilities: RtpCapabilities, signal: AbortSignal): Promise<Consuming> {
    const { hold } = this.#mustBeOpen();
    await hold.router.arrival(producerId, AbortSignal.any([signal, this.#abort.signal]));
    const present = this.#consuming.get(producerId);
    if (present) return present;
    if (this.#consuming.size >= CONSUMERS_PER_PEER_MAX) throw new ClusterError('OVERLOADED', 'too many Consumers');
    const consuming = this.#consume(producerId, rtpCapabilities);
    this.#consuming.set(producerId, consuming);
    return consuming.catch((error: unknown) => {
      if (this.#consuming.get(producerId) === consuming) this.#consuming.delete(producerId);
      throw error;
    });
  }

  async #consume(producerId: string, rtpCapabilities: RtpCapabilities): Promise<Consuming> {
    const { hold, ends } = this.#mustBeOpen();
    const { router } = hold;
    const from = router.find(producerId);
    if (!from) throw new ClusterError('NOT_FOUND');
    if (!router.media.canConsume({ producerId, rtpCapabilities })) throw new ClusterError('CANNOT_CONSUME');
    // A plain no of the worker: the Producer went this moment.
    const consuming = ends[1].transport.consume({ producerId, rtpCapabilities, paused: true });
    const consumer = await media(consuming, 'NOT_FOUND');
    if (this.closed) throw this.#abort.signal.reason as ClusterError;
    consumer.on('producerclose', () => {
      if (this.#forget(consumer)) this.#options.told.consumerGone(this, consumer);
    });
    consumer.on('layerschange', (layers) =>
      this.#options.told.layers(this, consumer, layers?.spatialLayer ?? -1, layers?.temporalLayer ?? -1),
    );
    this.#consumers.set(consumer.id, consumer);
    this.#options.told.changed();
    return { consumer, from };
  }

  consumer(consumerId: string): MediaConsumer | undefined {
    return this.#consumers.get(consumerId);
  }

  closeConsumer(consumerId: string): void {
    const consumer = this.#consumers.get(consumerId);
    if (!consumer) return;
    this.#forget(consumer);
    consumer.close();
  }

  #forget(consumer: MediaConsumer): boolean {
    if (!this.#consumers.delete(consumer.id)) return false;
    this.#consuming.delete(consumer.producerId);
    this.#options.told.changed();
    return true;
  }

  /** Gives back all that it has; what is under way fails with `reason`. */
  close(reason: ClusterError = new ClusterError('CLOSED')): void {
    if (this.closed) return;
    this.#abort.abort(reason);
    this.#consumers.clear();
    this.#consuming.clear();
    this.#hold?.router.closeProducersOf(this);
    for (const end of this.#ends ?? []) end.transport.close();
    if (this.#ends) this.#hold?.release();
  }

  #end(transportId: string): End {
    const end = this.#mustBeOpen().ends.find(({ transport }) => transport.id === transportId);
    if (!end) throw new ClusterError('NOT_FOUND');
    return end;
  }

  #mustBeOpen() {
    if (this.closed || !this.#hold || !this.#ends) throw new ClusterError('NOT_FOUND', 'the Peer is not open');
    return { hold: this.#hold, ends: this.#ends };
  }
}

function stateOf(ice: string, dtls: string): TransportState {
  if (dtls === 'failed' || dtls === 'closed') return dtls;
  if (ice === 'disconnected' || ice === 'closed') return 'disconnected';
  return dtls === 'connected' ? 'connected' : 'new';
}
