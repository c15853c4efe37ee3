/**
 * A node: workers, Rooms, Channels and reports, put together. Lives as long as its process; all that a control process asks for
 * comes through serve.ts, all that it is told leaves here.
 */
import { acceptChannels, eventOf, TermMemory, type Channel, type EventKind } from '@veilcast/control';
import { register, type Service, type ServiceContext } from '@veilcast/node-kit';
import { ClusterError } from '@veilcast/protocol';
import { NodeConfig, UNSPECIFIED, type NodeConfigInput } from './config.ts';
import { createMediasoupWorker, mediasoupProcess } from './media/mediasoup.ts';
import type { CreateWorker, MediaProducer, MediaRouter } from './media/port.ts';
import { noProcess, type WorkerProcess } from './media/pulse.ts';
import { Workers } from './media/worker.ts';
import { Draining } from './draining.ts';
import { NodeMetrics } from './metrics.ts';
import { Orphans } from './orphans.ts';
import { Prober } from './probing/prober.ts';
import { Reporter, tell } from './report.ts';
import type { Room } from './room.ts';
import { Rooms } from './rooms.ts';
import { serveNode } from './serve.ts';
import type { HeardVoice } from './voices.ts';

/** A running node. */
export interface SfuNode extends Service {
  readonly nodeId: string;
  readonly address: string;
  /** Which life of this node it is. */
  readonly incarnation: string;
  /**
   * Takes no new Peers from now on, says so in its reports, and has those that are here moved away, a few a second.
   * Resolves when nobody is left (true) or the deadline of the configuration has passed (false).
   */
  drain(): Promise<boolean>;
  /** What it would report now. */
  report(): ReturnType<Reporter['report']>;
  /** mediasoup's own Router of a Room on a Worker: for diagnostics and tests, which may tap RTP there. Nothing else may touch it. */
  routerOf(roomId: string, workerId: string): MediaRouter | undefined;
  /** Lets a Producer that a tool or a test opened on `routerOf` be consumed and piped like a Peer's. What it returns takes it away and closes it. */
  adopt(roomId: string, workerId: string, producer: MediaProducer): Promise<() => void>;
}

export interface SfuNodeOptions {
  readonly config: NodeConfigInput;
  readonly context: ServiceContext;
  /** For simulations: what to run instead of mediasoup. */
  readonly createWorker?: CreateWorker;
  /** Where `createWorker` makes real ones. */
  readonly workerProcess?: WorkerProcess;
}

/** Starts a node, registers it and serves. @throws ZodError for a bad config, ClusterError if a worker or the address cannot be had */
export async function startSfuNode(options: SfuNodeOptions): Promise<SfuNode> {
  const node = new RunningNode(NodeConfig.parse(options.config), options);
  await node.start();
  return node;
}

class RunningNode implements SfuNode {
  readonly incarnation: string;
  readonly #config: NodeConfig;
  readonly #context: ServiceContext;
  readonly #log: ServiceContext['log'];
  readonly #workers: Workers;
  readonly #rooms: Rooms;
  readonly #reporter: Reporter;
  readonly #metrics: NodeMetrics;
  readonly #orphans = new Orphans();
  readonly #undo: (() => Promise<void>)[] = [];
  /** Simulations measure nothing: they have no network. */
  readonly #measures: boolean;
  #prober: Prober | undefined;
  #channels: () => readonly Channel[] = () => [];
  #closing: Promise<void> | undefined;
  #drained: Promise<boolean> | undefined;
  #draining: Draining | undefined;

  constructor(config: NodeConfig, { context, createWorker, workerProcess }: SfuNodeOptions) {
    this.#config = config;
    this.#context = context;
    this.#measures = config.probes.enabled && createWorker === undefined;
    this.incarnation = context.random.id('inc');
    this.#log = context.log.child({ node: config.nodeId });
    this.#metrics = new NodeMetrics(context.metrics, config.nodeId);
    const { clock } = context;
    this.#workers = new Workers({
      config,
      clock,
      createWorker: createWorker ?? createMediasoupWorker,
      process: workerProcess ?? (createWorker ? noProcess : mediasoupProcess),
      onHang: (worker) => this.#log.error({ worker: worker.id }, 'worker hangs and is killed'),
      onBirth: () => this.#reporter.soon(),
      onDeath: (worker) => {
        this.#log.error({ worker: worker.id }, 'worker died');
        this.#metrics.workerDied();
        this.#rooms.workerDied(worker);
        // In the same moment, and whole: its people are placed again at once, and not there.
        this.#reporter.send();
      },
      onFailure: (err) => this.#log.error({ err }, 'worker did not start'),
    });
    this.#rooms = new Rooms({ config, workers: this.#workers, told: (room) => this.#told(room) });
    this.#reporter = new Reporter({
      config,
      incarnation: this.incarnation,
      upSince: clock.now(),
      workers: this.#workers,
      rooms: this.#rooms,
      clock,
      prober: () => this.#prober,
      channels: () => this.#channels(),
      onMeasured: () => this.#measured(),
    });
  }

  get nodeId(): string {
    return this.#config.nodeId;
  }

  get address(): string {
    return this.#config.address;
  }

  async start(): Promise<void> {
    const { carrier, clock } = this.#context;
    const { nodeId, address, region, probeUrl } = this.#config;
    try {
      await this.#workers.start();
      await this.#startProber();
      const accepting = await acceptChannels({
        carrier,
        address,
        clock,
        hello: { kind: 'sfu-node', processId: nodeId, incarnation: this.incarnation, region },
        serve: serveNode({
          rooms: this.#rooms,
          terms: new TermMemory(),
          clock,
          onRefused: (call, error) => this.#refused(call, error),
          drain: () => void this.drain().then(() => this.#context.finish?.()),
        }),
        onChannel: (channel) => {
          channel.onEvent((event) => this.#heard(channel, event));
          this.#reporter.send([channel]);
        },
        report: (err) => this.#log.warn({ err }, 'control channel'),
      });
      this.#channels = () => accepting.channels();
      this.#undo.push(() => accepting.close());
      const registered = await register(this.#context, {
        kind: 'sfu-node',
        processId: nodeId,
        incarnation: this.incarnation,
        address,
        region,
        ...(probeUrl === undefined ? {} : { probeUrl }),
      });
      this.#undo.push(() => registered.close());
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async #startProber(): Promise<void> {
    if (!this.#measures) return;
    const { clock, random } = this.#context;
    const { media, probes } = this.#config;
    const ip = media.pipeIp ?? media.ip;
    // Other Nodes cannot send to it, pipes neither.
    if (UNSPECIFIED.has(ip)) return;
    const prober = await Prober.open({ ip, port: probes.port, clock, random });
    this.#prober = prober;
    this.#undo.push(async () => prober.close());
  }

  #heard({ remote }: Channel, event: EventKind): void {
    if (event.case !== 'probeNodes' || remote.kind !== 'cascade-router') return;
    try {
      this.#prober?.wanted(remote.processId, event.value);
    } catch (err) {
      this.#log.warn({ err }, 'targets of probes');
    }
  }

  ready(): boolean {
    return this.#closing === undefined && !this.#rooms.draining && this.#workers.complete();
  }

  drain(): Promise<boolean> {
    this.#drained ??= new Promise((resolve) => {
      this.#rooms.draining = true;
      this.#reporter.soon();
      this.#log.info('draining');
      this.#draining = new Draining({
        clock: this.#context.clock,
        ...this.#config.drain,
        peers: () =>
          this.#rooms.list().flatMap((room) => room.peers.map((peer) => ({ roomId: room.id, peerId: peer.id }))),
        pipes: () => this.#rooms.list().reduce((sum, room) => sum + room.pipes.length, 0),
        ask: (peer) => this.#askToMove(peer),
        done: (empty) => {
          this.#log.info({ empty }, 'drained');
          resolve(empty);
        },
      });
    });
    return this.#drained;
  }

  #askToMove({ roomId, peerId }: { readonly roomId: string; readonly peerId: string }): boolean {
    const room = this.#rooms.find(roomId);
    return room !== undefined && this.#tellOwner(room, eventOf('peerMustMove', { roomId, peerId }));
  }

  report() {
    return this.#reporter.report();
  }

  routerOf(roomId: string, workerId: string): MediaRouter | undefined {
    return this.#rooms.find(roomId)?.routers.find(workerId)?.media;
  }

  async adopt(roomId: string, workerId: string, producer: MediaProducer): Promise<() => void> {
    const router = this.#rooms.get(roomId).routers.find(workerId);
    if (!router) throw new ClusterError('NOT_FOUND', 'no such Router');
    await router.open(producer.id, producer, [this.nodeId], () => Promise.resolve(producer));
    if (producer.kind === 'audio') router.voices.add(producer);
    return () => void router.closeProducer(producer.id, producer);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#draining?.close();
    this.#reporter.close();
    for (const undo of this.#undo.toReversed()) await undo().catch((err: unknown) => this.#log.warn({ err }, 'close'));
    this.#rooms.close();
    await this.#workers.close();
  }

  /** What the Rooms tell, as events to their owners. */
  #told(room: () => Room) {
    const roomId = (): string => room().id;
    return {
      changed: () => this.#reporter.soon(),
      transport: (peer: { id: string }, transportId: string, state: string) =>
        this.#tell(room(), eventOf('transportChanged', { roomId: roomId(), peerId: peer.id, transportId, state })),
      consumerGone: (peer: { id: string }, consumer: { id: string; producerId: string }) => {
        const { id: consumerId, producerId } = consumer;
        this.#tell(room(), eventOf('consumerGone', { roomId: roomId(), peerId: peer.id, consumerId, producerId }));
      },
      layers: (peer: { id: string }, consumer: { id: string }, spatial: number, temporal: number) => {
        const fields = { roomId: roomId(), peerId: peer.id, consumerId: consumer.id, spatial, temporal };
        this.#tell(room(), eventOf('layersChanged', fields));
      },
      voices: (voices: HeardVoice[]) => this.#tell(room(), eventOf('voicesHeard', { roomId: roomId(), voices })),
      peerGone: (peer: { id: string }, reason: ClusterError) =>
        this.#tell(room(), eventOf('peerGone', { roomId: roomId(), peerId: peer.id, reason: reason.code })),
    };
  }

  #tell(room: Room, event: EventKind): void {
    if (!this.#tellOwner(room, event)) this.#metrics.eventLost();
  }

  /** On every Channel with it: after a pause or a cut there may be two, and which of them its end has given up is not known here. */
  #tellOwner({ owner }: Room, event: EventKind): boolean {
    const told = owner ? this.#connected('signaling', owner.processId).map((one) => tell(one, event)) : [];
    return told.includes(true);
  }

  #connected(kind: string, processId: string): Channel[] {
    return this.#channels().filter(
      ({ remote, closed }) => !closed && remote.kind === kind && remote.processId === processId,
    );
  }

  #measured(): void {
    this.#metrics.measured(this.#rooms, this.#workers);
    const incarnationOf = (kind: string, processId: string) =>
      this.#connected(kind, processId).at(-1)?.remote.incarnation;
    this.#orphans.sweep(this.#rooms, incarnationOf, this.#context.clock.now());
  }

  #refused(call: string, error: ClusterError): void {
    this.#metrics.refused(call, error.code);
    if (error.code === 'INTERNAL') this.#log.error({ err: error.cause ?? error, call }, 'call failed');
    else this.#log.debug({ call, code: error.code }, 'call refused');
  }
}
