/** A very simple cluster that obeys steps as Nodes do, to show that diff brings any of its states to the Plan. */
import type { PipeId, ProducerId, WorkerId } from '@veilcast/protocol';
import type { Observed, ObservedEnd, Plan, Step } from './model.ts';

interface End {
  connected: boolean;
  /** Each with the stream that it is: a Producer consumed anew is another stream, which an old receiver does not hear. */
  readonly sends: Map<ProducerId, number>;
  readonly receives: Map<ProducerId, number>;
  readonly paused: Set<ProducerId>;
}

export class SimulatedCluster {
  private readonly local: ReadonlyMap<WorkerId, ReadonlySet<ProducerId>>;
  private readonly ends = new Map<string, End & { pipeId: PipeId; workerId: WorkerId }>();
  /** Steps that a Node would have refused because a Producer is on the Router twice. */
  duplicates = 0;
  private streams = 0;

  constructor(local: ReadonlyMap<WorkerId, ReadonlySet<ProducerId>>, ends: readonly ObservedEnd[]) {
    this.local = local;
    for (const { pipeId, workerId, connected, ...ids } of ends) {
      const [sends, receives, paused] = [began(ids.sends), began(ids.receives), new Set(ids.paused)];
      const end = { pipeId, workerId, connected, sends, receives, paused };
      this.ends.set(`${pipeId} ${workerId}`, end);
    }
    this.settle();
  }

  observe(): Observed {
    const workers = new Set([...this.local.keys(), ...[...this.ends.values()].map((end) => end.workerId)]);
    return {
      routers: [...workers].map((workerId) => ({ workerId, producerIds: [...this.producersOn(workerId)] })),
      ends: [...this.ends.values()].map(({ pipeId, workerId, connected, sends, receives, paused }) => ({
        pipeId,
        workerId,
        connected,
        sends: [...sends.keys()],
        receives: [...receives.keys()],
        paused: [...paused],
      })),
    };
  }

  private producersOn(workerId: WorkerId): Set<ProducerId> {
    const here = [...this.ends.values()].filter((end) => end.workerId === workerId);
    return new Set([...(this.local.get(workerId) ?? []), ...here.flatMap((end) => [...end.receives.keys()])]);
  }

  /** @returns false where a Node would have refused */
  apply(step: Step): boolean {
    const done = this.act(step);
    this.settle();
    return done;
  }

  private act(step: Step): boolean {
    if (step.kind === 'openPipe') {
      for (const workerId of [step.from, step.to]) {
        const key = `${step.pipeId} ${workerId}`;
        const end = this.ends.get(key);
        // Joining an end twice is what a Node cannot do.
        if (end?.connected) return false;
        if (end) end.connected = true;
        else {
          const { pipeId } = step;
          const [sends, receives, paused] = [new Map(), new Map(), new Set<ProducerId>()];
          this.ends.set(key, { pipeId, workerId, connected: true, sends, receives, paused });
        }
      }
      return true;
    }
    if (step.kind === 'carry') return this.carry(step);
    const key = `${step.pipeId} ${step.workerId}`;
    if (step.kind === 'closePipe') return this.ends.delete(key);
    const end = this.ends.get(key);
    if (step.kind === 'pauseCarry') {
      if (!end?.sends.has(step.producerId)) return false;
      if (step.paused) end.paused.add(step.producerId);
      else end.paused.delete(step.producerId);
      return true;
    }
    end?.paused.delete(step.producerId);
    end?.sends.delete(step.producerId);
    end?.receives.delete(step.producerId);
    return end !== undefined;
  }

  private carry(step: Extract<Step, { kind: 'carry' }>): boolean {
    const up = this.ends.get(`${step.pipeId} ${step.from}`);
    const down = this.ends.get(`${step.pipeId} ${step.to}`);
    if (!up?.connected || !down?.connected || !this.producersOn(step.from).has(step.producerId)) return false;
    if (this.producersOn(step.to).has(step.producerId) && !down.receives.has(step.producerId)) {
      this.duplicates += 1;
      return false;
    }
    const stream = up.sends.get(step.producerId) ?? (this.streams += 1);
    up.sends.set(step.producerId, stream);
    if (!down.receives.has(step.producerId)) down.receives.set(step.producerId, stream);
    return true;
  }

  /** Ends that wait for another stream than the one which their Pipe carries. */
  deaf(): readonly PipeId[] {
    const receiving = [...this.ends.values()].filter((end) => end.receives.size > 0);
    return receiving
      .filter((down) => {
        const up = [...this.ends.values()].find((end) => end.pipeId === down.pipeId && end.sends.size > 0);
        return [...down.receives].some(([producerId, stream]) => up?.sends.get(producerId) !== stream);
      })
      .map((down) => down.pipeId);
  }

  /** A Consumer closes with its Producer, so nothing is sent that is not there. */
  private settle(): void {
    for (const end of this.ends.values()) {
      const here = this.producersOn(end.workerId);
      for (const producerId of end.sends.keys()) if (!here.has(producerId)) end.sends.delete(producerId);
      for (const producerId of end.paused) if (!end.sends.has(producerId)) end.paused.delete(producerId);
    }
  }
}

function began(producerIds: readonly ProducerId[]): Map<ProducerId, number> {
  return new Map(producerIds.map((producerId) => [producerId, 0]));
}

/** What a cluster that follows the Plan exactly would report. */
export function exactly(plan: Plan, local: ReadonlyMap<WorkerId, ReadonlySet<ProducerId>>): Observed {
  const ends = plan.pipes.flatMap((pipe): ObservedEnd[] => [
    {
      pipeId: pipe.pipeId,
      workerId: pipe.from,
      connected: true,
      sends: pipe.producerIds,
      receives: [],
      paused: pipe.idle,
    },
    { pipeId: pipe.pipeId, workerId: pipe.to, connected: true, sends: [], receives: pipe.producerIds, paused: [] },
  ]);
  return new SimulatedCluster(local, ends).observe();
}
