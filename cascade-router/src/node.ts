/**
 * One sfu-node as it is seen from here: its Channel, its last report, and whether it can be counted on. A restart is a
 * new incarnation, and all that was known of the old one is forgotten (DESIGN §3.4).
 */
import type { Channel } from '@veilcast/control';
import type { NodeId, RegionId } from '@veilcast/protocol';
import type { NodeView } from '@veilcast/topology';
import { believed, changedRooms, type NodeBelief } from './belief.ts';
import type { CascadeConfig } from './config.ts';
import type { NodeReport } from './messages.ts';
import { PipeRates } from './rates.ts';

export class SeenNode {
  readonly nodeId: NodeId;
  readonly rates = new PipeRates();
  incarnation: string;
  /** Undefined while it cannot be asked anything. */
  channel: Channel | undefined;
  report: NodeReport | undefined;
  belief: NodeBelief = new Map();
  state: NodeView['state'] = 'suspect';
  readonly #config: CascadeConfig;
  /** When it was last heard; while there is no Channel, when that was lost. */
  #heardAt: number;

  constructor(nodeId: NodeId, incarnation: string, config: CascadeConfig, now: number) {
    this.nodeId = nodeId;
    this.incarnation = incarnation;
    this.#config = config;
    this.#heardAt = now;
  }

  get region(): RegionId | undefined {
    return this.report?.region;
  }

  connected(channel: Channel, now: number): void {
    if (channel.remote.incarnation !== this.incarnation) this.#forget(channel.remote.incarnation);
    this.channel = channel;
    this.#heardAt = now;
  }

  #forget(incarnation: string): void {
    this.incarnation = incarnation;
    this.report = undefined;
    this.belief = new Map();
    this.rates.clear();
  }

  disconnected(now: number): void {
    this.channel = undefined;
    this.#heardAt = now;
  }

  /** @returns the Rooms that look otherwise than before */
  take(report: NodeReport, now: number) {
    const before = this.belief;
    this.report = report;
    this.belief = believed(report);
    this.#heardAt = now;
    return changedRooms(before, this.belief);
  }

  /** Looks at the time. @returns whether its state is another one now */
  judge(now: number): boolean {
    const silent = now - this.#heardAt;
    const before = this.state;
    if (this.channel === undefined) this.state = silent >= this.#config.lostMs ? 'gone' : 'suspect';
    else if (silent >= this.#config.goneMs) this.state = 'gone';
    else if (silent >= this.#config.suspectMs || this.report === undefined) this.state = 'suspect';
    else this.state = this.report.draining ? 'draining' : 'healthy';
    return this.state !== before;
  }

  /** For how long it has not been heard, ms. */
  silentFor(now: number): number {
    return now - this.#heardAt;
  }

  view(): NodeView | undefined {
    const { report } = this;
    if (!report) return undefined;
    const { nodeId, incarnation, state } = this;
    return {
      nodeId,
      incarnation,
      region: report.region,
      version: report.version,
      state,
      workers: report.workers.map((worker) => ({
        workerId: worker.workerId,
        nodeId,
        region: report.region,
        cpu: worker.cpu,
        streams: worker.producers + worker.consumers,
        reserved: 0,
        capacity: this.#config.workerStreams,
      })),
    };
  }
}
