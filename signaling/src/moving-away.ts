/**
 * Moves the Peers of one Room off a Node that drains, each once at a time: makes them another place first and tells them of
 * it, and what they have goes on until they and those who watch them have the same from there (ADR 0031). The Node asks again
 * for whoever is still there, so what fails here is only forgotten.
 */
import { ClusterError, type Clock, type PeerId, type Role } from '@veilcast/protocol';
import type { Peer, RoomEvent, RoomState } from '@veilcast/room';
import type { SignalingMetrics } from './metrics.ts';
import { makeMedia, type Arrival, type MadeMedia, type PlacingOptions } from './placing.ts';

/** For so long a Peer is in two places at most. Longer: a Node drains later. Shorter: slow viewers see a gap. */
export const MOVE_MAX_MS = 10_000;

export interface MovingAwayOptions extends Pick<PlacingOptions, 'cascade' | 'nodes'> {
  readonly clock: Clock;
  readonly metrics: SignalingMetrics;
  readonly state: () => RoomState;
  readonly arrivalOf: (peerId: PeerId) => Arrival | undefined;
  readonly apply: (event: RoomEvent, accepted?: () => void) => unknown;
  /** Tells the Peer its new place. */
  readonly announce: (peerId: PeerId, made: MadeMedia) => void;
  /** @throws ClusterError: what was made is gone already */
  readonly mustStand: (peerId: PeerId, made: MadeMedia) => void;
}

export class MovingAway {
  readonly #options: MovingAwayOptions;
  /** Those for whom a place is made, and the ends of the time of those who have one. */
  readonly #making = new Set<PeerId>();
  readonly #limits = new Map<PeerId, () => void>();
  #stopped = false;

  constructor(options: MovingAwayOptions) {
    this.#options = options;
  }

  /** The Node asks for it. */
  async move(peerId: PeerId, nodeId: string): Promise<void> {
    const { apply, mustStand, announce, arrivalOf } = this.#options;
    const peer = this.#standing(peerId, nodeId);
    const arrival = arrivalOf(peerId);
    if (!peer || !arrival || this.#making.has(peerId) || this.#stopped) return;
    this.#making.add(peerId);
    try {
      const made = await this.#make({ ...arrival, avoid: nodeId }, peer.role);
      mustStand(peerId, made);
      // Whoever went or was moved meanwhile is refused, and what was made is closed again.
      apply({ kind: 'move', peerId, placement: made.placement }, () => {
        announce(peerId, made);
        this.#limit(peerId);
      });
    } catch (thrown) {
      if (!(thrown instanceof ClusterError)) throw thrown;
      this.#options.metrics.effectFailed('move', thrown.code);
    } finally {
      this.#making.delete(peerId);
    }
  }

  /** In the region that was wished for, or, if nobody is left there, in any other. */
  async #make(arrival: Arrival & { readonly avoid: string }, role: Role): Promise<MadeMedia> {
    try {
      return await makeMedia(this.#options, arrival, role);
    } catch (thrown) {
      if (arrival.region === '' || ClusterError.of(thrown).code !== 'NO_REGION') throw thrown;
      return makeMedia(this.#options, { ...arrival, region: '' }, role);
    }
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#limits.values()) cancel();
    this.#limits.clear();
  }

  #standing(peerId: PeerId, nodeId: string): Peer | undefined {
    const peer = this.#options.state().peers.get(peerId);
    const stands = peer?.status === 'joined' && !peer.displaced && !peer.former && peer.placement?.nodeId === nodeId;
    return stands ? peer : undefined;
  }

  #limit(peerId: PeerId): void {
    if (this.#stopped) return;
    this.#limits.get(peerId)?.();
    const cancel = this.#options.clock.after(MOVE_MAX_MS, () => {
      this.#limits.delete(peerId);
      this.#options.apply({ kind: 'moveOver', peerId });
    });
    this.#limits.set(peerId, cancel);
  }
}
