/**
 * Owns one Room under its Lease: holds the Room and its MLS delivery as values, feeds their reducers, and carries out
 * what they ask for, under the Room's Term. Steps are taken one at a time; what takes time comes back as an event.
 *
 * Ends in one of three ways: nobody is left (everything is given back), the Lease is lost (everything stops where it
 * is: the Nodes obey another), the process stops (media goes on; the Lease is free for another).
 */
import type { EventKind } from '@veilcast/control';
import type { HeldLease } from '@veilcast/node-kit';
import {
  ClusterError,
  loggable,
  type AnyEvent,
  type ErrorCode,
  type PeerId,
  type RequestBody,
  type RoomId,
} from '@veilcast/protocol';
import {
  openRoom,
  peerViews,
  reduce,
  type RoomEffect,
  type RoomEvent,
  type RoomState,
  type Step,
} from '@veilcast/room';
import { ComingOver } from './coming-over.ts';
import { peerToPeerOf, roomPolicyOf } from './config.ts';
import { EffectQueue } from './effect-queue.ts';
import { RoomGroup } from './group.ts';
import type { Entrant, Proven } from './identities.ts';
import { MovingAway } from './moving-away.ts';
import { makeNewPlace } from './moving.ts';
import { displacedWithNode, eventsOfNode, isStray } from './node-events.ts';
import { makePlace, type Arrival, type Made, type MadeMedia } from './placing.ts';
import type { Outbox } from './outbox.ts';
import { RoomCascade } from './room-cascade.ts';
import { RoomLayers } from './room-layers.ts';
import { RoomNodes } from './room-nodes.ts';
import { nodeEffect } from './room-effects.ts';
import type { RoomServices } from './room-services.ts';
import { RoomVoice } from './room-voice.ts';
import type { Comeback, PeerLink, Seat } from './seat.ts';
import type { Seated } from './seated.ts';
import { Seating } from './seating.ts';
import { carryOutRequest } from './requests.ts';

export class RoomOwner {
  readonly roomId: RoomId;
  readonly nodes: RoomNodes;
  readonly group: RoomGroup;
  readonly #services: RoomServices;
  readonly #lease: HeldLease;
  readonly #cascade: RoomCascade;
  readonly #effects: EffectQueue;
  readonly #voice: RoomVoice;
  readonly #layers: RoomLayers;
  readonly #seating: Seating;
  readonly #placing = new Set<Promise<void>>();
  readonly #away: MovingAway;
  readonly #coming: ComingOver;
  #resolveEnded: () => void = () => undefined;
  /** Settles when this owner holds nothing any more. */
  readonly ended = new Promise<void>((resolve) => (this.#resolveEnded = resolve));
  #state: RoomState;
  #phase: 'open' | 'closing' | 'ended' = 'open';

  constructor(roomId: RoomId, lease: HeldLease, services: RoomServices) {
    const { config, clock, repeats, metrics, cluster, inspect } = services;
    const authority = { roomId, term: lease.lease.term };
    this.roomId = roomId;
    this.#services = services;
    this.#lease = lease;
    this.#seating = new Seating({
      clock,
      lost: (peerId, code) => this.#lose(peerId, code),
      run: (peerId, request, reply) => carryOutRequest(this, services, peerId, request, reply),
    });
    this.#effects = new EffectQueue(services.bug);
    this.#voice = new RoomVoice(clock);
    this.#state = openRoom(roomId, roomPolicyOf(config));
    this.#layers = new RoomLayers({
      clock,
      state: () => this.#state,
      tell: (peerIds, event) => this.#tell(peerIds, event),
    });
    this.nodes = new RoomNodes({
      cluster,
      authority,
      repeats,
      metrics,
      isFirst: lease.isFirst,
      stale: () => this.leaseLost(),
    });
    this.#cascade = new RoomCascade({
      cluster,
      authority,
      clock,
      metrics,
      everyMs: config.demandEveryMs,
      state: () => this.#state,
      stale: () => this.leaseLost(),
    });
    this.group = new RoomGroup({
      roomId,
      clock,
      metrics,
      effects: this.#effects,
      inspect,
      credentialOf: (peerId) => this.#seating.get(peerId)?.credential ?? '',
      tell: ({ peerIds, event }) => this.#tell(peerIds, event),
      evict: (peerId, code) => void this.apply({ kind: 'lost', peerId, code }),
    });
    this.#away = new MovingAway({
      ...services,
      cascade: this.#cascade,
      nodes: this.nodes,
      state: () => this.#state,
      arrivalOf: (peerId) => this.#seating.get(peerId)?.arrival,
      apply: (event, accepted) => this.apply(event, accepted),
      announce: (...made) => this.#move(...made, 'moving'),
      mustStand: (...made) => this.#mustStand(...made),
    });
    this.#coming = new ComingOver({ clock, isEmpty: () => this.#state.peers.size === 0, close: () => this.#close() });
  }

  get state(): RoomState {
    return this.#state;
  }

  get open(): boolean {
    return this.#phase === 'open';
  }

  get term(): number {
    return this.#lease.lease.term;
  }

  seated(peerId: PeerId): Seated | undefined {
    return this.#seating.get(peerId);
  }

  /** Lets somebody in, or puts them into the lobby. @throws ClusterError */
  sit(link: PeerLink, entrant: Entrant, body: RequestBody<'join'>): Seat {
    const { random, config } = this.#services;
    const peerId = random.id('peer') as PeerId;
    // Elsewhere than in development the choice of a region is the cluster's.
    const region = config.policy.development ? (body.region ?? '') : '';
    const arrival: Arrival = { peerId, entrant, leafKey: body.leafKey, probes: body.probes, region };
    this.#seating.add(link, arrival);
    const { sub: participantId, role, regions } = entrant;
    const step = this.apply({ kind: 'arrive', peerId, participantId, role, ...(regions && { regions }) }, () => {
      if (this.#state.peers.get(peerId)?.status === 'waiting') this.#seating.get(peerId)?.outbox.waiting();
    });
    if (step.refusal !== undefined) {
      this.#seating.remove(peerId);
      throw new ClusterError(step.refusal);
    }
    return this.#seating.welcome(link, arrival);
  }

  /** A Peer's next socket. @throws ClusterError NOT_JOINED */
  resume(link: PeerLink, comeback: Comeback): Seat {
    if (!this.#lease.isFirst && !this.#seating.get(comeback.peerId)) this.#coming.expect();
    return this.#seating.resume(link, comeback);
  }

  /** Takes one step. `accepted` runs when the event was not refused, before anything that follows is told. */
  apply(event: RoomEvent, accepted?: () => void): Step {
    if (this.#phase === 'ended') return { state: this.#state, effects: [], refusal: 'NOT_OWNER' };
    const step = reduce(this.#state, event, this.#services.clock.now());
    if (step.state !== this.#state) this.#layers.changed();
    this.#state = step.state;
    if (step.refusal === undefined) accepted?.();
    this.#effects.run(step.effects.map((effect) => () => this.#carryOut(effect)));
    return step;
  }

  /** Takes a step that a Peer asked for. @throws ClusterError when it is refused */
  ask(event: RoomEvent, accepted?: () => void): void {
    const { refusal } = this.apply(event, accepted);
    if (refusal !== undefined) throw new ClusterError(refusal);
  }

  /** The Peer says goodbye itself; nobody says it to the Peer. */
  leave(peerId: PeerId, accepted: () => void): void {
    this.#unseat(peerId);
    this.ask({ kind: 'leave', peerId }, accepted);
  }

  nodeEvent(nodeId: string, event: EventKind): void {
    const isSeated = (peerId: PeerId): boolean => this.#seating.get(peerId) !== undefined;
    if (event.case === 'transportChanged' && isStray(this.#state, isSeated, event.value))
      return this.nodes.act(nodeId, 'closePeer', { peerId: event.value.peerId });
    if (event.case === 'peerMustMove') {
      return void this.#away.move(event.value.peerId as PeerId, nodeId).catch(this.#services.bug);
    }
    for (const reaction of eventsOfNode(this.#state, (peerId) => this.#seating.get(peerId), nodeId, event)) {
      if (reaction.kind === 'tell') this.#tell(reaction.peerIds, reaction.event);
      else this.apply(reaction);
    }
  }

  /** What shows whose device a Peer is or was; undefined for somebody who never came. */
  provenOf(peerId: PeerId): Proven | undefined {
    return this.#seating.provenOf(peerId);
  }

  /** Everybody hears it; whose device it was is out. */
  revoked(list: Uint8Array): void {
    const everybody = this.#seating.all().map(([peerId]) => peerId);
    this.#tell(everybody, { name: 'revoked', body: { list } });
    for (const [peerId, { arrival }] of this.#seating.all()) {
      if (!this.#services.identities.isRevoked(arrival.entrant.proven.key)) continue;
      this.#unseat(peerId)?.outbox.end(new ClusterError('REVOKED'));
      this.apply({ kind: 'lost', peerId, code: 'REVOKED' });
    }
  }

  nodeGone(nodeId: string): void {
    for (const event of displacedWithNode(this.#state, nodeId)) this.apply(event);
  }

  /** A Room that nobody entered after all. */
  closeIfEmpty(): void {
    if (this.#state.peers.size === 0 && this.#phase === 'open') this.#coming.emptied();
  }

  /** Another process has taken the Room over: everybody is to join there. */
  leaseLost(): void {
    if (this.#phase === 'ended') return;
    this.#services.metrics.leaseLost();
    this.#services.log.warn({ roomId: loggable(this.roomId), term: this.term }, 'another process took a Room over');
    const links = this.#seating.links();
    this.#stop();
    for (const link of links) link.orphaned();
    void this.#release();
  }

  /** The process stops: media goes on, and another process may take the Room over at once. */
  async shutDown(): Promise<void> {
    if (this.#phase === 'ended') return;
    const links = this.#seating.links();
    this.#stop();
    await this.#release();
    for (const link of links) link.orphaned();
  }

  #carryOut(effect: RoomEffect): void {
    if (this.#phase === 'ended') return;
    switch (effect.kind) {
      case 'place':
        return this.#place(effect.peerId);
      case 'putDemand':
        return this.#cascade.putDemand();
      case 'groupEnter':
        return this.group.enter(effect.peerId);
      case 'groupGone':
        return this.group.gone(effect.peerId, effect.urgent);
      case 'tell':
        return this.#tell(effect.peerIds, effect.event);
      case 'end':
        return this.#unseat(effect.peerId)?.outbox.end(new ClusterError(effect.code));
      case 'closeRoom':
        return this.#coming.emptied();
      default:
        nodeEffect(this.nodes, effect);
    }
  }

  /** Who still waits at the door is not given the Room's key. */
  #tell(peerIds: readonly PeerId[], event: AnyEvent): void {
    const inside: Outbox[] = [];
    for (const peerId of peerIds) {
      const outbox = this.#seating.get(peerId)?.outbox;
      if (outbox !== undefined && this.#state.peers.get(peerId)?.status === 'joined') inside.push(outbox);
      else outbox?.tell(event);
    }
    this.#voice.tell(inside, event);
  }

  #unseat(peerId: PeerId): Seated | undefined {
    this.#voice.somebodyWent();
    return this.#seating.remove(peerId);
  }

  #lose(peerId: PeerId, code: ErrorCode): void {
    this.#unseat(peerId);
    this.apply({ kind: 'lost', peerId, code });
  }

  #place(peerId: PeerId): void {
    const task = this.#makePlace(peerId).catch(this.#services.bug);
    this.#placing.add(task);
    void task.finally(() => this.#placing.delete(task));
  }

  async #makePlace(peerId: PeerId): Promise<void> {
    const peer = this.#state.peers.get(peerId);
    const seated = this.#seating.get(peerId);
    if (peer === undefined || seated === undefined) return;
    const { arrival, gone } = seated;
    const { authority, identities, clock } = this.#services;
    const options = { cascade: this.#cascade, nodes: this.nodes, authority, identities };
    const mustStand = (made: MadeMedia): void => this.#mustStand(peerId, made);
    try {
      // For a Peer that went meanwhile the reducer asks to close what was made.
      if (peer.displaced) {
        const made = await makeNewPlace({ ...options, clock, mustStand, signal: gone.signal }, arrival, peer.role);
        this.apply({ kind: 'placed', peerId, placement: made.placement }, () => this.#move(peerId, made, 'moved'));
      } else {
        const made = await makePlace(options, this.roomId, arrival, peer.role);
        mustStand(made);
        this.apply({ kind: 'placed', peerId, placement: made.placement }, () => this.#admit(peerId, made));
      }
    } catch (thrown) {
      const error = ClusterError.of(thrown);
      if (!(thrown instanceof ClusterError)) this.#services.bug(thrown);
      this.#unseat(peerId)?.outbox.end(error);
      this.apply({ kind: 'lost', peerId, code: error.code });
    }
  }

  /** @throws ClusterError: what was made went while its answer travelled */
  #mustStand(peerId: PeerId, { placement: { nodeId } }: MadeMedia): void {
    const isThere = this.#services.cluster.node(nodeId) !== undefined;
    const early = this.#seating.get(peerId)?.early;
    const over = isThere ? early?.peerGone : 'NODE_UNREACHABLE';
    if (early !== undefined) early.peerGone = undefined;
    if (over === undefined) return;
    this.nodes.act(nodeId, 'closePeer', { peerId });
    throw new ClusterError(over);
  }

  /** The target and all that is needed there, in one message. */
  #move(peerId: PeerId, { media }: MadeMedia, name: 'moved' | 'moving'): void {
    const seated = this.#seating.get(peerId);
    if (seated === undefined) return;
    seated.transports = new Set([media.sendTransport.id, media.recvTransport.id]);
    seated.awaits = media.sendTransport.id;
    seated.outbox.tell({ name, body: { place: media } });
  }

  #admit(peerId: PeerId, { credential, attested, media }: Made): void {
    const peer = this.#state.peers.get(peerId);
    const seated = this.#seating.get(peerId);
    if (peer?.status !== 'joined' || seated === undefined) return;
    const ice = this.#services.turn.listFor({ ...seated.arrival, region: media.region });
    seated.credential = credential;
    seated.transports = new Set([media.sendTransport.id, media.recvTransport.id]);
    seated.outbox.admitted({
      roomId: this.roomId,
      peerId,
      participantId: peer.participantId,
      role: peer.role,
      locked: this.#state.locked,
      ...peerToPeerOf(this.#services.config),
      credential,
      attested,
      ...(ice === undefined ? {} : { ice }),
      ...media,
      peers: [...peerViews(this.#state, peerId)],
    });
  }

  async #close(): Promise<void> {
    if (this.#phase !== 'open') return;
    this.#phase = 'closing';
    this.group.stop();
    // What is being made for somebody who went would otherwise come after the Room was closed.
    await Promise.all(this.#placing);
    await Promise.all([this.#cascade.close(), this.nodes.closeRoom()]);
    if ((this.#phase as string) === 'ended') return;
    this.#stop('closed');
    await this.#release();
  }

  /** A store that does not answer lets the Lease expire. */
  async #release(): Promise<void> {
    await this.#lease.release().catch(() => undefined);
    this.#resolveEnded();
  }

  /** Everything stops; nothing is said to anybody. */
  #stop(why: 'closed' | 'given up' = 'given up'): void {
    this.#phase = 'ended';
    this.#away.stop();
    this.#coming.stop();
    this.group.stop();
    this.#cascade.stop();
    this.#layers.stop();
    if (why === 'given up') this.nodes.stop();
    for (const [peerId] of this.#seating.all()) this.#unseat(peerId);
  }
}
