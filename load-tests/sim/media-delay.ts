/**
 * How late a picture is at those who watch: the publisher's way up, the tree, the turn on one's Worker, one's own way. A frame is there with
 * its last packet; each packet goes to all that a Worker serves one after the other, and Workers on a path work at the same time.
 */
import type { Random } from '@veilcast/protocol';
import { accessSteps } from './access.ts';
import type { Cascade, Reach } from './cascade.ts';
import type { Fleet, Worker } from './fleet.ts';
import { Histogram } from './histogram.ts';
import type { Scenario } from './scenario.ts';

/** Turns on a Worker that stand for all. */
const TURNS = [0.125, 0.375, 0.625, 0.875];
/** How finely ways are told apart, ms. */
const STEP_MS = 0.1;
/** The host's own way to its Region, ms: a fixed line. */
export const PUBLISHER_MS = 4;

export interface MediaDelay {
  readonly frames: Histogram;
  readonly keyFrames: Histogram;
}

/** Of one viewer. @param turn when among all of its Worker it gets a packet, 0 to 1; `workMs`: one packet to all of them */
export function frameMs(reach: Reach, workMs: number, packets: number, turn: number, accessMs: number): number {
  return PUBLISHER_MS + reach.wayMs + turn * workMs + (packets - 1) * Math.max(reach.slowestMs, workMs) + accessMs;
}

/** Cohorts: a Worker's viewers by the steps of the distribution. */
export function mediaDelays(
  fleet: Fleet,
  cascade: Cascade,
  scenario: Pick<Scenario, 'video' | 'access'>,
  workMs: (worker: Worker) => number,
): MediaDelay {
  const { frame, keyFrame } = scenario.video;
  const [frames, keyFrames] = [new Ways(), new Ways()];
  for (const seated of fleet.seated.values()) {
    for (const worker of seated) {
      const reach = cascade.reach.get(worker.workerId);
      if (!reach) continue;
      const work = workMs(worker);
      for (const turn of TURNS) {
        frames.add(frameMs(reach, work, frame, turn, 0), worker.viewers / TURNS.length);
        keyFrames.add(frameMs(reach, work, keyFrame, turn, 0), worker.viewers / TURNS.length);
      }
    }
  }
  const steps = accessSteps(scenario.access);
  return { frames: frames.with(steps), keyFrames: keyFrames.with(steps) };
}

/** How many are how far along before their own access networks come: tens of thousands of Workers are some hundreds of delays. */
class Ways {
  readonly #counts: number[] = [];

  add(ms: number, weight: number): void {
    const at = Math.floor(ms / STEP_MS);
    this.#counts[at] = (this.#counts[at] ?? 0) + weight;
  }

  with(steps: ReturnType<typeof accessSteps>): Histogram {
    const all = new Histogram();
    this.#counts.forEach((weight, at) => {
      for (const { ms, share } of steps) all.add((at + 0.5) * STEP_MS + ms, weight * share);
    });
    return all;
  }
}

/** One by one: each viewer has its own access network, and its turn is drawn. */
export function exactDelays(
  viewersOf: (worker: Worker) => readonly number[],
  fleet: Fleet,
  cascade: Cascade,
  { frame, keyFrame }: Scenario['video'],
  workMs: (worker: Worker) => number,
  random: Random,
): MediaDelay {
  const delays = { frames: new Histogram(), keyFrames: new Histogram() };
  for (const seated of fleet.seated.values()) {
    for (const worker of seated) {
      const reach = cascade.reach.get(worker.workerId);
      if (!reach) continue;
      const work = workMs(worker);
      for (const accessMs of viewersOf(worker)) {
        const turn = random.float();
        delays.frames.add(frameMs(reach, work, frame, turn, accessMs));
        delays.keyFrames.add(frameMs(reach, work, keyFrame, turn, accessMs));
      }
    }
  }
  return delays;
}
