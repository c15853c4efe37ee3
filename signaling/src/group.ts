/**
 * The MLS group of one Room on the server's side: holds the delivery service's state, keeps its time, and looks at the
 * framing of a Commit before the state machine judges it. No key ever comes here (ADR 0006).
 */
import { openDelivery, reduce, type DeliveryEffect, type DeliveryEvent, type DeliveryState } from '@veilcast/delivery';
import {
  ClusterError,
  type Clock,
  type Epoch,
  type ErrorCode,
  type PeerId,
  type RequestBody,
  type RoomId,
} from '@veilcast/protocol';
import type { EffectQueue } from './effect-queue.ts';
import { checkCommit, isOwnKeyPackage, type InspectMessage } from './framing.ts';
import type { SignalingMetrics } from './metrics.ts';

export interface RoomGroupOptions {
  readonly roomId: RoomId;
  readonly clock: Clock;
  readonly metrics: SignalingMetrics;
  readonly effects: EffectQueue;
  readonly inspect: InspectMessage;
  /** The leaf credential that this Peer was given. */
  readonly credentialOf: (peerId: PeerId) => string;
  readonly tell: (effect: Extract<DeliveryEffect, { kind: 'tell' }>) => void;
  readonly evict: (peerId: PeerId, code: ErrorCode) => void;
}

export class RoomGroup {
  readonly #options: RoomGroupOptions;
  #state: DeliveryState = openDelivery();
  #groupId: Uint8Array | undefined;
  #stopTimer: (() => void) | undefined;
  /** Since when a gone member has not been removed; as long as the group at most. */
  readonly #goneSince = new Map<PeerId, number>();

  constructor(options: RoomGroupOptions) {
    this.#options = options;
  }

  get epoch(): Epoch {
    return this.#state.epoch;
  }

  get members(): number {
    return this.#state.members.length;
  }

  enter(peerId: PeerId): void {
    this.#apply({ kind: 'enter', peerId });
  }

  /** `urgent`: it was thrown out, and nobody waits for others who may leave with it. */
  gone(peerId: PeerId, urgent: boolean): void {
    if (this.#state.members.some((member) => member.peerId === peerId)) {
      this.#goneSince.set(peerId, this.#options.clock.now());
    }
    this.#apply({ kind: 'gone', peerId, urgent });
  }

  /** @throws ClusterError */
  rejoin(peerId: PeerId, reply: () => void): void {
    this.#ask({ kind: 'rejoin', peerId }, reply);
  }

  /** @throws ClusterError */
  message(peerId: PeerId, body: RequestBody<'groupMessage'>, reply: () => void): void {
    this.#ask({ kind: 'message', peerId, ...body }, reply);
  }

  /** @throws ClusterError COMMIT_INVALID */
  offer(peerId: PeerId, { keyPackage }: RequestBody<'groupOffer'>, reply: () => void): void {
    const { inspect, credentialOf } = this.#options;
    if (!isOwnKeyPackage(keyPackage, credentialOf(peerId), inspect)) throw new ClusterError('COMMIT_INVALID');
    this.#ask({ kind: 'offer', peerId, keyPackage: keyPackage.slice() }, reply);
  }

  /** @throws ClusterError COMMIT_INVALID, EPOCH_CONFLICT, TICKET_EXPIRED */
  commit(peerId: PeerId, body: RequestBody<'groupCommit'>, reply: (epoch: Epoch) => void): void {
    const { metrics } = this.#options;
    const { epoch, ticket, commit, groupInfo, removes, adds, welcome } = body;
    try {
      // One for another Epoch has lost its race, whatever is in it.
      const groupId = epoch === this.#state.epoch ? this.#checked(peerId, body) : undefined;
      // A copy: what socket.io hands over is a view on a larger buffer, and the GroupInfo is kept.
      const event = { peerId, epoch, ticket, commit, groupInfo: groupInfo.slice(), removes, adds, welcome };
      this.#ask({ kind: 'commit', ...event }, (made) => {
        this.#groupId = groupId ?? this.#groupId;
        metrics.committed('accepted');
        this.#removed(removes);
        reply(made ?? this.#state.epoch);
      });
    } catch (thrown) {
      metrics.committed(ClusterError.of(thrown).code);
      throw thrown;
    }
  }

  stop(): void {
    this.#stopTimer?.();
    this.#goneSince.clear();
  }

  #checked(sender: PeerId, body: RequestBody<'groupCommit'>): Uint8Array {
    const { roomId, inspect, credentialOf } = this.#options;
    const context = {
      roomId,
      groupId: this.#groupId,
      members: this.#state.members,
      sender,
      credentialOf,
    };
    const groupId = checkCommit(body, context, inspect);
    if (groupId === undefined) throw new ClusterError('COMMIT_INVALID');
    return groupId;
  }

  #removed(peers: readonly PeerId[]): void {
    const { metrics, clock } = this.#options;
    for (const peerId of peers) {
      const since = this.#goneSince.get(peerId);
      if (since !== undefined) metrics.removalTook(clock.now() - since);
      this.#goneSince.delete(peerId);
    }
  }

  #ask(event: DeliveryEvent, accepted: (epoch: Epoch | undefined) => void): void {
    const refusal = this.#apply(event, accepted);
    if (refusal !== undefined) throw new ClusterError(refusal);
  }

  #apply(event: DeliveryEvent, accepted?: (epoch: Epoch | undefined) => void): ErrorCode | undefined {
    const { clock, effects } = this.#options;
    const step = reduce(this.#state, event, clock.now());
    this.#state = step.state;
    if (step.refusal === undefined) accepted?.(step.epoch);
    this.#wakeAt(step.wakeAt);
    effects.run(step.effects.map((effect) => () => this.#carryOut(effect)));
    return step.refusal;
  }

  #carryOut(effect: DeliveryEffect): void {
    if (effect.kind === 'tell') return this.#options.tell(effect);
    this.#goneSince.delete(effect.peerId);
    this.#options.evict(effect.peerId, effect.code);
  }

  #wakeAt(at: number | undefined): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    if (at === undefined) return;
    const { clock } = this.#options;
    this.#stopTimer = clock.after(Math.max(0, at - clock.now()), () => this.#apply({ kind: 'tick' }));
  }
}
