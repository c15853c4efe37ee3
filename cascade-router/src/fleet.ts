/**
 * All sfu-nodes: found in the Directory, dialled, listened to. Keeps the View and what each Node is believed to have, and
 * says when either has changed. It decides nothing.
 */
import { isHeardBy, openNeighbours, type Channel, type EventKind, type Neighbours } from '@veilcast/control';
import type { ServiceContext } from '@veilcast/node-kit';
import { ClusterError, NodeId, parseWith, type RoomId, type WorkerId } from '@veilcast/protocol';
import { pathsOf, workersOf, type Measured, type Observed, type Step, type View } from '@veilcast/topology';
import { note, observedOf, roomIn } from './belief.ts';
import type { CascadeConfig } from './config.ts';
import { NodeReport } from './messages.ts';
import { SeenNode } from './node.ts';
import { ProbeLists } from './probe-lists.ts';

/** How often the ages of reports are looked at. Longer: a silent death is seen later. Shorter: idle work. */
const JUDGE_EVERY_MS = 100;
/**
 * Most of a gap between two looks that counts as silence of others: what is more, this process itself was paused or busy,
 * and must not condemn Nodes whose reports wait to be read.
 */
const GAP_MAX_MS = 3 * JUDGE_EVERY_MS;
/** How long a Node that is gone is still shown. */
const FORGET_MS = 60_000;

interface FleetListener {
  /** A Node or Worker came, went, or is to be treated otherwise. */
  topology(): void;
  /** These Rooms look otherwise than before. */
  rooms(roomIds: readonly RoomId[]): void;
}

export interface FleetOptions {
  readonly config: CascadeConfig;
  readonly context: Pick<ServiceContext, 'carrier' | 'coordination' | 'clock' | 'random' | 'log'>;
  readonly incarnation: string;
  readonly listener: FleetListener;
  /** Who else speaks with nodes. */
  readonly witnesses: () => readonly Channel[];
}

export class Fleet {
  readonly #options: FleetOptions;
  readonly #nodes = new Map<NodeId, SeenNode>();
  readonly #byWorker = new Map<WorkerId, SeenNode>();
  /** All Workers that were ever reported while the start is not over: one of them that is missing is gone. */
  readonly #seen = new Set<WorkerId>();
  readonly #neighbours: Neighbours;
  readonly #stopJudging: () => void;
  readonly #probes: ProbeLists;
  readonly #startedAt: number;
  #lookedAt: number;
  /** Time that has passed while this process looked, ms. */
  #attentive = 0;
  #view: View | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    const { config, context, incarnation, witnesses } = options;
    const { carrier, clock, random, log } = context;
    this.#startedAt = clock.now();
    this.#lookedAt = this.#startedAt;
    this.#neighbours = openNeighbours({
      kind: 'sfu-node',
      directory: context.coordination.directory,
      carrier,
      clock,
      random,
      hello: { kind: 'cascade-router', processId: config.processId, incarnation },
      serve: () => Promise.reject(new ClusterError('UNSUPPORTED', 'nodes ask nothing of a cascade-router')),
      report: (err) => log.warn({ err }, 'channel to a node'),
      isHeardElsewhere: (processId, life) => isHeardBy(witnesses(), processId, life),
    });
    this.#neighbours.onCome(({ channel }) => this.#came(channel));
    this.#neighbours.onGo(({ registration, channel }, verdict) => {
      log.info({ node: registration.processId, verdict }, 'a node has gone');
      this.#went(channel);
    });
    this.#stopJudging = clock.every(JUDGE_EVERY_MS, () => this.#judge());
    this.#probes = new ProbeLists({ clock, random, everyMs: config.probeEveryMs, fleet: this });
  }

  close(): void {
    this.#stopJudging();
    this.#probes.close();
    this.#neighbours.close();
  }

  nodes(): readonly SeenNode[] {
    return [...this.#nodes.values()];
  }

  nodeOf(workerId: WorkerId): SeenNode | undefined {
    return this.#byWorker.get(workerId);
  }

  /** @throws ClusterError NODE_UNREACHABLE */
  channelTo(workerId: WorkerId): Channel {
    const channel = this.#byWorker.get(workerId)?.channel;
    if (!channel) throw new ClusterError('NODE_UNREACHABLE');
    return channel;
  }

  /** As Neighbours says it. */
  silentMs(nodeId: string, incarnation: string): number | undefined {
    return this.#neighbours.silentMs(nodeId, incarnation);
  }

  view(): View {
    this.#view ??= {
      nodes: this.nodes().flatMap((node) => node.view() ?? []),
      ...pathsOf(this.#measured(), (nodeId) => this.#nodes.get(nodeId)?.region),
    };
    return this.#view;
  }

  /** What is believed to be there of a Room. What a Node that is gone had counts for nothing. */
  observe(roomId: RoomId): Observed {
    return observedOf(this.#present().flatMap((node) => node.belief.get(roomId) ?? []));
  }

  /** Peers that Nodes have of a Room. */
  peersOf(roomId: RoomId): number {
    return this.#present().reduce((sum, node) => sum + (node.belief.get(roomId)?.peers ?? 0), 0);
  }

  /** Rooms that have a pipe end somewhere. */
  pipedRooms(): ReadonlySet<RoomId> {
    const rooms = new Set<RoomId>();
    for (const node of this.#present()) {
      for (const [roomId, room] of node.belief) if (room.ends.size > 0) rooms.add(roomId);
    }
    return rooms;
  }

  /** How long to wait until all these Workers have been seen, or had time enough since the start to be, ms. */
  unseenFor(workerIds: Iterable<WorkerId>): number {
    const { config, context } = this.#options;
    const left = this.#startedAt + config.settleMs - context.clock.now();
    if (left <= 0) return 0;
    for (const workerId of workerIds) if (!this.#seen.has(workerId)) return left;
    return 0;
  }

  /** A step was done: believe in its effect until the next report. */
  done(roomId: RoomId, step: Step): void {
    const workers = step.kind === 'openPipe' || step.kind === 'carry' ? [step.from, step.to] : [step.workerId];
    for (const workerId of workers) {
      const node = this.#byWorker.get(workerId);
      if (node) note(roomIn(node.belief, roomId), step, workerId);
    }
  }

  #present(): SeenNode[] {
    return [...this.#nodes.values()].filter((node) => node.state !== 'gone');
  }

  /** A clock for silence, which stands still while this process does. */
  #look(): number {
    const now = this.#options.context.clock.now();
    this.#attentive += Math.min(GAP_MAX_MS, Math.max(0, now - this.#lookedAt));
    this.#lookedAt = now;
    return this.#attentive;
  }

  #came(channel: Channel): void {
    const now = this.#look();
    const parsed = NodeId.safeParse(channel.remote.processId);
    if (!parsed.success) return;
    const nodeId = parsed.data;
    const { incarnation } = channel.remote;
    const node = this.#nodes.get(nodeId) ?? new SeenNode(nodeId, incarnation, this.#options.config, now);
    this.#nodes.set(nodeId, node);
    node.connected(channel, now);
    node.judge(now);
    this.#topologyChanged();
    channel.onEvent((event) => this.#heard(node, channel, event));
  }

  #went(channel: Channel): void {
    const now = this.#look();
    for (const node of this.#nodes.values()) {
      if (node.channel !== channel) continue;
      node.disconnected(now);
      node.judge(now);
      this.#topologyChanged();
    }
  }

  #heard(node: SeenNode, channel: Channel, event: EventKind): void {
    if (event.case !== 'nodeReport' || node.channel !== channel) return;
    const report = parseWith(NodeReport, event.value);
    if (report.nodeId !== node.nodeId || report.incarnation !== node.incarnation) return;
    // A node must not draw a region's people to itself from elsewhere.
    if ((channel.remote.region ?? report.region) !== report.region) return;
    const now = this.#look();
    const workers = workersIn(node.report);
    const rooms = node.take(report, now);
    node.rates.take(report.pipes, this.#options.context.clock.now());
    const moved = node.judge(now) || workers !== workersIn(report);
    this.#view = undefined;
    if (moved) this.#topologyChanged();
    if (rooms.length > 0) this.#options.listener.rooms(rooms);
  }

  #judge(): void {
    const now = this.#look();
    let moved = false;
    for (const node of this.#nodes.values()) {
      moved = node.judge(now) || moved;
      if (node.channel !== undefined || node.silentFor(now) < FORGET_MS) continue;
      this.#nodes.delete(node.nodeId);
      moved = true;
    }
    if (moved) this.#topologyChanged();
  }

  #topologyChanged(): void {
    this.#view = undefined;
    this.#byWorker.clear();
    const { config, context } = this.#options;
    const isStarting = context.clock.now() - this.#startedAt < config.settleMs;
    if (!isStarting) this.#seen.clear();
    for (const node of this.#nodes.values()) {
      for (const { workerId } of node.report?.workers ?? []) {
        this.#byWorker.set(workerId, node);
        if (isStarting) this.#seen.add(workerId);
      }
    }
    this.#options.listener.topology();
  }

  /** What Nodes measured by probes, and where they did not, by their Pipes. */
  *#measured(): Generator<Measured> {
    for (const { nodeId: from, report } of this.#present()) {
      const probed = new Set<NodeId>();
      for (const { nodeId: to, rttMs, lossRatio } of report?.paths ?? []) {
        probed.add(to);
        yield { from, to, rttMs, lossRatio };
      }
      for (const { pipeId, workerId, rttMs, lossRatio } of report?.pipes ?? []) {
        const pipe = workersOf(pipeId);
        const to = pipe && this.#byWorker.get(pipe.from === workerId ? pipe.to : pipe.from)?.nodeId;
        if (to && rttMs >= 0 && !probed.has(to))
          yield { from, to, rttMs, lossRatio: Math.min(1, Math.max(0, lossRatio)) };
      }
    }
  }
}

function workersIn(report: NodeReport | undefined): string {
  return report ? `${report.region} ${report.workers.map((worker) => worker.workerId).join()}` : '';
}
