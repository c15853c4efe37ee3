/**
 * What is left to do: from what the Nodes report to what the Plan wants, as steps. Level-triggered: it looks only at the
 * two values, so it may be computed again at any moment, by anybody, after any failure, and is empty when they agree.
 */
import type { PipeId, ProducerId, WorkerId } from '@veilcast/protocol';
import type { Observed, ObservedEnd, Plan, PlannedPipe, Step } from './model.ts';

/** Steps of one Pipe stand in the order in which they must be done. */
export function diff(plan: Plan, observed: Observed): Step[] {
  const comparison = new Comparison(plan, observed);
  return [...comparison.unplannedEnds(), ...plan.pipes.flatMap((pipe) => comparison.stepsOf(pipe))];
}

class Comparison {
  private readonly planned: ReadonlyMap<PipeId, PlannedPipe>;
  private readonly ends = new Map<PipeId, Map<WorkerId, ObservedEnd>>();
  private readonly present: ReadonlyMap<WorkerId, ReadonlySet<ProducerId>>;
  /** `worker producer` → the Pipes out of which it comes there now, and the one out of which it should. */
  private readonly comesBy = new Map<string, Set<PipeId>>();
  private readonly shouldComeBy = new Map<string, PipeId>();

  constructor(plan: Plan, observed: Observed) {
    this.planned = new Map(plan.pipes.map((pipe) => [pipe.pipeId, pipe]));
    this.present = new Map(observed.routers.map((router) => [router.workerId, new Set(router.producerIds)]));
    for (const end of observed.ends) {
      const ofPipe = this.ends.get(end.pipeId) ?? new Map<WorkerId, ObservedEnd>();
      this.ends.set(end.pipeId, ofPipe.set(end.workerId, end));
      for (const producerId of end.receives) {
        const key = `${end.workerId} ${producerId}`;
        this.comesBy.set(key, (this.comesBy.get(key) ?? new Set()).add(end.pipeId));
      }
    }
    for (const pipe of plan.pipes) {
      for (const producerId of pipe.producerIds) this.shouldComeBy.set(`${pipe.to} ${producerId}`, pipe.pipeId);
    }
  }

  unplannedEnds(): Step[] {
    const steps: Step[] = [];
    for (const [pipeId, ofPipe] of this.ends) {
      const pipe = this.planned.get(pipeId);
      for (const workerId of ofPipe.keys()) {
        if (workerId !== pipe?.from && workerId !== pipe?.to) steps.push({ kind: 'closePipe', pipeId, workerId });
      }
    }
    return steps;
  }

  stepsOf(pipe: PlannedPipe): Step[] {
    const { pipeId, from, to } = pipe;
    const up = this.ends.get(pipeId)?.get(from);
    const down = this.ends.get(pipeId)?.get(to);
    const open: Step = { kind: 'openPipe', pipeId, from, to };
    const isOpen = up?.connected === true && down?.connected === true;
    // One end without the other, or joined to what is gone: an end cannot be joined twice, so both are made anew.
    const isBroken = !isOpen && (up === undefined) !== (down === undefined);
    const isHalf = up !== undefined && down !== undefined && up.connected !== down.connected;
    if (isBroken || isHalf) {
      const present = [up, down].filter((end) => end !== undefined);
      const closing = present.map(({ workerId }): Step => ({ kind: 'closePipe', pipeId, workerId }));
      return [...closing, open, ...this.carrying(pipe, undefined, undefined)];
    }
    return [
      ...(isOpen ? [] : [open]),
      ...this.stopping(pipe, up, down),
      ...this.carrying(pipe, up, down),
      ...pausing(pipe, up),
    ];
  }

  /** What runs and should not: not planned, the wrong way round, or without its source. */
  private stopping(pipe: PlannedPipe, up: ObservedEnd | undefined, down: ObservedEnd | undefined): Step[] {
    const { pipeId, from, to } = pipe;
    const wanted = new Set(pipe.producerIds);
    const sent = new Set(up?.sends);
    const steps: Step[] = [];
    const stop = (workerId: WorkerId, producerId: ProducerId): void => {
      steps.push({ kind: 'stopCarry', pipeId, workerId, producerId });
    };
    for (const producerId of down?.receives ?? []) {
      if (!wanted.has(producerId) || !sent.has(producerId) || !this.isAt(from, producerId)) stop(to, producerId);
    }
    for (const producerId of up?.sends ?? []) {
      if (!wanted.has(producerId) || !this.isAt(from, producerId)) stop(from, producerId);
    }
    for (const producerId of new Set(up?.receives)) stop(from, producerId);
    for (const producerId of new Set(down?.sends)) stop(to, producerId);
    return steps;
  }

  private carrying(pipe: PlannedPipe, up: ObservedEnd | undefined, down: ObservedEnd | undefined): Step[] {
    const { pipeId, from, to } = pipe;
    const runs = new Set(up?.sends.filter((producerId) => down?.receives.includes(producerId)));
    return pipe.producerIds
      .filter(
        (producerId) => !runs.has(producerId) && this.isAt(from, producerId) && this.isFreeAt(to, producerId, pipeId),
      )
      .map((producerId) => ({ kind: 'carry', pipeId, from, to, producerId }));
  }

  /** It is on that Router, and stays: it does not come out of a Pipe which will be stopped. */
  private isAt(workerId: WorkerId, producerId: ProducerId): boolean {
    if (!this.present.get(workerId)?.has(producerId)) return false;
    const key = `${workerId} ${producerId}`;
    const inbound = this.shouldComeBy.get(key);
    return [...(this.comesBy.get(key) ?? [])].every((pipeId) => pipeId === inbound);
  }

  /** A Router has a Producer once: what another Pipe brings must be stopped before this one may. */
  private isFreeAt(workerId: WorkerId, producerId: ProducerId, pipeId: PipeId): boolean {
    return [...(this.comesBy.get(`${workerId} ${producerId}`) ?? [])].every((other) => other === pipeId);
  }
}

/** What goes in unwatched, and what is watched and kept back. */
function pausing({ pipeId, from, producerIds, idle }: PlannedPipe, up: ObservedEnd | undefined): Step[] {
  const [unwatched, paused] = [new Set(idle), new Set(up?.paused)];
  const sent = producerIds.filter((producerId) => up?.sends.includes(producerId));
  return sent
    .filter((producerId) => unwatched.has(producerId) !== paused.has(producerId))
    .map((producerId) => {
      return { kind: 'pauseCarry', pipeId, workerId: from, producerId, paused: unwatched.has(producerId) };
    });
}
