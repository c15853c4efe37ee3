/**
 * mediasoup without packets: the objects, their closing of each other and their events, for simulations of many nodes in one
 * process. Instead of media there is a question: `flow(consumerId)` follows a stream back through every Pipe to its
 * publisher and says whether packets would come, or why not.
 */
import type { Clock } from '@veilcast/protocol';
import type { FakeRouter } from './router.ts';
import type { FakeConsumer, FakeProducer } from './streams.ts';
import { FakePipeTransport, FakeWebRtcTransport, type FakeTransport } from './transport.ts';
import { FakeWorker } from './worker.ts';

export interface FakeMediaOptions {
  readonly clock: Clock;
  /** From a request to its answer. */
  readonly latencyMs?: number | undefined;
  /** Whether a browser transport connects by itself once `connect` was called; otherwise by `setIce` and `setDtls`. */
  readonly clientsConnect?: boolean | undefined;
}

export interface MediaCounts {
  readonly workers: number;
  readonly routers: number;
  readonly transports: number;
  readonly pipes: number;
  readonly producers: number;
  readonly consumers: number;
}

/** The workers of one node. */
export interface MediaHost {
  readonly createWorker: () => Promise<FakeWorker>;
  /** Those that live. */
  readonly workers: readonly FakeWorker[];
  /** As when the node's process dies: its workers end with it. */
  end(): void;
}

const FIRST_PORT = 40_000;
const DEPTH_MAX = 64;

export class FakeMedia {
  readonly clock: Clock;
  readonly latencyMs: number;
  clientsConnect: boolean;
  /** What listeners threw; mediasoup would only log it. */
  readonly listenerErrors: unknown[] = [];
  /** What has not closed, by id. */
  readonly liveTransports = new Map<string, FakeTransport>();
  readonly liveConsumers = new Map<string, FakeConsumer>();
  readonly #workers = new Set<FakeWorker>();
  readonly #ports = new Map<string, FakePipeTransport>();
  #ids = 0;
  #pids = 0;

  constructor(options: FakeMediaOptions) {
    this.clock = options.clock;
    this.latencyMs = options.latencyMs ?? 0;
    this.clientsConnect = options.clientsConnect ?? true;
  }

  /** A node's share. Pipes join the Routers of all hosts. */
  host(): MediaHost {
    const own = new Set<FakeWorker>();
    const live = (): FakeWorker[] => [...own].filter((worker) => !worker.closed);
    return {
      createWorker: async () => {
        const worker = new FakeWorker(this, (this.#pids += 1));
        this.#workers.add(worker);
        own.add(worker);
        worker.on('subprocessclose', () => {
          this.#workers.delete(worker);
          own.delete(worker);
        });
        return worker;
      },
      get workers() {
        return live();
      },
      end: () => {
        for (const worker of live()) worker.close();
      },
    };
  }

  /** What lives now, on all hosts or on one. */
  counts(host?: MediaHost): MediaCounts {
    const workers = (host?.workers ?? [...this.#workers]).filter((worker) => !worker.closed);
    const routers = workers.flatMap((worker) => [...worker.routers]);
    const transports = routers.flatMap((router) => [...router.transports.values()]);
    return {
      workers: workers.length,
      routers: routers.length,
      transports: transports.filter((transport) => transport instanceof FakeWebRtcTransport).length,
      pipes: transports.filter((transport) => transport instanceof FakePipeTransport).length,
      producers: transports.reduce((sum, transport) => sum + transport.producers.size, 0),
      consumers: transports.reduce((sum, transport) => sum + transport.consumers.size, 0),
    };
  }

  /** `flows`, or why a Consumer gets nothing. */
  flow(consumerId: string): string {
    const consumer = this.liveConsumers.get(consumerId);
    return consumer === undefined ? 'no such Consumer' : this.#leaves(consumer, 0);
  }

  /** `flows`, or why nothing comes into a Producer. */
  arrives(producer: FakeProducer, depth = 0): string {
    const { transport } = producer;
    if (producer.closed) return 'the Producer is closed';
    if (producer.paused) return 'the Producer is paused';
    if (!transport.connected) return 'the transport of the Producer is not connected';
    if (!(transport instanceof FakePipeTransport)) return 'flows';
    if (depth > DEPTH_MAX) return 'the Pipes go round';
    const other = this.#otherEnd(transport);
    if (other === undefined) return 'the other end of the Pipe is gone, or joined to another';
    const feeding = [...other.consumers.values()].find((consumer) => consumer.producerId === producer.id);
    return feeding === undefined ? 'the Pipe does not carry it' : this.#leaves(feeding, depth + 1);
  }

  transport(id: string): FakeTransport | undefined {
    return this.liveTransports.get(id);
  }

  consumer(id: string): FakeConsumer | undefined {
    return this.liveConsumers.get(id);
  }

  /** The Producer of this id on each Router that has it. */
  producers(id: string): FakeProducer[] {
    return this.#routers().flatMap((router) => router.producers.get(id) ?? []);
  }

  id(prefix: string): string {
    return `${prefix}_${(this.#ids += 1)}`;
  }

  /** @throws Error when the range is used up */
  takePort(
    transport: FakePipeTransport,
    address: string,
    range: { readonly min: number; readonly max: number } = { min: FIRST_PORT, max: 65_535 },
  ): number {
    for (let port = range.min; port <= range.max; port += 1) {
      const tuple = tupleOf(address, port);
      if (this.#ports.has(tuple)) continue;
      this.#ports.set(tuple, transport);
      return port;
    }
    throw new Error('no more available ports');
  }

  freePort(transport: FakePipeTransport): void {
    this.#ports.delete(tupleOf(transport.tuple.localAddress, transport.tuple.localPort));
  }

  #leaves(consumer: FakeConsumer, depth: number): string {
    if (consumer.closed) return 'the Consumer is closed';
    if (consumer.paused) return 'the Consumer is paused';
    if (!consumer.transport.connected) return 'the transport of the Consumer is not connected';
    return this.arrives(consumer.producer, depth);
  }

  /** Each end must be joined to the other, with the other's key. */
  #otherEnd(near: FakePipeTransport): FakePipeTransport | undefined {
    const far = near.remote && this.#ports.get(tupleOf(near.remote.ip, near.remote.port));
    if (far?.remote === undefined || near.remote === undefined) return undefined;
    if (this.#ports.get(tupleOf(far.remote.ip, far.remote.port)) !== near) return undefined;
    const agree =
      near.remote.srtpParameters?.keyBase64 === far.srtpParameters?.keyBase64 &&
      far.remote.srtpParameters?.keyBase64 === near.srtpParameters?.keyBase64;
    return agree ? far : undefined;
  }

  #routers(): FakeRouter[] {
    return [...this.#workers].flatMap((worker) => [...worker.routers]);
  }
}

function tupleOf(ip: string, port: number): string {
  return `${ip}:${port}`;
}
