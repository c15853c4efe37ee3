/**
 * One stay in the Room as one Peer: its socket, its two workers, its transports. Where the cluster lost its Node or Worker it gets
 * other transports and stays in the group; when its socket or its path is lost the call takes a new Seat and gives this one up.
 */
import {
  ClusterError,
  ConsumerId,
  PROTOCOL_VERSION,
  RegionId,
  type Admission,
  type AnyEvent,
  type Clock,
  type Place,
  type ProducerView,
  type RegionProbe,
} from '@veilcast/protocol';
import { fromBase64Url } from '@veilcast/e2ee/identity';
import { firstAnswer } from './answering.ts';
import { fetchAuthority, type AuthorityPin, type TrustedAuthority } from './authority.ts';
import { deviceProof, type Identity } from './device/identity.ts';
import { pause } from './clock.ts';
import type { Dialer } from './dialer.ts';
import type { ConnectOptions } from './call.ts';
import type { Group } from './group.ts';
import type { VideoCodec } from './media/codec.ts';
import { FormerSeat, goesOn } from './former-seat.ts';
import { GoingOver } from './going-over.ts';
import { isGroupEvent } from './group-event.ts';
import { Publishing } from './media/publishing.ts';
import { Presence } from './presence.ts';
import { Receiving, type ReceivingListeners } from './media/receiving.ts';
import { Layers } from './media/stats.ts';
import { IceServers } from './network/ice-servers.ts';
import { openTransports } from './media/transports.ts';
import type { SeatWorkers } from './prepare.ts';
import { probeRegions } from './probe.ts';
import type { SeatListeners } from './seat-listeners.ts';
import { closeMedia, type SeatMedia } from './seat-media.ts';
import { SignalingSocket, type Signaling } from './socket.ts';
import type { Transforms } from './transforms.ts';
import type { Wire } from './wire.ts';

/** Events that come while the transports are being made. They take milliseconds; this many is an attack. */
const HELD_MAX = 2_000;
/** A goodbye is worth this much waiting. */
const LEAVE_LIMIT_MS = 1_000;

export interface SeatOptions {
  /** Also while it is fetched: most of a join needs none. */
  readonly token: Promise<string>;
  readonly identity: Promise<Identity>;
  /** See ConnectOptions. */
  readonly authorityPin: AuthorityPin | undefined;
  readonly bundle: ConnectOptions['bundle'];
  readonly region: string | undefined;
  readonly queued: ConnectOptions['queued'];
  readonly codec: VideoCodec;
  /** Nothing goes directly, see ConnectOptions. */
  readonly relayOnly: boolean;
  readonly clock: Clock;
  readonly dialer: Dialer;
  /** Taken by this Seat alone, and ended with it. */
  readonly workers: SeatWorkers;
  /** The one that was lost, if any; it is closed when this one shows what it showed. */
  readonly former: () => Seat | undefined;
}

export class Seat {
  readonly layers = new Layers();
  /** For whoever connects in this Peer's name. */
  readonly ice: IceServers;
  readonly #options: SeatOptions;
  readonly #listeners: SeatListeners;
  #socket: SignalingSocket | undefined;
  #authority: TrustedAuthority | undefined;
  #media: SeatMedia | undefined;
  #lostWith: ClusterError | undefined;
  readonly #presence: Presence;
  #held: AnyEvent[] = [];
  /** Counts places: what fails at an older one is over already. */
  #places = 0;
  /** The last place that is being taken. */
  #placing: Promise<void> = Promise.resolve();
  #goingOver: GoingOver | undefined;
  #leaving = false;
  #closed = false;

  constructor(options: SeatOptions, listeners: SeatListeners) {
    this.#options = options;
    this.#listeners = listeners;
    this.#presence = new Presence(options.workers.group);
    this.ice = new IceServers({ ...options, ask: () => this.signaling.request('iceServers', {}) });
    options.workers.transforms.listen({
      counts: (counts) => this.#listeners.counts(counts),
      lock: (consumerId, lock) => this.#listeners.lock(consumerId, lock),
      wantKeyFrames: (consumerIds) => this.#askForKeyFrames(consumerIds),
      wantOwnKeyFrames: (sources) => {
        void this.#media?.publishing.makeKeyFrames(sources);
        this.#listeners.wantOwnKeyFrames(sources);
      },
    });
  }

  get group(): Group {
    return this.#options.workers.group;
  }

  get transforms(): Transforms {
    return this.#options.workers.transforms;
  }

  get signaling(): Signaling {
    if (!this.#socket) throw new ClusterError('NOT_JOINED');
    return this.#socket;
  }

  /** ML-DSA-65 public key of the Authentication Service. @throws ClusterError NOT_JOINED */
  get root(): Uint8Array {
    if (!this.#authority) throw new ClusterError('NOT_JOINED');
    return this.#authority.root;
  }

  /** Why it is of no use any more; undefined while it is. */
  get lostWith(): ClusterError | undefined {
    return this.#lostWith;
  }

  /** Undefined until admitted, and for a moment while moving. */
  get media(): SeatMedia | undefined {
    return this.#media;
  }

  /** Shows and sends for a while what the one before it did. */
  get former(): FormerSeat | undefined {
    return this.#presence.former;
  }

  /** Takes over what goes on of the one before, if anything does. */
  #takeOver(before: Seat | undefined): void {
    if (before?.media === undefined || !goesOn(before.lostWith)) return;
    before.former?.end();
    const { receiving } = before.media;
    const over = (): void => {
      this.#presence.former = undefined;
      this.#media?.receiving.leaveFormer();
      before.close();
      this.#listeners.formerOver();
    };
    const participants = before.#presence.others;
    this.#presence.former = new FormerSeat({ clock: this.#options.clock, participants, receiving, over });
  }

  async leave(): Promise<void> {
    if (this.#closed) return;
    this.#leaving = true;
    const goodbye = this.#socket?.request('leave', {}).catch(() => undefined);
    await Promise.race([goodbye, pause(this.#options.clock, LEAVE_LIMIT_MS)]);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.former?.end();
    this.#socket?.close();
    this.ice.close();
    this.#closeMedia();
    this.#options.workers.end();
    this.#held = [];
  }

  /**
   * Enters the Room, or waits at its door. Everything that needs no answer of another is done at once.
   * @throws ClusterError
   */
  async join(): Promise<void> {
    const { authorityPin, token, dialer, identity, bundle } = this.#options;
    const { urls } = dialer;
    const wire = dialer.dial(identity);
    const probes = probeRegions(urls, {
      fetch: (probeUrl, init) => fetch(probeUrl, init),
      stopwatch: () => performance.now(),
      clock: this.#options.clock,
    });
    try {
      const { ready } = this.#options.workers.transforms;
      const authorityAsked = firstAnswer(urls, (url) => fetchAuthority(url, authorityPin));
      const [leafKey, device, authority, brought] = await Promise.all([
        this.group.leafKey,
        this.#proof(),
        authorityAsked,
        bundle && identity.then(bundle),
        wire,
        ready,
      ]);
      this.#authority = authority;
      const socket = this.#listen(await wire);
      const own = { token: await token, leafKey, device, ...(brought && { bundle: brought }) };
      const where = await this.#where(probes);
      const body = { version: PROTOCOL_VERSION, ...own, ...where, queue: true } as const;
      const answer = await socket.request('join', body, this.#options.queued);
      if (answer.status === 'waiting') this.#listeners.waiting();
      else await this.#take(this.#admit(answer.admission));
    } catch (thrown) {
      // The socket may open after something else has failed.
      void wire.then((late) => late.close()).catch(() => undefined);
      // What the server said last says more than the broken connection.
      throw this.#lostWith ?? ClusterError.of(thrown);
    }
  }

  async #proof(): Promise<Uint8Array> {
    const { token, identity, clock } = this.#options;
    const leaf = fromBase64Url(await this.group.leafKey);
    return deviceProof(await identity, { token: await token, leaf, now: clock.now() });
  }

  /** With a region given nobody waits for the figures: those that are there by then go along. @throws ClusterError NO_REGION */
  async #where(probes: Promise<RegionProbe[]>): Promise<{ probes: RegionProbe[]; region?: RegionId }> {
    if (this.#options.region === undefined) return { probes: await probes };
    const region = RegionId.safeParse(this.#options.region);
    if (!region.success) throw new ClusterError('NO_REGION');
    return { probes: await Promise.race([probes, Promise.resolve([])]), region: region.data };
  }

  #listen(wire: Wire): SignalingSocket {
    const { clock, dialer, identity } = this.#options;
    const listeners = {
      event: (event: AnyEvent) => this.#receive(event),
      lost: (error: ClusterError) => this.#lose(error),
    };
    return (this.#socket = new SignalingSocket(wire, listeners, { clock, dial: () => dialer.dial(identity) }));
  }

  /** A place is taken after the one before it; the first one at once, since the next event may be our ticket. */
  #take(placing: Promise<void>): Promise<void> {
    this.#placing = placing.catch(() => undefined);
    return placing;
  }

  #takeNext(step: () => Promise<void>): void {
    this.#take(this.#placing.then(step)).catch((thrown: unknown) => this.#lose(ClusterError.of(thrown)));
  }

  async #admit(admission: Admission): Promise<void> {
    if (!this.#authority) throw new ClusterError('INTERNAL');
    this.#socket?.admitted(admission.roomId, admission.peerId);
    this.ice.take(admission.ice);
    this.#listeners.seated(admission.peerId);
    // At once: the next event may be our ticket.
    this.group.enter(admission, {
      authority: this.#authority,
      signaling: this.signaling,
      listeners: this.#listeners,
    });
    this.#takeOver(this.#options.former());
    this.#presence.enter(admission, admission.peers);
    const media = await this.#openMedia(admission, this.former?.receiving);
    this.#media = media;
    // Before anything is sent: who comes wants to see the others first.
    for (const peer of admission.peers) for (const producer of peer.producers) this.#producerOpened(producer);
    this.#listeners.admitted(admission, media);
    for (const event of this.#held.splice(0)) this.#dispatch(event);
  }

  /** The same Peer elsewhere. What came from the old place is over; the Producers of the others that live are consumed again. */
  async #move(place: Place): Promise<void> {
    if (this.#closed) return;
    this.former?.end();
    const wanted: readonly ProducerView[] = this.#media?.receiving.wanted() ?? [];
    this.#closeMedia();
    const media = (this.#media = await this.#openMedia(place));
    for (const producer of wanted) media.receiving.producerOpened(producer);
    void this.#listeners.moved(place, media);
    for (const event of this.#held.splice(0)) this.#dispatch(event);
  }

  /** The same Peer elsewhere too: what it has goes on until it comes from there. */
  async #goOver(place: Place): Promise<void> {
    const old = this.#closed ? undefined : this.#media;
    if (!old) return;
    this.former?.end();
    this.#goingOver?.end();
    const media = (this.#media = await this.#openMedia(place, old.receiving));
    for (const producer of old.receiving.wanted()) media.receiving.producerOpened(producer);
    const sent = this.#listeners.moved(place, media);
    this.#goingOver = new GoingOver({ old, media, signaling: this.signaling, clock: this.#options.clock, sent });
  }

  async #openMedia(place: Place, former?: Receiving): Promise<SeatMedia> {
    const { clock, workers, codec } = this.#options;
    const turn = (this.#places += 1);
    if (turn > 1) void this.ice.refresh();
    const failed = (error: ClusterError): void => {
      if (turn === this.#places) this.#lose(error);
    };
    const transports = await openTransports(place, { signaling: this.signaling, clock, ice: this.ice, failed });
    if (this.#closed) {
      transports.close();
      throw new ClusterError('CLOSED');
    }
    const publishing = new Publishing(transports, workers.transforms, this.signaling, { codec });
    const listeners: ReceivingListeners = {
      opened: (received) => this.#listeners.opened(received),
      replaced: (before, received) => {
        this.layers.delete(before.consumerId);
        this.#listeners.replaced(before, received);
      },
      closed: (received) => {
        this.layers.delete(received.consumerId);
        this.#listeners.closed(received);
      },
      undecodable: () => this.#listeners.mediaFailed(new ClusterError('CANNOT_CONSUME')),
    };
    const receiving = new Receiving(transports, workers.transforms, this.signaling, clock, listeners, former);
    return { transports, publishing, receiving };
  }

  #closeMedia(): void {
    this.#goingOver?.end();
    if (this.#media) closeMedia(this.#media);
    this.#media = undefined;
  }

  #receive(event: AnyEvent): void {
    // At once, and in order with the events of the group.
    if (event.name === 'peerJoined') this.#presence.came(event.body.peer);
    if (event.name === 'peerLeft') this.#presence.went(event.body.peerId);
    if (event.name === 'revoked') this.group.revoked(event.body.list);
    else if (isGroupEvent(event)) this.group.take(event);
    else if (event.name === 'ended') this.#lose(ClusterError.fromWire(event.body.error));
    else if (event.name === 'admitted') {
      this.#take(this.#admit(event.body.admission)).catch((thrown: unknown) => this.#lose(ClusterError.of(thrown)));
    } else if (event.name === 'moved') {
      this.#takeNext(() => this.#move(event.body.place));
    } else if (event.name === 'moving') {
      this.#takeNext(() => this.#goOver(event.body.place));
    } else if (this.#media) this.#dispatch(event);
    else if (this.#held.length < HELD_MAX) this.#held.push(event);
    else this.#lose(new ClusterError('OVERLOADED'));
  }

  #producerOpened(producer: ProducerView): void {
    this.#media?.receiving.producerOpened(this.former?.inPlace(producer) ?? producer);
  }

  #dispatch(event: AnyEvent): void {
    const receiving = this.#media?.receiving;
    this.#goingOver?.take(event, this.#presence.self);
    switch (event.name) {
      case 'producerOpened':
        this.#producerOpened(event.body.producer);
        break;
      case 'producerClosed':
        receiving?.producerClosed(event.body.producerId);
        break;
      case 'consumerClosed':
        receiving?.consumerClosed(event.body.producerId, event.body.consumerId);
        break;
      case 'consumerLayers':
        this.layers.put(event.body.consumerId, event.body.spatial, event.body.temporal);
        break;
      case 'producerWatched':
        void this.#media?.publishing.watched(event.body.producerId, event.body.spatial);
        return;
      case 'producerUndecodable':
        this.#media?.publishing
          .undecodable(event.body.producerId)
          .catch((thrown: unknown) => this.#listeners.mediaFailed(ClusterError.of(thrown)));
        return;
      case 'peerLeft':
        receiving?.peerLeft(event.body.peerId);
        break;
      case 'peerJoined':
        this.#listeners.event(event);
        for (const producer of event.body.peer.producers) this.#producerOpened(producer);
        return;
      default:
    }
    this.#listeners.event(event);
  }

  #askForKeyFrames(consumerIds: readonly string[]): void {
    const here = consumerIds.filter((consumerId) => this.#media?.receiving.has(consumerId));
    if (here.length === 0) return;
    this.signaling
      .request('requestKeyFrames', { consumerIds: here.map((consumerId) => ConsumerId.parse(consumerId)) })
      .catch(() => undefined);
  }

  /** The media may still flow: it is left alone until the call closes this Seat. */
  #lose(error: ClusterError): void {
    if (this.#closed || this.#leaving || this.#lostWith) return;
    this.#lostWith = error;
    this.#socket?.close();
    this.#listeners.lost(error);
  }
}
