/**
 * The cascade of the simulated Room: the planner's own `plan` and `diff`, made anew when somebody sits where nobody sat, and what its
 * trees mean in delay.
 */
import type { PeerId, WorkerId } from '@veilcast/protocol';
import {
  diff,
  GAIN_RATIO_MIN,
  plan,
  restructured,
  type Demand,
  type Observed,
  type ObservedEnd,
  type Plan,
  type Policy,
} from '@veilcast/topology';
import type { RoomDemand } from '@veilcast/room';
import type { Fleet, Worker } from './fleet.ts';
import { INSIDE_MS, oneWay } from './regions.ts';

/** Between two Workers of a Node (topology's sites.ts). */
const SAME_NODE_MS = 0.05;
/** Weights of Workers for the planner: one Peer stands for so many, since only proportions count. */
const STANDS_FOR = 25;

/** Where media comes to a Worker, and how late. */
export interface Reach {
  readonly depth: number;
  /** On the way there, ms, with the Pipes' own delay. */
  readonly wayMs: number;
  /** From the first packet of a frame's being there to the last's, by the slowest Worker on the way, ms for each packet. */
  readonly slowestMs: number;
}

export interface Changed {
  /** Pipes opened and closed by the change. */
  readonly opened: number;
  readonly closed: number;
}

export class Cascade {
  plan: Plan | undefined;
  readonly reach = new Map<WorkerId, Reach>();
  readonly pipesOut = new Map<WorkerId, number>();
  readonly #fleet: Fleet;
  /** The least mean way so far, ms. */
  #bestMs = Number.POSITIVE_INFINITY;
  readonly #policy: Policy;
  readonly #hopMs: number;
  /** What a Worker needs for one packet to all its viewers and Pipes, ms. */
  readonly #packetMs: (viewers: number, pipesOut: number) => number;

  constructor(fleet: Fleet, policy: Policy, hopMs: number, packetMs: (viewers: number, pipesOut: number) => number) {
    this.#fleet = fleet;
    this.#policy = policy;
    this.#hopMs = hopMs;
    this.#packetMs = packetMs;
  }

  /** @returns the Plan before, for `changed` */
  replan(stage: RoomDemand): Plan | undefined {
    const before = this.plan;
    this.plan = plan(this.#fleet.view(), this.#demand(stage), this.#policy, before);
    this.#fleet.isChanged = false;
    this.#trace(stage);
    return before;
  }

  /** Lays trees anew that have become bad enough, as the cascade-router does. @returns whether any was */
  restructure(stage: RoomDemand): boolean {
    const meanMs = this.#meanMs();
    this.#bestMs = Math.min(this.#bestMs, meanMs);
    // What `restructured` asks for first, without a Plan from nothing: that a fifth could be gained at all.
    if (!this.plan || meanMs * (1 - GAIN_RATIO_MIN) <= this.#bestMs) return false;
    const better = restructured(this.#fleet.view(), this.#demand(stage), this.#policy, this.plan);
    if (!better) return false;
    this.plan = better;
    this.#trace(stage);
    return true;
  }

  /** How long media is on its way to the Worker of a viewer. */
  #meanMs(): number {
    let [sum, all] = [0, 0];
    for (const seated of this.#fleet.seated.values()) {
      for (const { workerId, viewers } of seated) {
        const reach = this.reach.get(workerId);
        if (!reach) continue;
        sum += reach.wayMs * viewers;
        all += viewers;
      }
    }
    return all > 0 ? sum / all : Number.POSITIVE_INFINITY;
  }

  /** What must be done from another Plan to this one, where everything else still runs. */
  changed(before: Plan | undefined): Changed {
    const empty = { routers: [], ends: [] };
    const steps = this.plan ? diff(this.plan, before ? observedOf(before) : empty) : [];
    return {
      opened: steps.filter(({ kind }) => kind === 'openPipe').length,
      closed: new Set(steps.flatMap((step) => (step.kind === 'closePipe' ? [step.pipeId] : []))).size,
    };
  }

  #demand(stage: RoomDemand): Demand {
    const peers: Demand['peers'][number][] = [...stage.peers];
    const wants: Demand['wants'][number][] = [...stage.wants];
    for (const seated of this.#fleet.seated.values()) {
      for (const { workerId, viewers } of seated) {
        for (const { producerId, workerId: home } of stage.producers)
          if (home !== workerId) wants.push({ producerId, workerId });
        for (let n = 0; n < viewers; n += STANDS_FOR)
          peers.push({ peerId: 'viewers' as PeerId, workerId, role: 'viewer' });
      }
    }
    return { ...stage, peers, wants };
  }

  /** Follows the video down its tree. */
  #trace(stage: RoomDemand): void {
    this.reach.clear();
    this.pipesOut.clear();
    const video = stage.producers.find(({ kind }) => kind === 'video') ?? stage.producers[0];
    if (!video) return;
    const workers = new Map(this.#fleet.workers.map((worker) => [worker.workerId, worker]));
    const children = new Map<WorkerId, Worker[]>();
    for (const { from, to, producerIds } of this.plan?.pipes ?? []) {
      this.pipesOut.set(from, (this.pipesOut.get(from) ?? 0) + 1);
      const child = workers.get(to);
      if (!child || !producerIds.includes(video.producerId)) continue;
      const below = children.get(from);
      if (below) below.push(child);
      else children.set(from, [child]);
    }
    this.reach.set(video.workerId, { depth: 0, wayMs: 0, slowestMs: 0 });
    for (const [workerId, above] of this.reach) {
      const parent = workers.get(workerId);
      if (!parent) continue;
      const workMs = this.#packetMs(parent.viewers, this.pipesOut.get(workerId) ?? 0);
      for (const child of children.get(workerId) ?? []) {
        if (this.reach.has(child.workerId)) continue;
        const pathMs =
          parent.nodeId === child.nodeId
            ? SAME_NODE_MS
            : parent.region === child.region
              ? INSIDE_MS
              : oneWay(parent.region, child.region);
        this.reach.set(child.workerId, {
          depth: above.depth + 1,
          // A packet goes to all that a Worker serves, one after the other: a Pipe is in the middle of them.
          wayMs: above.wayMs + pathMs + this.#hopMs + workMs / 2,
          slowestMs: Math.max(above.slowestMs, workMs),
        });
      }
    }
  }
}

/** What a cluster that follows the Plan reports. */
function observedOf(planned: Plan): Observed {
  const routers = new Map<WorkerId, Set<Plan['pipes'][number]['producerIds'][number]>>();
  const at = (workerId: WorkerId) => {
    const here = routers.get(workerId) ?? new Set();
    routers.set(workerId, here);
    return here;
  };
  const ends = planned.pipes.flatMap(({ pipeId, from, to, producerIds, idle }): ObservedEnd[] => {
    for (const workerId of [from, to]) for (const producerId of producerIds) at(workerId).add(producerId);
    return [
      { pipeId, workerId: from, connected: true, sends: producerIds, receives: [], paused: idle },
      { pipeId, workerId: to, connected: true, sends: [], receives: producerIds, paused: [] },
    ];
  });
  return { routers: [...routers].map(([workerId, ids]) => ({ workerId, producerIds: [...ids] })), ends };
}
