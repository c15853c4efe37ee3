/** Where Peers of which Room were placed and what is promised to them: the planner's reservations, kept for this process. */
import { ClusterError, loggable, type PeerId, type RoomId, type WorkerId } from '@veilcast/protocol';
import type { ServiceContext } from '@veilcast/node-kit';
import {
  expire,
  NO_RESERVATIONS,
  place,
  release,
  reservationOf,
  reserve,
  settle,
  withReserved,
  type Demand,
  type Reservations,
  type View,
} from '@veilcast/topology';
import type { CascadeConfig } from './config.ts';
import type { PlaceCall } from './messages.ts';
import type { CascadeMetrics } from './metrics.ts';
import { policyFor } from './room-policy.ts';

/** Peers that may be on their way at a time. More: memory. Fewer: a crowd is refused. */
const RESERVATIONS_MAX = 20_000;
/** After which wait a full cluster may be asked again. */
const FULL_RETRY_MS = 2_000;

export interface PlacementsOptions {
  readonly config: CascadeConfig;
  readonly metrics: CascadeMetrics;
  readonly context: Pick<ServiceContext, 'clock' | 'random' | 'log'>;
  readonly view: () => View;
}

export class Placements {
  readonly #options: PlacementsOptions;
  #reservations: Reservations = NO_RESERVATIONS;

  constructor(options: PlacementsOptions) {
    this.#options = options;
  }

  /** The View with all promises counted in. */
  view(): View {
    return withReserved(this.#options.view(), this.#reservations, this.#options.context.clock.now());
  }

  /**
   * Chooses and reserves. Who asks again for the same Peer could not use the last answer, and gets another if there is one.
   * @throws ClusterError NO_REGION, CLUSTER_FULL, OVERLOADED
   */
  place(demand: Demand, call: PlaceCall): { nodeId: string; workerId: WorkerId; region: string } {
    const { config, context, metrics } = this.#options;
    const { roomId } = demand;
    const now = context.clock.now();
    this.#reservations = expire(this.#reservations, now);
    const last = reservationOf(this.#reservations, roomId, call.peerId, now);
    this.#reservations = release(this.#reservations, roomId, call.peerId);
    if (this.#reservations.size >= RESERVATIONS_MAX) throw new ClusterError('OVERLOADED');
    const view = withReserved(this.#options.view(), this.#reservations, now);
    const avoided = view.nodes.find((node) => node.nodeId === call.avoid)?.workers.map((one) => one.workerId) ?? [];
    const request = {
      role: call.role,
      probes: call.probes,
      region: call.region,
      present: this.#workersOf(demand),
      excluded: new Set([...(last ? [last.workerId] : []), ...avoided]),
    };
    const policy = policyFor(config.policy, call.regions);
    let placed = place(view, request, policy, context.random);
    if (placed.kind === 'refused' && last) {
      placed = place(view, { ...request, excluded: new Set(avoided) }, policy, context.random);
    }
    metrics.placed(placed.kind === 'placed' ? 'placed' : placed.code);
    if (placed.kind === 'refused') {
      context.log.info({ roomId: loggable(roomId), code: placed.code }, 'placement refused');
      throw new ClusterError(placed.code, undefined, placed.code === 'CLUSTER_FULL' ? { retryMs: FULL_RETRY_MS } : {});
    }
    const { workerId, nodeId, region, streams } = placed;
    this.#reservations = reserve(this.#reservations, { roomId, peerId: call.peerId, workerId, streams }, now);
    return { nodeId, workerId, region };
  }

  /** These Peers have come. */
  settle(roomId: RoomId, arrived: readonly { readonly peerId: PeerId }[]): void {
    const { clock } = this.#options.context;
    const peerIds = arrived.map((peer) => peer.peerId);
    this.#reservations = settle(this.#reservations, roomId, peerIds, clock.now());
  }

  /** Whether somebody of the Room is on the way. */
  isAwaited(roomId: RoomId): boolean {
    const now = this.#options.context.clock.now();
    for (const one of this.#reservations.values()) if (one.roomId === roomId && one.expiresAt > now) return true;
    return false;
  }

  /** Where the Room is and how many of it; who is on the way counts from its reservation on, and once. */
  #workersOf({ roomId, peers }: Demand): Map<WorkerId, number> {
    const places = new Map(peers.map(({ peerId, workerId }) => [peerId, workerId]));
    for (const one of this.#reservations.values()) if (one.roomId === roomId) places.set(one.peerId, one.workerId);
    const present = new Map<WorkerId, number>();
    for (const workerId of places.values()) present.set(workerId, (present.get(workerId) ?? 0) + 1);
    return present;
  }
}
