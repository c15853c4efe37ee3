/**
 * What one Room asks of the cascade-routers: a Worker for a Peer, and its demand. The one that answered last is asked
 * first; one that does not own the Room's Plan, or is gone, passes the question to the next.
 *
 * The demand is a level and not an edge: the newest one replaces all before it, is sent at once after a change, and
 * repeated every few seconds, so that nothing depends on a single message.
 */
import type { Authority, BodyInit, CallName, CallResult, Channel } from '@veilcast/control';
import { ClusterError, type Clock, type ErrorCode } from '@veilcast/protocol';
import { demandOf, type RoomState } from '@veilcast/room';
import type { Cluster } from './cluster.ts';
import type { SignalingMetrics } from './metrics.ts';

/** After a demand that nobody took. Shorter: a cascade-router that starts is hammered. */
const RETRY_MS = 250;
/** Longest search for one that takes the Plan: longer than the Lease of one that is dead. Longer: people wait where nobody comes. */
const SEARCH_MS = 4_000;

/** It does not own the Plan, or is gone: another is asked. */
const PASSED_ON: ReadonlySet<ErrorCode> = new Set(['NOT_OWNER', 'CHANNEL_CLOSED']);

export interface RoomCascadeOptions {
  readonly cluster: Cluster;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly metrics: SignalingMetrics;
  readonly everyMs: number;
  readonly state: () => RoomState;
  /** A cascade-router has seen a newer Term than ours. */
  readonly stale: () => void;
}

export class RoomCascade {
  readonly #options: RoomCascadeOptions;
  readonly #stopEvery: () => void;
  #last: Channel | undefined;
  #version = 0n;
  #changed = false;
  #sending = false;
  #stopped = false;
  #stopRetry: (() => void) | undefined;

  constructor(options: RoomCascadeOptions) {
    this.#options = options;
    this.#stopEvery = options.clock.every(options.everyMs, () => this.putDemand());
  }

  /** @throws ClusterError of the last one asked; OVERLOADED where there is none */
  async place(body: Omit<BodyInit<'place'>, 'regions'>): Promise<CallResult<'place'>> {
    const { clock, cluster } = this.#options;
    const until = clock.now() + SEARCH_MS;
    for (;;) {
      try {
        return await this.#ask('place', { ...body, regions: [...this.#options.state().regions] });
      } catch (thrown) {
        const { code } = ClusterError.of(thrown);
        const isSearched = PASSED_ON.has(code) || cluster.cascadeRouters().length === 0;
        if (this.#stopped || !isSearched || clock.now() >= until) throw thrown;
      }
      await new Promise<void>((resolve) => void clock.after(RETRY_MS, resolve));
    }
  }

  /** Sends the present demand soon; calls before it went count as one. */
  putDemand(): void {
    // An empty demand says that the Room is over, and an owner that has just begun knows nothing of the sort.
    if (this.#stopped || (this.#version === 0n && demandOf(this.#options.state()).peers.length === 0)) return;
    this.#changed = true;
    if (!this.#sending) void this.#send();
  }

  /** Sends a last, empty demand: the cascade of this Room comes down. Waits for one try. */
  async close(): Promise<void> {
    this.stop();
    const empty = { version: ++this.#version, peers: [], producers: [], wants: [] };
    await this.#ask('putDemand', empty).catch((thrown: unknown) => this.#failed(thrown));
  }

  stop(): void {
    this.#stopped = true;
    this.#stopEvery();
    this.#stopRetry?.();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    // Everything that the same turn changes goes into one demand.
    await Promise.resolve();
    while (this.#changed && !this.#stopped) {
      this.#changed = false;
      const state = this.#options.state();
      const { peers, producers, wants } = demandOf(state);
      try {
        await this.#ask('putDemand', {
          version: ++this.#version,
          peers: [...peers],
          producers: [...producers],
          wants: [...wants],
          regions: [...state.regions],
        });
      } catch (thrown) {
        this.#failed(thrown);
        this.#stopRetry?.();
        if (!this.#stopped) this.#stopRetry = this.#options.clock.after(RETRY_MS, () => this.putDemand());
        break;
      }
    }
    this.#sending = false;
  }

  #failed(thrown: unknown): void {
    this.#options.metrics.effectFailed('putDemand', ClusterError.of(thrown).code);
  }

  async #ask<N extends CallName>(name: N, body: BodyInit<N>): Promise<CallResult<N>> {
    const { cluster, authority } = this.#options;
    const all = cluster.cascadeRouters();
    const last = this.#last;
    const order = last !== undefined && all.includes(last) ? [last, ...all.filter((one) => one !== last)] : all;
    let failure = new ClusterError('OVERLOADED', 'no cascade-router is there');
    for (const channel of order) {
      try {
        const result = await channel.request(name, body, { authority });
        this.#last = channel;
        return result;
      } catch (thrown) {
        failure = ClusterError.of(thrown);
        if (failure.code === 'STALE_TERM') this.#options.stale();
        if (!PASSED_ON.has(failure.code)) throw failure;
      }
    }
    throw failure;
  }
}
