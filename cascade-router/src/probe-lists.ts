/** Tells each Node whom to measure, anew every now and then: who comes by chance changes, and a list that was lost is repeated. */
import { eventOf } from '@veilcast/control';
import type { Clock, NodeId, Random } from '@veilcast/protocol';
import { probeTargets, workersOf, type View } from '@veilcast/topology';
import type { SeenNode } from './node.ts';

export interface ProbeListsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly everyMs: number;
  readonly fleet: { nodes(): readonly SeenNode[]; view(): View; nodeOf(workerId: never): SeenNode | undefined };
}

/** Shares of the interval in which the Nodes are told one after the other: no burst of lists. */
const SLICES = 20;

export class ProbeLists {
  readonly #options: ProbeListsOptions;
  readonly #stop: () => void;
  readonly #toldAt = new Map<NodeId, { readonly incarnation: string; readonly at: number }>();

  constructor(options: ProbeListsOptions) {
    this.#options = options;
    this.#stop = options.clock.every(Math.max(1, options.everyMs / SLICES), () => this.#look());
  }

  close(): void {
    this.#stop();
  }

  #look(): void {
    const { clock, fleet, everyMs } = this.#options;
    const now = clock.now();
    const due = fleet.nodes().filter((node) => {
      const told = this.#toldAt.get(node.nodeId);
      return told?.incarnation !== node.incarnation || now - told.at >= everyMs;
    });
    const present = new Set(fleet.nodes().map((node) => node.nodeId));
    for (const nodeId of this.#toldAt.keys()) if (!present.has(nodeId)) this.#toldAt.delete(nodeId);
    for (const node of due.slice(0, Math.max(1, Math.ceil((2 * present.size) / SLICES)))) this.#tell(node, now);
  }

  #tell(node: SeenNode, now: number): void {
    const { fleet, random } = this.#options;
    const { nodeId, incarnation, channel } = node;
    if (!channel || channel.closed) return;
    const byId = new Map(fleet.nodes().map((one) => [one.nodeId, one]));
    const targets = probeTargets(fleet.view(), nodeId, this.#linked(node), random).flatMap((target) => {
      const end = byId.get(target)?.report?.probe;
      return end ? [{ nodeId: target, end }] : [];
    });
    try {
      channel.emit(eventOf('probeNodes', { targets }));
      this.#toldAt.set(nodeId, { incarnation, at: now });
    } catch {
      // Its queue is full or it went: it is told the next time.
    }
  }

  /** Nodes that it has Pipes with. */
  #linked({ nodeId, report }: SeenNode): Set<NodeId> {
    const linked = new Set<NodeId>();
    for (const { pipeId, workerId } of report?.pipes ?? []) {
      const pipe = workersOf(pipeId);
      const other = pipe && this.#options.fleet.nodeOf((pipe.from === workerId ? pipe.to : pipe.from) as never);
      if (other && other.nodeId !== nodeId) linked.add(other.nodeId);
    }
    return linked;
  }
}
