/**
 * A scenario under a virtual clock: people come and go, Nodes are ordered and lost, the cascade is planned anew; all with the project's own
 * `place`, `plan`, `diff`, Room and delivery reducers, and measured unit costs for the rest (ADR 0039). Of one seed, one result.
 */
import type { RegionId } from '@veilcast/protocol';
import type { Policy } from '@veilcast/topology';
import { seededRandom, type SeededRandom } from '@veilcast/testkit';
import { setImmediate as breathe } from 'node:timers/promises';
import { Agenda } from './agenda.ts';
import { capacityOf, workerUs, type Capacity } from './capacity.ts';
import { Cascade } from './cascade.ts';
import { Fleet, type Worker } from './fleet.ts';
import { foundOf } from './findings.ts';
import { scheduleIncidents } from './incidents.ts';
import { Joining } from './joining.ts';
import { exactDelays, mediaDelays, type MediaDelay } from './media-delay.ts';
import { People } from './people.ts';
import type { Found, Happened, Sample } from './result.ts';
import { rateOf, type Scenario } from './scenario.ts';
import { Stage } from './stage.ts';
import type { UnitModel } from './unit-model.ts';

const TICK_MS = 1_000;
/**
 * How often a changed audience is planned anew, and how often where it fills so many Workers that each Plan takes half a second here. The
 * product plans after each change; between them nothing differs but that the first viewers of new Workers wait.
 */
const PLAN_MS = 5_000;
const LARGE_PLAN_MS = 30_000;
const LARGE = 2_000;
const SAMPLE_MS = 15_000;
/** How long another tree must be better (cascade-router's config.ts, `restructureMs`). */
const RESTRUCTURE_MS = 30_000;
/** Reports after which streams are counted and no longer reserved (topology's SETTLE_MS, after the join itself). */
const SETTLE_MS = 3_000;
/** How long this process works without looking whether it was stopped, ms. */
const BREATH_MS = 40;

export interface SimulationOptions {
  readonly name: string;
  readonly scenario: Scenario;
  readonly model: UnitModel;
  readonly costsOf: string;
  readonly exact: boolean;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((at: Progress) => void) | undefined;
}

export interface Progress {
  readonly minute: number;
  readonly minutes: number;
  readonly viewers: number;
  readonly nodes: number;
  readonly workers: number;
}

export class Simulation {
  readonly options: SimulationOptions;
  readonly scenario: Scenario;
  readonly model: UnitModel;
  readonly agenda = new Agenda();
  readonly random: SeededRandom;
  /** For the turns of people who are looked at one by one: nothing else of a simulation depends on how they are. */
  readonly #turns: SeededRandom;
  readonly regions: readonly RegionId[];
  readonly lost = new Set<RegionId>();
  readonly capacity: Capacity;
  readonly fleet: Fleet;
  readonly people: People;
  readonly stage: Stage;
  readonly cascade: Cascade;
  readonly joining: Joining;
  readonly samples: Sample[] = [];
  readonly happened: Happened[] = [];
  plans = 0;
  restructures = 0;
  version = '1';
  /** Who has come and has no seat yet, by Region. */
  readonly waiting = new Map<RegionId, number>();
  /** Fractions of people, carried on. */
  readonly #parts = new Map<string, number>();
  readonly #shares: ReadonlyMap<RegionId, number>;
  /** Nodes that boot, by Region. */
  readonly #ordered = new Map<RegionId, number>();
  readonly #recent = new Map<RegionId, number>();
  #joined = 0;

  constructor(options: SimulationOptions) {
    const { scenario, model } = options;
    this.options = options;
    this.scenario = scenario;
    this.model = model;
    this.random = seededRandom(options.seed);
    this.#turns = this.random.fork();
    this.regions = Object.keys(scenario.audience) as RegionId[];
    if (!this.regions.includes(scenario.origin as RegionId))
      this.regions = [...this.regions, scenario.origin as RegionId];
    const all = Object.values(scenario.audience).reduce<number>((sum, share) => sum + (share ?? 0), 0);
    this.#shares = new Map(this.regions.map((region) => [region, (scenario.audience[region] ?? 0) / all]));
    this.capacity = capacityOf(model, scenario);
    const { fanOutMax, depthMax } = scenario.policy;
    const policy: Policy = {
      fanOutMax,
      depthMax,
      lingerMs: 5_000,
      regions: [],
      roomPeersMax: this.capacity.workerSeats,
    };
    this.fleet = new Fleet({
      regions: this.regions,
      workersPerNode: scenario.fleet.workersPerNode,
      seats: this.capacity.workerSeats,
      policy,
      random: this.random.fork(),
      cpuOf: (viewers) => Math.min(1, workerUs(model, scenario, viewers, 0, true) / 1e6),
    });
    this.people = new People(this.fleet, scenario.access, options.exact, this.random.fork());
    this.joining = new Joining(model, scenario, this.random.fork());
    for (const region of this.regions) this.#orderFor(region, 0);
    this.stage = new Stage(this.fleet, scenario.origin as RegionId, scenario.speakers);
    this.cascade = new Cascade(this.fleet, policy, model.hopMs, (viewers, pipes) => this.packetMs(viewers, pipes));
  }

  /** One packet of video to all that a Worker serves, ms. */
  packetMs(viewers: number, pipesOut: number): number {
    const { packets } = rateOf(this.scenario);
    return (viewers * this.model.packetUs(viewers * packets) + pipesOut * this.model.pipeSendUs) / 1_000;
  }

  workMs(worker: Worker): number {
    return this.packetMs(worker.viewers, this.cascade.pipesOut.get(worker.workerId) ?? 0);
  }

  async run(): Promise<Found> {
    const { scenario, signal, onProgress } = this.options;
    const end = scenario.minutes * 60_000;
    this.#every(TICK_MS, () => this.#tick());
    this.#every(PLAN_MS, () => {
      if (!this.cascade.plan || this.fleet.workers.length < LARGE || this.agenda.now % LARGE_PLAN_MS === 0)
        this.replan();
    });
    this.#every(RESTRUCTURE_MS, () => {
      if (this.cascade.restructure(this.stage.demand())) this.restructures += 1;
    });
    this.#every(SAMPLE_MS, () => this.sample());
    scheduleIncidents(this);
    const isStopped = (): boolean => signal?.aborted === true;
    let began = performance.now();
    while (!isStopped() && this.agenda.step(end)) {
      if (performance.now() - began < BREATH_MS) continue;
      onProgress?.(this.#progress());
      await breathe();
      began = performance.now();
    }
    const complete = !isStopped();
    this.replan();
    this.sample();
    return foundOf(this, complete);
  }

  /** So many come to a Region, in cohorts or one by one. */
  come(region: RegionId, count: number): void {
    const seated = this.people.come(region, count);
    const came = seated.reduce((sum, one) => sum + one.count, 0);
    this.#joined += came;
    this.#recent.set(region, (this.#recent.get(region) ?? 0) + came);
    this.waiting.set(region, (this.waiting.get(region) ?? 0) + count - came);
    this.agenda.after(SETTLE_MS, () => {
      for (const { worker, count: some } of seated) this.fleet.settle(worker, some);
    });
  }

  /** How many of so many people of the world are of this Region, now that so many have passed before: fractions are carried on. */
  whole(key: string, part: number): number {
    const exact = (this.#parts.get(key) ?? 0) + part;
    const count = Math.floor(exact);
    this.#parts.set(key, exact - count);
    return count;
  }

  shareOf(region: RegionId): number {
    return this.#shares.get(region) ?? 0;
  }

  replan(): void {
    if (!this.fleet.isChanged) return;
    this.cascade.replan(this.stage.demand());
    this.plans += 1;
  }

  delays(): MediaDelay {
    const workMs = (worker: Worker) => this.workMs(worker);
    if (!this.people.exact) return mediaDelays(this.fleet, this.cascade, this.scenario, workMs);
    return exactDelays(
      (worker) => this.people.delaysOn(worker),
      this.fleet,
      this.cascade,
      this.scenario.video,
      workMs,
      this.#turns,
    );
  }

  viewers(): number {
    let all = 0;
    for (const region of this.regions) all += this.fleet.seatsOf(region).taken;
    return all;
  }

  sample(): void {
    const { frames, keyFrames } = this.delays();
    const [frame, keyFrame] = [frames.quantiles(), keyFrames.quantiles()];
    const viewers = this.viewers();
    const seconds = Math.max(1, (this.agenda.now - (this.samples.at(-1)?.at ?? 0) * 1_000) / 1_000);
    const nodes = this.fleet.nodes.filter(({ state }) => state !== 'gone').length;
    let [workers, busyUs] = [0, 0];
    for (const seated of this.fleet.seated.values()) {
      workers += seated.size;
      for (const worker of seated) {
        busyUs += workerUs(
          this.model,
          this.scenario,
          worker.viewers,
          this.cascade.pipesOut.get(worker.workerId) ?? 0,
          true,
        );
      }
    }
    this.samples.push({
      at: this.agenda.now / 1_000,
      viewers,
      waiting: [...this.waiting.values()].reduce((sum, count) => sum + count, 0),
      joinsPerS: Math.round(this.#joined / seconds),
      nodes,
      workers,
      coresBusy: Math.round(busyUs / 1e5) / 10,
      egressGbps: Math.round((viewers * rateOf(this.scenario).bits) / 1e8) / 10,
      frameP50: frame.p50,
      frameP99: frame.p99,
      keyFrameP99: keyFrame.p99,
    });
    this.#joined = 0;
  }

  #tick(): void {
    const { scenario } = this;
    const { viewers, rampMinutes, churnPerMinute } = scenario;
    const isRamp = this.agenda.now <= rampMinutes * 60_000;
    for (const region of this.regions) {
      const share = this.shareOf(region);
      // A Region that is gone has people still: they come to the nearest one.
      const first = isRamp ? (viewers * share * TICK_MS) / (rampMinutes * 60_000) : 0;
      const { taken, free } = this.fleet.seatsOf(region);
      const churn = (taken * churnPerMinute * TICK_MS) / 60_000;
      const leaving = Math.min(taken, this.whole(`go ${region}`, churn));
      const [again, coming] = [this.waiting.get(region) ?? 0, this.whole(`come ${region}`, first + churn)];
      this.waiting.set(region, 0);
      if (coming > 0) this.joining.come(this.homeOf(region), coming, TICK_MS, taken + free);
      // Of a cohort, who comes takes the seat of who goes: a Worker with a seat free is where `place` puts them.
      const swapped = this.people.exact ? 0 : Math.min(leaving, coming);
      this.#joined += swapped;
      if (leaving > swapped) this.people.go(region, leaving - swapped);
      if (coming + again > swapped) this.come(region, coming + again - swapped);
      this.#orderFor(region, this.#recent.get(region) ?? 0);
      this.#recent.set(region, 0);
    }
  }

  /** Where a Region's people find signaling: at home, or at the nearest that is left. */
  homeOf(region: RegionId): RegionId {
    if (!this.lost.has(region)) return region;
    return this.fleet.nearest(region).find((near) => !this.lost.has(near)) ?? region;
  }

  /** Keeps seats free: what is spare, and what comes until an ordered Node is there. */
  #orderFor(region: RegionId, cameLately: number): void {
    if (this.lost.has(region)) return;
    const { workersPerNode, bootSeconds, spare } = this.scenario.fleet;
    const { taken, free } = this.fleet.seatsOf(region);
    const perNode = workersPerNode * this.capacity.workerSeats;
    const ordered = this.#ordered.get(region) ?? 0;
    const isStart = this.agenda.now === 0;
    const { viewers, rampMinutes } = this.scenario;
    const perS = isStart ? (viewers * this.shareOf(region)) / (rampMinutes * 60) : (cameLately * 1_000) / TICK_MS;
    const wanted = spare * taken + perS * (bootSeconds + (2 * PLAN_MS) / 1_000);
    const nodes = Math.max(isStart ? 1 : 0, Math.ceil((wanted - free) / perNode) - ordered);
    if (nodes <= 0) return;
    const boot = (): void => {
      if (this.lost.has(region)) return;
      for (let n = 0; n < nodes; n++) this.fleet.addNode(region, this.version);
    };
    // The cluster is there when the first come; what is ordered later boots.
    if (isStart) return boot();
    this.#ordered.set(region, ordered + nodes);
    this.agenda.after(bootSeconds * 1_000, () => {
      this.#ordered.set(region, (this.#ordered.get(region) ?? 0) - nodes);
      boot();
    });
  }

  #every(ms: number, run: () => void): void {
    const again = (): void => {
      run();
      this.agenda.after(ms, again);
    };
    this.agenda.after(ms, again);
  }

  #progress(): Progress {
    const last = this.samples.at(-1);
    return {
      minute: this.agenda.now / 60_000,
      minutes: this.scenario.minutes,
      viewers: last?.viewers ?? 0,
      nodes: last?.nodes ?? 0,
      workers: last?.workers ?? 0,
    };
  }
}
