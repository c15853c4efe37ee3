/**
 * What a node tells every cascade-router: its Workers, Routers and pipe ends, at once after a change (changes that come together
 * are told together) and each second with fresh measurements. The whole picture each time, so that a lost one costs nothing.
 */
import { eventOf, type Channel, type EventKind, type Init } from '@veilcast/control';
import type { wire } from '@veilcast/control';
import type { Clock } from '@veilcast/protocol';
import type { NodeConfig } from './config.ts';
import type { Prober } from './probing/prober.ts';
import type { LiveWorker, Workers } from './media/worker.ts';
import type { Rooms } from './rooms.ts';

/** How long a change waits for more. Longer: a Pipe is noticed later. Shorter: a joining crowd is told one by one. */
const COALESCE_MS = 20;
/** Between two measurements. */
const REPORT_EVERY_MS = 1_000;

export interface ReportOptions {
  readonly config: NodeConfig;
  readonly incarnation: string;
  readonly upSince: number;
  readonly workers: Workers;
  readonly rooms: Rooms;
  readonly clock: Clock;
  /** Undefined: nothing is measured. */
  readonly prober: () => Prober | undefined;
  readonly channels: () => readonly Channel[];
  /** Each second, after measuring. */
  readonly onMeasured: () => void;
}

export class Reporter {
  readonly #options: ReportOptions;
  #cancelSoon: (() => void) | undefined;
  readonly #stop: () => void;
  #closed = false;

  constructor(options: ReportOptions) {
    this.#options = options;
    this.#stop = options.clock.every(REPORT_EVERY_MS, () => void this.#measureAndSend());
  }

  /** Something changed. */
  soon(): void {
    if (this.#closed || this.#cancelSoon) return;
    this.#cancelSoon = this.#options.clock.after(COALESCE_MS, () => {
      this.#cancelSoon = undefined;
      this.send();
    });
  }

  /** Tells every cascade-router, or just one that has come. */
  send(to: readonly Channel[] = this.#options.channels()): void {
    const told = to.filter((channel) => channel.remote.kind === 'cascade-router' && !channel.closed);
    if (this.#closed || told.length === 0) return;
    const event = eventOf('nodeReport', this.report());
    for (const channel of told) tell(channel, event);
  }

  report(): Init<wire.NodeReport> {
    const { config, incarnation, upSince, workers, rooms } = this.#options;
    const prober = this.#options.prober();
    return {
      nodeId: config.nodeId,
      incarnation,
      region: config.region,
      upSince: BigInt(Math.trunc(upSince)),
      draining: rooms.draining,
      version: config.version,
      probe: prober && { ...prober.end },
      paths: prober?.paths() ?? [],
      workers: workers.live().map((worker) => this.#worker(worker)),
      pipes: rooms.list().flatMap((room) =>
        room.pipes.map((pipe) => ({
          roomId: room.id,
          pipeId: pipe.id,
          workerId: pipe.worker.id,
          connected: pipe.connected,
          sends: pipe.sends,
          receives: pipe.receives,
          paused: pipe.paused,
          packets: BigInt(pipe.meter.packets),
          bytes: BigInt(pipe.meter.bytes),
          rttMs: pipe.meter.rttMs,
          lossRatio: pipe.meter.lossRatio,
        })),
      ),
    };
  }

  close(): void {
    this.#closed = true;
    this.#stop();
    this.#cancelSoon?.();
  }

  #worker(worker: LiveWorker): Init<wire.WorkerReport> {
    const { rooms } = this.#options;
    const { transports, producers, consumers } = rooms.load(worker);
    const routers = rooms.list().flatMap((room) => {
      const router = room.routers.find(worker.id);
      if (!router) return [];
      const peers = room.peers.filter((peer) => peer.worker === worker).length;
      return [{ roomId: room.id, producerIds: router.producerIds, peers }];
    });
    return { workerId: worker.id, cpu: worker.cpu, transports, producers, consumers, routers };
  }

  async #measureAndSend(): Promise<void> {
    const { workers, rooms, onMeasured } = this.#options;
    const pipes = rooms.list().flatMap((room) => room.pipes);
    await Promise.all([workers.measure(), ...pipes.map((pipe) => pipe.measure())]);
    if (this.#closed) return;
    onMeasured();
    this.send();
  }
}

/** Tells, if there is room for it. False: it was not told. */
export function tell(channel: Channel, event: EventKind): boolean {
  try {
    channel.emit(event);
    return true;
  } catch {
    // OVERLOADED or closed this moment; the next report says it again, and events to a dead owner have no reader.
    return false;
  }
}
