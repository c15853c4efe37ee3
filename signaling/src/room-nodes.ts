/**
 * What one Room asks of the Nodes, always under its Term (ADR 0004). A question fails to whoever asked it; an act that
 * follows from the Room's state is repeated if it gives something back, so that a Node keeps nothing that the Room forgot.
 */
import type { Authority, BodyInit, CallName, CallResult } from '@veilcast/control';
import { ClusterError, type Clock } from '@veilcast/protocol';
import type { Cluster } from './cluster.ts';
import type { SignalingMetrics } from './metrics.ts';

/** A closing act is tried so often, so far apart: longer than a Node needs to come back on another Channel. */
const CLOSE_TRIES = 15;
const CLOSE_EVERY_MS = 1_000;
/** Closing acts that wait to be repeated, per Room. More: memory while a Node is away. */
const REPEATS_MAX = 500;

const CLOSES: ReadonlySet<CallName> = new Set(['closePeer', 'closeProducer', 'closeConsumers', 'closeRoom']);

export interface RoomNodesOptions {
  readonly cluster: Cluster;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly metrics: SignalingMetrics;
  /** A Node has seen a newer Term than ours. */
  readonly stale: () => void;
}

export interface AskOptions {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

export class RoomNodes {
  readonly #options: RoomNodesOptions;
  readonly #used = new Set<string>();
  readonly #repeats = new Set<() => void>();
  #stopped = false;

  constructor(options: RoomNodesOptions) {
    this.#options = options;
  }

  /** @throws ClusterError: the Node's, or NODE_UNREACHABLE where there is no Channel to it */
  async ask<N extends CallName>(
    nodeId: string,
    name: N,
    body: BodyInit<N>,
    options: AskOptions = {},
  ): Promise<CallResult<N>> {
    if (this.#stopped) throw new ClusterError('NOT_OWNER');
    const { cluster, authority } = this.#options;
    const channel = cluster.node(nodeId);
    if (channel === undefined) throw new ClusterError('NODE_UNREACHABLE');
    this.#used.add(nodeId);
    try {
      return await channel.request(name, body, { authority, ...options });
    } catch (thrown) {
      const error = ClusterError.of(thrown);
      if (error.code === 'STALE_TERM') this.#options.stale();
      throw error.code === 'CHANNEL_CLOSED' ? new ClusterError('NODE_UNREACHABLE', undefined, { cause: error }) : error;
    }
  }

  /** Carries out an effect; nobody waits for it. */
  act<N extends CallName>(nodeId: string, name: N, body: BodyInit<N>): void {
    void this.#try(nodeId, name, body, CLOSES.has(name) ? CLOSE_TRIES : 1);
  }

  /** Gives back everything of this Room on every Node that it used; waits for the first try of each. */
  async closeRoom(): Promise<void> {
    await Promise.all([...this.#used].map((nodeId) => this.#try(nodeId, 'closeRoom', {}, 1)));
  }

  /** Nothing more is asked or repeated. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#repeats) cancel();
    this.#repeats.clear();
  }

  async #try<N extends CallName>(nodeId: string, name: N, body: BodyInit<N>, tries: number): Promise<void> {
    try {
      await this.ask(nodeId, name, body);
    } catch (thrown) {
      const error = ClusterError.of(thrown);
      // Gone already is what a close wants.
      if (this.#stopped || (error.code === 'NOT_FOUND' && CLOSES.has(name))) return;
      this.#options.metrics.effectFailed(name, error.code);
      if (error.retry !== 'never' && tries > 1 && this.#repeats.size < REPEATS_MAX) {
        this.#later(() => void this.#try(nodeId, name, body, tries - 1));
      }
    }
  }

  #later(run: () => void): void {
    const cancel = this.#options.clock.after(CLOSE_EVERY_MS, () => {
      this.#repeats.delete(cancel);
      run();
    });
    this.#repeats.add(cancel);
  }
}
