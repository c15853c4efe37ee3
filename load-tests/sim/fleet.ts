/**
 * The Nodes of the simulated cluster and who sits where. Which Worker somebody gets is the planner's own `place`; Nodes that are full are
 * left out of its View, which changes nothing of what it answers (a full Worker is never chosen while another one is not) and keeps a
 * placement among 20,000 Workers short. Nodes are ordered when seats run low, and come after their boot.
 */
import type { NodeId, Random, RegionId, RegionProbe, Role, WorkerId } from '@veilcast/protocol';
import { place, STREAMS_RESERVED, type NodeView, type Policy, type View, type WorkerView } from '@veilcast/topology';
import { oneWay, ROUND_TRIPS } from './regions.ts';

/** Streams that a Worker may carry (cascade-router's config.ts, `workerStreams`). */
const WORKER_STREAMS = 2_000;
/** Of a Region's Nodes that are all the same to `place`, how many it is shown: empty ones from either end, or twice as many full ones. */
const EMPTY_SHOWN = 4;
/** A video and a voice. */
const STREAMS_WATCHED = 2;

export interface Worker extends WorkerView {
  readonly index: number;
  readonly node: Node;
  /** Share of a core that media takes. */
  cpu: number;
  streams: number;
  reserved: number;
  /** Who watches here. */
  viewers: number;
}

export interface Node extends NodeView {
  state: NodeView['state'];
  readonly workers: readonly Worker[];
}

export interface FleetOptions {
  readonly regions: readonly RegionId[];
  readonly workersPerNode: number;
  readonly seats: number;
  readonly policy: Policy;
  readonly random: Random;
  /** Of a Worker with so many viewers. */
  readonly cpuOf: (viewers: number) => number;
}

/** Shares of a core are looked up so often that they are kept. */
function kept(of: (n: number) => number): (n: number) => number {
  const known: number[] = [];
  return (n) => (known[n] ??= of(n));
}

export class Fleet {
  readonly nodes: Node[] = [];
  readonly workers: Worker[] = [];
  readonly #options: FleetOptions;
  readonly #cpuOf: (viewers: number) => number;
  /** By Region, healthy Nodes with a Worker that is not full: those with people, and those without. */
  readonly #begun = new Map<RegionId, Set<Node>>();
  readonly #empty = new Map<RegionId, Set<Node>>();
  readonly #byRegion = new Map<RegionId, Node[]>();
  /** By Region: seats taken, and free ones of healthy Nodes. */
  readonly #taken = new Map<RegionId, number>();
  readonly #free = new Map<RegionId, number>();
  /** By Region, Workers with viewers. */
  readonly seated = new Map<RegionId, Set<Worker>>();
  readonly #distances = new Map<RegionId, RegionProbe[]>();
  /** Which Workers have somebody changed since this was last cleared. */
  isChanged = true;

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#cpuOf = kept(options.cpuOf);
    for (const region of options.regions) {
      this.#begun.set(region, new Set());
      this.#empty.set(region, new Set());
      this.#byRegion.set(region, []);
      this.seated.set(region, new Set());
      const near = options.regions.map((other) => ({ region: other, rttMs: 2 * oneWay(region, other) }));
      this.#distances.set(
        region,
        near.sort((a, b) => a.rttMs - b.rttMs),
      );
    }
  }

  addNode(region: RegionId, version: string): Node {
    const nodeId = `${region}-${this.nodes.length}` as NodeId;
    const workers: Worker[] = [];
    const node: Node = { nodeId, incarnation: '1', region, version, state: 'healthy', workers };
    for (let core = 0; core < this.#options.workersPerNode; core++) {
      const workerId = `${nodeId}/${core}` as WorkerId;
      const at = { index: this.workers.length, node, workerId, nodeId, region, capacity: WORKER_STREAMS };
      const worker: Worker = { ...at, cpu: 0, streams: 0, reserved: 0, viewers: 0 };
      workers.push(worker);
      this.workers.push(worker);
    }
    this.nodes.push(node);
    this.#byRegion.get(region)?.push(node);
    this.#empty.get(region)?.add(node);
    this.#count(this.#free, region, workers.length * this.#options.seats);
    return node;
  }

  /**
   * The Worker that `place` chooses for somebody of a Region; undefined: refused, the cluster is full. It is asked a Region at a time, nearest
   * first, in the order in which it would go through them itself; a Region that is full by seats is overfilled up to its streams before the
   * next one, as `place` does.
   */
  place(region: RegionId, role: Role): Worker | undefined {
    const probes = this.#distances.get(region) ?? [];
    for (const { region: near } of probes) {
      const open = this.#openIn(near);
      const nodes = open.length > 0 ? open : this.#someHealthy(near);
      const chosen = nodes.length > 0 ? this.#placeAmong(nodes, role, probes) : undefined;
      if (chosen) return chosen;
    }
    return undefined;
  }

  /** All that have begun to fill, and some of those that are empty, which are all the same: the oldest and the newest. */
  #openIn(region: RegionId): Node[] {
    const empty = [...(this.#empty.get(region) ?? [])];
    const some =
      empty.length > 2 * EMPTY_SHOWN ? [...empty.slice(0, EMPTY_SHOWN), ...empty.slice(-EMPTY_SHOWN)] : empty;
    return [...(this.#begun.get(region) ?? []), ...some];
  }

  /** All Regions, the nearest first. */
  nearest(region: RegionId): RegionId[] {
    return (this.#distances.get(region) ?? []).map(({ region: near }) => near);
  }

  /** Where all are full, `place` takes two at random: out of some Nodes taken at random that is the same. */
  #someHealthy(region: RegionId): Node[] {
    const healthy = (this.#byRegion.get(region) ?? []).filter(({ state }) => state === 'healthy');
    if (healthy.length <= 2 * EMPTY_SHOWN) return healthy;
    const { random } = this.#options;
    const some = Array.from({ length: 2 * EMPTY_SHOWN }, () => healthy[Math.floor(random.float() * healthy.length)]);
    return [...new Set(some)].filter((node) => node !== undefined);
  }

  #placeAmong(nodes: readonly Node[], role: Role, probes: readonly RegionProbe[]): Worker | undefined {
    const present = new Map<WorkerId, number>();
    const byId = new Map<WorkerId, Worker>();
    for (const node of nodes) {
      for (const worker of node.workers) {
        byId.set(worker.workerId, worker);
        if (worker.viewers > 0) present.set(worker.workerId, worker.viewers);
      }
    }
    const request = { role, probes, present, excluded: new Set<WorkerId>() };
    const view: View = { nodes, rttMs: ROUND_TRIPS };
    const placed = place(view, request, this.#options.policy, this.#options.random);
    return placed.kind === 'placed' ? byId.get(placed.workerId) : undefined;
  }

  /** How many more a Worker takes. */
  free(worker: Worker): number {
    return Math.max(0, this.#options.seats - worker.viewers);
  }

  sit(worker: Worker, count: number): void {
    if (worker.viewers === 0) {
      this.seated.get(worker.region)?.add(worker);
      this.isChanged = true;
    }
    worker.reserved += count * STREAMS_RESERVED.viewer;
    this.#change(worker, count);
  }

  /** Their streams are reported now: what was reserved for them is not, any more. */
  settle(worker: Worker, count: number): void {
    worker.reserved = Math.max(0, worker.reserved - count * STREAMS_RESERVED.viewer);
  }

  rise(worker: Worker, count: number): void {
    this.#change(worker, -count);
    if (worker.viewers === 0) {
      this.seated.get(worker.region)?.delete(worker);
      this.isChanged = true;
    }
  }

  /** Nobody new comes to it, and who is there goes on. */
  drain(node: Node): void {
    this.#close(node);
    node.state = 'draining';
    this.isChanged = true;
  }

  /** It is not there any more. @returns the viewers of each of its Workers, who have no seat now */
  lose(node: Node): { worker: Worker; count: number }[] {
    this.#close(node);
    node.state = 'gone';
    this.isChanged = true;
    return node.workers.flatMap((worker) => {
      const count = worker.viewers;
      if (count > 0) this.rise(worker, count);
      worker.reserved = 0;
      return count > 0 ? [{ worker, count }] : [];
    });
  }

  /** What the planner sees: all that is not gone. */
  view(): View {
    return { nodes: this.nodes.filter(({ state }) => state !== 'gone'), rttMs: ROUND_TRIPS };
  }

  seatsOf(region: RegionId): { readonly taken: number; readonly free: number } {
    return { taken: this.#taken.get(region) ?? 0, free: this.#free.get(region) ?? 0 };
  }

  /** A healthy Node takes nobody any more. */
  #close(node: Node): void {
    if (node.state !== 'healthy') return;
    this.#begun.get(node.region)?.delete(node);
    this.#empty.get(node.region)?.delete(node);
    this.#count(this.#free, node.region, -node.workers.reduce((sum, worker) => sum + this.free(worker), 0));
  }

  #count(counts: Map<RegionId, number>, region: RegionId, change: number): void {
    counts.set(region, (counts.get(region) ?? 0) + change);
  }

  #change(worker: Worker, count: number): void {
    const { node, region } = worker;
    const freeBefore = this.free(worker);
    worker.viewers += count;
    this.#count(this.#taken, region, count);
    this.#weigh(worker);
    if (node.state !== 'healthy') return;
    this.#count(this.#free, region, this.free(worker) - freeBefore);
    const isBegun = node.workers.some(({ viewers }) => viewers > 0);
    const isOpen = node.workers.some((one) => this.free(one) > 0);
    for (const [nodes, holds] of [
      [this.#begun, isOpen && isBegun],
      [this.#empty, isOpen && !isBegun],
    ] as const) {
      if (holds) nodes.get(region)?.add(node);
      else nodes.get(region)?.delete(node);
    }
  }

  #weigh(worker: Worker): void {
    worker.streams = worker.viewers * STREAMS_WATCHED;
    worker.cpu = this.#cpuOf(worker.viewers);
  }
}
