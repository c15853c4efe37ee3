/**
 * One Peer: a person's connection, transports, Producers and Consumers from one join to its end. Scripted as packages/client
 * behaves; when something is lost it is given up as a whole, and the person comes again.
 */
import {
  ClusterError,
  type Admission,
  PROTOCOL_VERSION,
  type Place,
  type AnyEvent,
  type ConsumerId,
  type ProducerId,
  type ProducerView,
  type RequestInput,
  type RequestName,
  type RequestResult,
} from '@veilcast/protocol';
import { Connection } from './connection.ts';
import { Member, type GroupView } from './member.ts';
import type { Site } from './site.ts';
import { tokenOf } from './site.ts';
import type { World } from './world.ts';
import type { Person } from './person.ts';

/** Waits before a Consumer that did not come is asked for again; the last one is repeated. */
const RETRY_PAUSES_MS = [500, 2_000, 5_000] as const;
/** After how long without a sign of life a transport counts as disconnected. */
const ICE_CONSENT_MS = 10_000;

export type Source = 'microphone' | 'camera' | 'screen';

export interface Published {
  readonly source: Source;
  readonly paused: boolean;
}

export class Stay {
  readonly published = new Map<ProducerId, Published>();
  readonly consumers = new Map<ProducerId, ConsumerId>();
  readonly hidden = new Set<ProducerId>();
  /** The others, and what they produce. */
  readonly peers = new Set<string>();
  readonly known = new Map<ProducerId, string>();
  admission: Admission | undefined;
  member: Member | undefined;
  isOver = false;
  readonly #world: World;
  readonly #person: Person;
  readonly #connection: Connection;
  readonly #tries = new Map<ProducerId, number>();
  #early: AnyEvent[] = [];
  #place: Place | undefined;

  constructor(world: World, person: Person, site: Site) {
    this.#world = world;
    this.#person = person;
    this.#connection = new Connection({
      clock: world.clock,
      random: world.random.fork(),
      site,
      caller: { event: (event) => this.#event(event), lost: (error) => this.#lost(error) },
    });
  }

  get peerId(): string {
    return this.admission?.peerId ?? '';
  }

  get groupView(): GroupView | undefined {
    return this.member?.view;
  }

  /** @throws ClusterError */
  async join(region: string | undefined): Promise<void> {
    const { room, name, role } = this.#person;
    const joined = await this.request('join', {
      version: PROTOCOL_VERSION,
      token: tokenOf(room, name, role),
      leafKey: 'A'.repeat(43),
      device: Uint8Array.of(0),
      probes: [],
      ...(region === undefined ? {} : { region }),
    });
    if (joined.status !== 'admitted') throw new ClusterError('DENIED');
    this.#admitted(joined.admission);
  }

  /** @throws ClusterError */
  request<N extends RequestName>(name: N, body: RequestInput<N>): Promise<RequestResult<N>> {
    return this.#connection.request(name, body);
  }

  async publish(source: Source): Promise<void> {
    const kind = source === 'microphone' ? 'audio' : 'video';
    const codec =
      kind === 'audio'
        ? { mimeType: 'audio/opus', payloadType: 100, clockRate: 48_000, channels: 2 }
        : { mimeType: 'video/VP8', payloadType: 101, clockRate: 90_000 };
    const encodings = kind === 'audio' ? [{ ssrc: 1 }] : [{ ssrc: 1 }, { ssrc: 2 }, { ssrc: 3 }];
    const rtpParameters = { codecs: [codec], encodings };
    const { producerId } = await this.request('produce', { kind, source, paused: false, rtpParameters });
    this.published.set(producerId, { source, paused: false });
  }

  async setPaused(producerId: ProducerId, paused: boolean): Promise<void> {
    await this.request(paused ? 'pauseProducer' : 'resumeProducer', { producerId });
    const published = this.published.get(producerId);
    if (published) this.published.set(producerId, { ...published, paused });
  }

  async unpublish(producerId: ProducerId): Promise<void> {
    this.published.delete(producerId);
    await this.request('closeProducer', { producerId });
  }

  /** Says of every Producer whether it is shown. */
  async show(hidden: readonly ProducerId[]): Promise<void> {
    this.hidden.clear();
    for (const producerId of hidden) this.hidden.add(producerId);
    await this.#tiles();
  }

  /** The media ends as the browser ends it: at once, or when nobody hears of it any more. */
  end(how: 'leave' | 'reload' | 'vanish' | 'lost'): void {
    if (this.isOver) return;
    this.isOver = true;
    if (how === 'vanish') this.#connection.vanish();
    else if (how === 'leave') void this.#leave();
    else this.#connection.hangUp();
    const { clock, media } = this.#world;
    const { sendTransport, recvTransport } = this.#place ?? {};
    for (const id of [sendTransport?.id, recvTransport?.id]) {
      const transport = id === undefined ? undefined : media.transport(id);
      if (transport === undefined || !('setDtls' in transport)) continue;
      const browser = transport as unknown as { setDtls(state: string): void; setIce(state: string): void };
      if (how === 'vanish') clock.after(ICE_CONSENT_MS, () => browser.setIce('disconnected'));
      else browser.setDtls('closed');
    }
  }

  async #leave(): Promise<void> {
    await this.request('leave', {}).catch(() => undefined);
    this.#connection.hangUp();
  }

  #lost(error: ClusterError): void {
    if (this.isOver) return;
    this.end('lost');
    this.#person.lost(error);
  }

  #admitted(admission: Admission): void {
    this.admission = admission;
    this.#place = admission;
    const { chronicle, random } = this.#world;
    this.member = new Member(admission, random.fork(), {
      commit: (body) => this.request('groupCommit', body),
      rejoin: () => this.request('groupRejoin', {}),
      entered: (view) => this.#person.entered(view),
    });
    chronicle.note(`${this.#person.name} is ${admission.peerId.slice(0, 9)} on ${admission.nodeId}`);
    for (const peer of admission.peers) {
      this.peers.add(peer.peerId);
      for (const producer of peer.producers) this.#opened(producer);
    }
    for (const event of this.#early.splice(0)) this.#event(event);
    void this.#connect(admission).catch(() => undefined);
  }

  /** All that hung on the old place is gone: what it sends is sent again, and what it gets is asked for again. */
  async #moved(place: Place): Promise<void> {
    this.#world.chronicle.note(`${this.#person.name} moves to ${place.nodeId}`);
    this.#place = place;
    this.published.clear();
    this.consumers.clear();
    this.#tries.clear();
    for (const producerId of this.known.keys()) void this.#consume(producerId);
    await this.#connect(place);
  }

  async #connect({ sendTransport, recvTransport }: Place): Promise<void> {
    const dtlsParameters = { fingerprints: [{ algorithm: 'sha-256', value: 'AA' }] };
    await Promise.all(
      [sendTransport, recvTransport].map(({ id: transportId }) =>
        this.request('connectTransport', { transportId, dtlsParameters }),
      ),
    );
    await Promise.all(this.#person.sources.map((source) => this.publish(source)));
  }

  #event(event: AnyEvent): void {
    if (this.isOver) return;
    if (event.name === 'ended') return this.#lost(ClusterError.fromWire(event.body.error));
    if (this.member === undefined) return void this.#early.push(event);
    if (event.name.startsWith('group')) return this.member.take(event);
    switch (event.name) {
      case 'moved':
        return void this.#moved(event.body.place).catch(() => undefined);
      case 'peerJoined':
        this.peers.add(event.body.peer.peerId);
        for (const producer of event.body.peer.producers) this.#opened(producer);
        return;
      case 'peerLeft':
        this.peers.delete(event.body.peerId);
        for (const [producerId, peerId] of this.known) if (peerId === event.body.peerId) this.#closed(producerId);
        return;
      case 'producerOpened':
        return this.#opened(event.body.producer);
      case 'producerClosed':
        return this.#closed(event.body.producerId);
      case 'consumerClosed':
        if (this.consumers.get(event.body.producerId) !== event.body.consumerId) return;
        this.consumers.delete(event.body.producerId);
        return this.#consumeLater(event.body.producerId);
      default:
    }
  }

  #opened({ producerId, peerId }: ProducerView): void {
    if (this.known.has(producerId)) return;
    this.known.set(producerId, peerId);
    void this.#consume(producerId);
  }

  #closed(producerId: ProducerId): void {
    this.known.delete(producerId);
    this.consumers.delete(producerId);
    this.#tries.delete(producerId);
  }

  #consumeLater(producerId: ProducerId): void {
    const tries = this.#tries.get(producerId) ?? 0;
    this.#tries.set(producerId, tries + 1);
    const wait = RETRY_PAUSES_MS[Math.min(tries, RETRY_PAUSES_MS.length - 1)]!;
    this.#world.clock.after(wait, () => {
      if (this.known.has(producerId) && !this.consumers.has(producerId)) void this.#consume(producerId);
    });
  }

  async #consume(producerId: ProducerId): Promise<void> {
    const rtpCapabilities = this.admission?.routerRtpCapabilities;
    if (this.isOver || rtpCapabilities === undefined) return;
    const answer = await this.request('consume', { producerIds: [producerId], rtpCapabilities }).catch(() => undefined);
    if (this.isOver || !this.known.has(producerId)) return;
    const view = answer?.consumers[0];
    if (view === undefined) return this.#consumeLater(producerId);
    this.consumers.set(producerId, view.consumerId);
    this.#tries.delete(producerId);
    await this.request('resumeConsumers', { consumerIds: [view.consumerId] }).catch(() => undefined);
    await this.#tiles().catch(() => undefined);
  }

  async #tiles(): Promise<void> {
    const tiles = [...this.known.keys()].map((producerId) => {
      return { producerId, width: 320, height: 180, visible: !this.hidden.has(producerId) };
    });
    await this.request('showTiles', { tiles });
  }
}
