/**
 * One Room whose Plan this process owns: its demand, its Plan, and the reconciler that brings the Nodes to it. Never "on
 * event, do": every event only makes it look again at what is wanted and what is there (DESIGN §3.3).
 */
import type { HeldLease, ServiceContext } from '@veilcast/node-kit';
import { ClusterError, loggable, type PipeId, type RoomId, type WorkerId } from '@veilcast/protocol';
import {
  adopt,
  diff,
  linger,
  NOTHING_LINGERS,
  plan,
  restructured,
  workersOf,
  type Demand,
  type Lingering,
  type Observed,
  type Plan,
  type Policy,
  type Step,
} from '@veilcast/topology';
import type { CascadeConfig } from './config.ts';
import { FORMER_MS, withFormer, type FormerDemand } from './former-demand.ts';
import type { Fleet } from './fleet.ts';
import type { PutDemandCall } from './messages.ts';
import type { CascadeMetrics } from './metrics.ts';
import { Retries } from './retries.ts';
import { policyFor, type RoomDemand } from './room-policy.ts';
import { applyStep, inTurn } from './steps.ts';

export interface RoomOptions {
  readonly roomId: RoomId;
  readonly held: HeldLease;
  readonly config: CascadeConfig;
  readonly fleet: Fleet;
  readonly metrics: CascadeMetrics;
  readonly context: Pick<ServiceContext, 'clock' | 'random' | 'log'>;
  /** Whether somebody was placed and has not come yet. */
  readonly isAwaited: () => boolean;
  /** Nothing is wanted and nothing is left, or the Lease is another's: called once. */
  readonly onOver: (room: PlannedRoom) => void;
}

export class PlannedRoom {
  readonly roomId: RoomId;
  plan: Plan | undefined;
  readonly #options: RoomOptions;
  readonly #retries: Retries;
  readonly #inFlight = new Set<PipeId>();
  #demand: RoomDemand;
  #demandText = '';
  #newest: { term: number; version: bigint } | undefined;
  #former: FormerDemand | undefined;
  #refreshedAt: number;
  #lingering: Lingering = NOTHING_LINGERS;
  #cancelWake: (() => void) | undefined;
  #lingerUntil: number | undefined;
  /** Since when the same trees would be better laid anew. */
  #betterSince: number | undefined;
  /** Until a demand has come nothing is planned: what a former owner left running may well be wanted. */
  #isAsked = false;
  /** The demand or the View has changed since the Plan was made. */
  #isPlanDue = false;
  #over = false;

  constructor(options: RoomOptions) {
    const { roomId, context } = options;
    this.roomId = roomId;
    this.#options = options;
    this.#retries = new Retries(context.random);
    this.#demand = { roomId, peers: [], producers: [], wants: [], regions: [] };
    this.#refreshedAt = context.clock.now();
    this.#wakeIn(options.config.demandTtlMs);
  }

  get term(): number {
    return this.#options.held.lease.term;
  }

  get demand(): RoomDemand {
    return this.#demand;
  }

  /** The newest demand of a Term replaces the last; an older one is ignored, the same one again keeps the Room alive. */
  put(roomTerm: number, { version, peers, producers, wants, regions }: PutDemandCall): void {
    if (this.#newest?.term === roomTerm && version < this.#newest.version) return;
    const now = this.#options.context.clock.now();
    const isAnother = this.#newest !== undefined && this.#newest.term !== roomTerm;
    if (isAnother && !this.#wantsNothing()) this.#former = { demand: this.#demand, until: now + FORMER_MS };
    // The Room is over.
    if (peers.length === 0) this.#former = undefined;
    this.#newest = { term: roomTerm, version };
    this.#refreshedAt = now;
    const text = JSON.stringify([peers, producers, wants, regions]);
    if (text === this.#demandText) return this.reconcile();
    this.#want(text, { roomId: this.roomId, peers, producers, wants, regions });
  }

  /** Wants nothing any more, which takes down what is left. */
  abandon(): void {
    this.#want('', { roomId: this.roomId, peers: [], producers: [], wants: [], regions: [] });
  }

  #want(text: string, demand: RoomDemand): void {
    this.#isAsked = true;
    this.#demandText = text;
    this.#demand = demand;
    this.replan();
  }

  /** The View or the demand is another: plan again, then look what is left to do. */
  replan(): void {
    if (this.#over || !this.#isAsked) return;
    this.#isPlanDue = true;
    const { fleet, config, context, metrics } = this.#options;
    const observed = fleet.observe(this.roomId);
    const unseenFor = fleet.unseenFor(namedBy(this.#demand, observed));
    if (unseenFor > 0) return this.#wakeIn(unseenFor);
    const now = context.clock.now();
    if (this.#former && this.#former.until <= now) this.#former = undefined;
    const demand = withFormer(this.#demand, this.#former?.demand, observed);
    const lingered = linger(this.#lingering, demand, config.policy, now);
    this.#lingering = lingered.state;
    const ends = [lingered.wakeAt, this.#former?.until].filter((at) => at !== undefined);
    this.#lingerUntil = ends.length > 0 ? Math.min(...ends) : undefined;
    const stop = metrics.planning();
    this.plan = plan(fleet.view(), lingered.demand, this.#policy, this.plan ?? adopt(this.roomId, observed));
    stop();
    this.#isPlanDue = false;
    this.#retries.clear();
    this.reconcile();
  }

  get #policy(): Policy {
    return policyFor(this.#options.config.policy, this.#demand.regions);
  }

  /**
   * Looks whether the trees are worth standing as the network is now. Another one is taken when it was better all the time
   * that the policy asks for: a change costs everybody below it a key frame.
   */
  reconsider(): void {
    if (this.#over || !this.plan || this.#isPlanDue || this.#former || this.plan.pipes.length === 0) return;
    const { fleet, config, context, metrics } = this.#options;
    const better = restructured(fleet.view(), this.#demand, this.#policy, this.plan);
    const now = context.clock.now();
    if (!better) return void (this.#betterSince = undefined);
    this.#betterSince ??= now;
    if (now - this.#betterSince < config.restructureMs) return;
    this.#betterSince = undefined;
    this.plan = better;
    metrics.restructured();
    this.reconcile();
  }

  /** Something may be otherwise, or time has passed: does what is left to do. */
  reconcile(): void {
    if (this.#over) return;
    const now = this.#options.context.clock.now();
    const isLingerOver = this.#lingerUntil !== undefined && this.#lingerUntil <= now;
    if (this.#isExpired() && !(this.#isAsked && this.#wantsNothing())) this.abandon();
    else if (this.#isPlanDue || isLingerOver) this.replan();
    else if (this.plan) this.#startSteps(this.plan, now);
    else this.#sleep(now);
  }

  #startSteps(planned: Plan, now: number): void {
    const { fleet } = this.#options;
    const steps = diff(planned, fleet.observe(this.roomId));
    const byPipe = new Map<PipeId, Step[]>();
    for (const step of steps) byPipe.set(step.pipeId, [...(byPipe.get(step.pipeId) ?? []), step]);
    this.#retries.keepOnly(new Set(byPipe.keys()));
    for (const [pipeId, ofPipe] of byPipe) {
      if (!this.#inFlight.has(pipeId) && this.#retries.mayTry(pipeId, now)) void this.#apply(pipeId, ofPipe);
    }
    if (steps.length === 0 && this.#isUnwanted()) this.#end();
    else this.#sleep(now);
  }

  /** Stops acting. What runs on the Nodes goes on (DESIGN §3.6). */
  stop(): void {
    this.#over = true;
    this.#cancelWake?.();
  }

  /** The Steps of one Pipe, in order, until one fails; those that need nothing of each other at once. */
  async #apply(pipeId: PipeId, steps: readonly Step[]): Promise<void> {
    this.#inFlight.add(pipeId);
    let done = 0;
    for (const together of inTurn(steps)) {
      if (this.#over) break;
      const did = await Promise.all(together.map((step) => this.#did(step)));
      if (did.includes(false)) break;
      done += together.length;
    }
    this.#inFlight.delete(pipeId);
    if (this.#over) return;
    if (done === steps.length) this.#retries.succeeded(pipeId, this.#options.context.clock.now());
    this.reconcile();
  }

  async #did(step: Step): Promise<boolean> {
    const { fleet, metrics, config } = this.#options;
    const authority = { roomId: this.roomId, term: this.term };
    const channelTo = fleet.channelTo.bind(fleet);
    try {
      await applyStep(step, { authority, deadlineMs: config.stepDeadlineMs, channelTo });
      fleet.done(this.roomId, step);
      metrics.stepDone(step.kind);
      return true;
    } catch (thrown) {
      this.#failed(step, ClusterError.of(thrown));
      return false;
    }
  }

  #failed(step: Step, error: ClusterError): void {
    const { metrics, context } = this.#options;
    metrics.stepFailed(step.kind, error.code);
    context.log.debug({ roomId: loggable(this.roomId), step: step.kind, code: error.code }, 'step failed');
    if (error.code === 'STALE_TERM') this.#end();
    else this.#retries.failed(step.pipeId, context.clock.now());
  }

  /** Nobody is in the Room and nobody is on the way. */
  #isUnwanted(): boolean {
    if (this.#inFlight.size > 0 || this.#options.isAwaited() || !this.#wantsNothing()) return false;
    return this.#demandText !== '' || this.#isExpired();
  }

  #wantsNothing(): boolean {
    return this.#demand.peers.length === 0 && this.#demand.producers.length === 0;
  }

  /**
   * Nobody has repeated the demand for long, and no Node has Peers of the Room. While one has, the last demand stands: with
   * signaling gone, calls in progress keep their media.
   */
  #isExpired(): boolean {
    const { config, context, fleet } = this.#options;
    const isSilent = context.clock.now() - this.#refreshedAt >= config.demandTtlMs;
    return isSilent && fleet.peersOf(this.roomId) === 0 && !this.#options.isAwaited();
  }

  /** When there is something to look at again, if nothing happens before. */
  #sleep(now: number): void {
    const { config } = this.#options;
    const expiry = this.#refreshedAt + config.demandTtlMs;
    const next = Math.min(
      this.#retries.next(now) ?? Number.POSITIVE_INFINITY,
      this.#lingerUntil ?? Number.POSITIVE_INFINITY,
      expiry > now ? expiry : now + config.demandTtlMs,
    );
    this.#wakeIn(next - now);
  }

  #wakeIn(ms: number): void {
    this.#cancelWake?.();
    this.#cancelWake = this.#options.context.clock.after(ms, () => this.reconcile());
  }

  #end(): void {
    if (this.#over) return;
    this.stop();
    this.#options.onOver(this);
  }
}

/** The Workers that the demand and the Pipes there are speak of. */
function namedBy(demand: Demand, observed: Observed): Set<WorkerId> {
  const named = new Set<WorkerId>();
  for (const { workerId } of [...demand.peers, ...demand.producers, ...demand.wants]) named.add(workerId);
  for (const { pipeId } of observed.ends) {
    const pipe = workersOf(pipeId);
    if (pipe) named.add(pipe.from).add(pipe.to);
  }
  return named;
}
