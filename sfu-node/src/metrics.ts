/** A node's figures for Prometheus. Several nodes of one process share a registry; each has its own `node` label. */
import { Counter, Gauge, type Registry } from 'prom-client';
import { openMedia } from './media/open-media.ts';
import type { Workers } from './media/worker.ts';
import type { Rooms } from './rooms.ts';

/** One node's share of the registry. */
export class NodeMetrics {
  readonly #registry: Registry;
  readonly #node: string;

  constructor(registry: Registry, node: string) {
    this.#registry = registry;
    this.#node = node;
    this.#ofProcess(
      'veilcast_media_producers',
      'Producers open in media workers, piped ones too',
      () => openMedia().producers,
    );
    this.#ofProcess(
      'veilcast_media_consumers',
      'Consumers open in media workers, those into pipes too',
      () => openMedia().consumers,
    );
  }

  measured(rooms: Rooms, workers: Workers): void {
    const live = workers.live();
    const loads = live.map((worker) => rooms.load(worker));
    const sum = (pick: (load: (typeof loads)[number]) => number): number =>
      loads.reduce((all, load) => all + pick(load), 0);
    this.#set('rooms', 'Rooms on the node', rooms.list().length);
    this.#set(
      'peers',
      'Peers on the node',
      sum((load) => load.peers),
    );
    this.#set(
      'pipe_ends',
      'Pipe ends on the node',
      sum((load) => load.pipes),
    );
    this.#set(
      'producers',
      'Producers that can be consumed, piped ones too',
      sum((load) => load.producers),
    );
    this.#set(
      'consumers',
      'Consumers, those into pipes too',
      sum((load) => load.consumers),
    );
    this.#set('workers', 'mediasoup workers that run', live.length);
    this.#set(
      'cpu_cores',
      'Processor cores used by the workers',
      live.reduce((all, worker) => all + worker.cpu, 0),
    );
  }

  workerDied(): void {
    this.#counter('worker_deaths_total', 'mediasoup workers that died').inc({ node: this.#node });
  }

  refused(call: string, code: string): void {
    this.#counter('refused_total', 'Calls refused, by call and code', ['call', 'code']).inc({
      node: this.#node,
      call,
      code,
    });
  }

  eventLost(): void {
    this.#counter('events_lost_total', 'Events that no signaling process could be told').inc({ node: this.#node });
  }

  #set(name: string, help: string, value: number): void {
    const full = `veilcast_node_${name}`;
    const known = this.#registry.getSingleMetric(full) as Gauge | undefined;
    const gauge = known ?? new Gauge({ name: full, help, labelNames: ['node'], registers: [this.#registry] });
    gauge.set({ node: this.#node }, value);
  }

  /** Of all Nodes of the process together, and taken when it is asked for. */
  #ofProcess(name: string, help: string, read: () => number): void {
    if (this.#registry.getSingleMetric(name) !== undefined) return;
    const gauge: Gauge = new Gauge({ name, help, registers: [this.#registry], collect: () => gauge.set(read()) });
  }

  #counter(name: string, help: string, labels: string[] = []): Counter {
    const full = `veilcast_node_${name}`;
    const known = this.#registry.getSingleMetric(full) as Counter | undefined;
    return known ?? new Counter({ name: full, help, labelNames: ['node', ...labels], registers: [this.#registry] });
  }
}
