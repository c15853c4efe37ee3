/**
 * An sfu-node for tests: speaks the real Channel, keeps pipe ends and Producers as a real one does (repeatable calls,
 * refusals, Terms, reports soon after a change and each second), and carries no media.
 */
import { acceptChannels, eventOf, jsonOf, resultOf, type Channel, type Incoming, type Result } from '@veilcast/control';
import { register, type ServiceContext } from '@veilcast/node-kit';
import { ClusterError } from '@veilcast/protocol';

interface End {
  readonly pipeId: string;
  readonly roomId: string;
  readonly workerId: string;
  readonly port: number;
  remotePort: number | undefined;
  readonly sends: Set<string>;
  readonly receives: Set<string>;
  readonly paused: Set<string>;
  packets: number;
}

export interface FakeNodeOptions {
  readonly nodeId: string;
  readonly region: string;
  readonly workers?: number;
  readonly context: Pick<ServiceContext, 'carrier' | 'coordination' | 'clock' | 'log'>;
  readonly incarnation?: string;
}

let nextPort = 1000;

export class FakeNode {
  readonly nodeId: string;
  /** `call pipe` of every call that was answered, for tests that count. */
  readonly calls: string[] = [];
  /** Calls refused with this code until it is taken away. */
  refuseWith: ClusterError['code'] | undefined;
  /** Neither answers nor reports: as a stopped process. */
  hung = false;
  draining = false;
  readonly local = new Map<string, Set<string>>();
  /** By Room, Pipe and Worker. */
  readonly ends = new Map<string, End>();
  readonly peers = new Map<string, number>();
  readonly terms = new Map<string, number>();
  /** What it measured to other Nodes, ms. */
  readonly paths = new Map<string, number>();
  /** Whom it was last told to measure. */
  targets: string[] = [];
  readonly #dead = new Set<string>();
  readonly #options: FakeNodeOptions;
  #close: (() => Promise<void>)[] = [];
  #channels: () => readonly Channel[] = () => [];
  #cancelSoon: (() => void) | undefined;

  constructor(options: FakeNodeOptions) {
    this.#options = options;
    this.nodeId = options.nodeId;
  }

  async start(): Promise<this> {
    const { context, nodeId, region, incarnation = 'i1' } = this.#options;
    const address = `memory:${nodeId}`;
    const accepting = await acceptChannels({
      carrier: context.carrier,
      address,
      clock: context.clock,
      hello: { kind: 'sfu-node', processId: nodeId, incarnation },
      serve: (incoming) => this.#serve(incoming),
      onChannel: (channel) => {
        channel.onEvent((event) => {
          if (event.case === 'probeNodes') this.targets = event.value.targets.map(({ nodeId: of }) => of);
        });
        this.#report([channel]);
      },
    });
    this.#channels = () => accepting.channels();
    const registration = { kind: 'sfu-node', processId: nodeId, incarnation, address, region } as const;
    const registered = await register(context, registration);
    const stop = context.clock.every(1_000, () => {
      for (const end of this.ends.values()) if (end.remotePort !== undefined) end.packets += 100;
      this.#report();
    });
    this.#close = [async () => stop(), () => registered.close(), () => accepting.close()];
    return this;
  }

  async close(): Promise<void> {
    this.hung = true;
    this.#cancelSoon?.();
    for (const close of this.#close) await close();
  }

  workerId(index = 0): string {
    return `${this.nodeId}/${index}`;
  }

  /** A Peer of this Worker produces. */
  produce(roomId: string, producerId: string, index = 0): void {
    const key = `${roomId} ${this.workerId(index)}`;
    this.local.set(key, (this.local.get(key) ?? new Set()).add(producerId));
    this.changed();
  }

  /** As if its process had died: what was on it is gone. */
  loseWorker(index: number): void {
    const workerId = this.workerId(index);
    this.#dead.add(workerId);
    for (const [key, end] of this.ends) if (end.workerId === workerId) this.ends.delete(key);
    this.changed();
  }

  changed(): void {
    this.#cancelSoon ??= this.#options.context.clock.after(20, () => {
      this.#cancelSoon = undefined;
      this.#report();
    });
  }

  producersOn(roomId: string, workerId: string): Set<string> {
    const ends = [...this.ends.values()].filter((end) => end.roomId === roomId && end.workerId === workerId);
    return new Set([...(this.local.get(`${roomId} ${workerId}`) ?? []), ...ends.flatMap((end) => [...end.receives])]);
  }

  end(roomId: string, pipeId: string): End | undefined {
    return [...this.ends.values()].find((end) => end.roomId === roomId && end.pipeId === pipeId);
  }

  #report(to: readonly Channel[] = this.#channels()): void {
    if (this.hung) return;
    const { nodeId, region, incarnation = 'i1', workers = 1 } = this.#options;
    const rooms = new Set([...this.local.keys()].map((key) => key.split(' ')[0] ?? ''));
    for (const end of this.ends.values()) rooms.add(end.roomId);
    for (const roomId of this.peers.keys()) rooms.add(roomId);
    const event = eventOf('nodeReport', {
      nodeId,
      incarnation,
      region,
      upSince: 1n,
      paths: [...this.paths].map(([to, rttMs]) => ({ nodeId: to, rttMs, lossRatio: 0 })),
      probe: { ip: '127.0.0.1', port: 9, key: new Uint8Array(32) },
      draining: this.draining,
      workers: Array.from({ length: workers }, (_, index) => ({
        workerId: this.workerId(index),
        cpu: 0.1,
        transports: 0,
        producers: 0,
        consumers: 0,
        routers: [...rooms].map((roomId) => ({
          roomId,
          producerIds: [...this.producersOn(roomId, this.workerId(index))],
          peers: index === 0 ? (this.peers.get(roomId) ?? 0) : 0,
        })),
      })).filter((worker) => !this.#dead.has(worker.workerId)),
      pipes: [...this.ends.values()].map((end) => ({
        roomId: end.roomId,
        pipeId: end.pipeId,
        workerId: end.workerId,
        connected: end.remotePort !== undefined,
        sends: [...end.sends],
        receives: [...end.receives],
        paused: [...end.paused],
        packets: BigInt(end.packets),
        bytes: BigInt(end.packets * 1000),
        rttMs: 80,
        lossRatio: 0,
      })),
    });
    for (const channel of to) if (!channel.closed && channel.remote.kind === 'cascade-router') channel.emit(event);
  }

  async #serve({ call, authority, signal }: Incoming): Promise<Result | void> {
    if (this.hung) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    if (this.refuseWith) throw new ClusterError(this.refuseWith);
    const { roomId, term } = authority;
    if (term < (this.terms.get(roomId) ?? 0)) throw new ClusterError('STALE_TERM');
    this.terms.set(roomId, term);
    if (!('pipeId' in call.value) || !('workerId' in call.value)) throw new ClusterError('UNSUPPORTED');
    const { pipeId, workerId } = call.value;
    this.calls.push(`${call.case} ${pipeId}`);
    this.changed();
    return this.#act(roomId, pipeId, workerId, call);
  }

  #act(roomId: string, pipeId: string, workerId: string, call: Incoming['call']): Result | void {
    const key = `${roomId} ${pipeId} ${workerId}`;
    if (call.case === 'preparePipe') return this.#prepare(key, { roomId, pipeId, workerId });
    if (call.case === 'closePipe') return void this.ends.delete(key);
    const end = this.ends.get(key);
    if (call.case === 'stopOnPipe') {
      end?.sends.delete(call.value.producerId);
      end?.receives.delete(call.value.producerId);
      end?.paused.delete(call.value.producerId);
      return;
    }
    if (!end) throw new ClusterError('NOT_FOUND');
    if (call.case === 'connectPipe') {
      if (end.remotePort !== undefined && end.remotePort !== call.value.port) {
        this.ends.delete(key);
        throw new ClusterError('STALE_INCARNATION');
      }
      end.remotePort = call.value.port;
    } else if (call.case === 'sendOnPipe') {
      if (!this.producersOn(roomId, end.workerId).has(call.value.producerId)) throw new ClusterError('NOT_FOUND');
      end.sends.add(call.value.producerId);
      return resultOf('sentOnPipe', { kind: 'video', rtpParameters: jsonOf({}), paused: false, path: [this.nodeId] });
    } else if (call.case === 'pauseOnPipe') {
      const { producerId, paused } = call.value;
      if (!end.sends.has(producerId)) throw new ClusterError('NOT_FOUND');
      if (paused) end.paused.add(producerId);
      else end.paused.delete(producerId);
    } else if (call.case === 'receiveOnPipe') {
      const { producerId } = call.value;
      if (this.producersOn(roomId, end.workerId).has(producerId) && !end.receives.has(producerId)) {
        throw new ClusterError('MALFORMED', 'there already');
      }
      end.receives.add(producerId);
    }
  }

  #prepare(key: string, named: Pick<End, 'roomId' | 'pipeId' | 'workerId'>): Result {
    let end = this.ends.get(key);
    if (!end) {
      const port = (nextPort += 1);
      end = {
        ...named,
        port,
        remotePort: undefined,
        sends: new Set(),
        receives: new Set(),
        paused: new Set(),
        packets: 0,
      };
      this.ends.set(key, end);
    }
    return resultOf('preparedPipe', { ip: '127.0.0.1', port: end.port, srtpParameters: jsonOf({}) });
  }
}
