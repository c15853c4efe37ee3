/**
 * What one Room asks of the Nodes, always under its Term (ADR 0004). A question fails to whoever asked it; an act that
 * follows from the Room's state is repeated if it gives something back, so that a Node keeps nothing that the Room forgot.
 */
import type { Authority, BodyInit, CallName, CallResult } from '@veilcast/control';
import { ClusterError } from '@veilcast/protocol';
import type { Cluster } from './cluster.ts';
import type { SignalingMetrics } from './metrics.ts';
import type { Repeats } from './repeats.ts';

/** A closing act is tried so often: for longer than a Node needs to come back on another Channel. */
const CLOSE_TRIES = 15;

/** Who comes back to this Room waits for as long at most. */
const CLOSE_ROOM_MS = 1_000;

const CLOSES: ReadonlySet<CallName> = new Set(['closePeer', 'closeProducer', 'closeConsumers', 'closeRoom']);

export interface RoomNodesOptions {
  readonly cluster: Cluster;
  readonly authority: Authority;
  readonly repeats: Repeats;
  readonly metrics: SignalingMetrics;
  /** Nobody owned the Room before, as far as is known. */
  readonly isFirst: boolean;
  /** A Node has seen a newer Term than ours. */
  readonly stale: () => void;
}

export interface AskOptions {
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
}

interface Trying {
  readonly tries: number;
  readonly deadlineMs?: number | undefined;
  /** Of a close: what it closes. */
  readonly closing?: string | undefined;
}

export class RoomNodes {
  readonly #options: RoomNodesOptions;
  readonly #used = new Set<string>();
  /** Peers being closed on Nodes: a close that is repeated must not close what was opened there after it. */
  readonly #closing = new Set<string>();
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
    if (name === 'openPeer') this.#closing.delete(keyOf(nodeId, body));
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
    const closing = name === 'closePeer' ? keyOf(nodeId, body) : undefined;
    if (closing !== undefined) this.#closing.add(closing);
    void this.#try(nodeId, name, body, { tries: CLOSES.has(name) ? CLOSE_TRIES : 1, closing });
  }

  /**
   * Gives back everything of this Room on every Node: on those that it used, and, since an owner before this one may have died
   * over others, on all that are there. Waits for the first try of each; what a Node that is away did not take is repeated
   * even after the Lease was given back: a Node that has a newer Term refuses it.
   */
  async closeRoom(): Promise<void> {
    const { cluster } = this.#options;
    const left = this.#options.isFirst ? [] : cluster.nodeIds();
    const nodeIds = new Set([...this.#used, ...left]);
    await Promise.all(
      [...nodeIds].map((nodeId) => {
        const how = { tries: CLOSE_TRIES, deadlineMs: CLOSE_ROOM_MS };
        return this.#try(nodeId, 'closeRoom', {}, how);
      }),
    );
  }

  /** Nothing more is asked or repeated: others own the Room, or this process ends. */
  stop(): void {
    this.#stopped = true;
  }

  async #try<N extends CallName>(nodeId: string, name: N, body: BodyInit<N>, how: Trying): Promise<void> {
    const { tries, deadlineMs, closing } = how;
    if (this.#stopped || (closing !== undefined && !this.#closing.has(closing))) return;
    try {
      await this.ask(nodeId, name, body, deadlineMs === undefined ? {} : { deadlineMs });
    } catch (thrown) {
      const error = ClusterError.of(thrown);
      // Gone already is what a close wants.
      const isDone = this.#stopped || (error.code === 'NOT_FOUND' && CLOSES.has(name));
      if (!isDone) this.#options.metrics.effectFailed(name, error.code);
      if (!isDone && error.retry !== 'never' && tries > 1) {
        this.#options.repeats.later(() => void this.#try(nodeId, name, body, { ...how, tries: tries - 1 }));
        return;
      }
    }
    if (closing !== undefined) this.#closing.delete(closing);
  }
}

function keyOf(nodeId: string, body: object): string {
  return `${nodeId} ${'peerId' in body ? String(body.peerId) : ''}`;
}
