/**
 * The processes around signaling, for its tests: real Channels over a memory Carrier, with a Node and a cascade-router
 * that keep books instead of media. What a Node holds is counted, so that a test sees what was not given back.
 */
import {
  acceptChannels,
  eventOf,
  jsonOf,
  memoryHub,
  resultOf,
  type Accepting,
  type Call,
  type CallBody,
  type CallName,
  type ChannelOptions,
  type EventKind,
  type Incoming,
  type MemoryHub,
  type Result,
} from '@veilcast/control';
import { memoryCoordination, MemoryStore, type Coordination } from '@veilcast/coordination';
import {
  createLogger,
  register,
  systemClock,
  systemRandom,
  type Registered,
  type ServiceContext,
} from '@veilcast/node-kit';
import { ClusterError } from '@veilcast/protocol';
import { Registry } from 'prom-client';

export interface World {
  readonly hub: MemoryHub;
  readonly store: MemoryStore;
  readonly log: string[];
  context(name: string): ServiceContext;
}

export function openWorld(): World {
  const hub = memoryHub();
  const store = new MemoryStore(systemClock);
  const log: string[] = [];
  const coordinations = new Map<string, Coordination>();
  return {
    hub,
    store,
    log,
    context: (name) => {
      const coordination = coordinations.get(name) ?? memoryCoordination(store);
      coordinations.set(name, coordination);
      return {
        carrier: hub.carrier(name),
        coordination,
        clock: systemClock,
        random: systemRandom,
        log: createLogger({ service: name, level: 'debug', destination: { write: (line) => void log.push(line) } }),
        metrics: new Registry(),
      };
    },
  };
}

type Answer<N extends CallName> = (body: CallBody<N>, incoming: Incoming) => Promise<Result | void> | Result | void;
type Answers = { [N in CallName]?: Answer<N> };

interface Seen {
  readonly name: CallName;
  readonly term: number;
  readonly roomId: string;
  readonly body: Call['value'];
}

abstract class FakeProcess {
  readonly processId: string;
  /** Replaces what is answered to a call. */
  readonly answers: Answers = {};
  readonly seen: Seen[] = [];
  #accepting: Accepting | undefined;
  #registered: Registered | undefined;

  constructor(processId: string) {
    this.processId = processId;
  }

  protected abstract serve(incoming: Incoming): Promise<Result | void> | Result | void;

  async open(world: World, kind: 'sfu-node' | 'cascade-router', extra: { region?: string; probeUrl?: string } = {}) {
    const context = world.context(this.processId);
    const hello = { kind, processId: this.processId, incarnation: 'inc_1' };
    const options: ChannelOptions = {
      hello,
      clock: context.clock,
      serve: async (incoming) => {
        const { call, authority } = incoming;
        this.seen.push({ name: call.case, term: authority.term, roomId: authority.roomId, body: call.value });
        const answer = this.answers[call.case] as Answer<CallName> | undefined;
        return answer ? answer(call.value, incoming) : this.serve(incoming);
      },
    };
    this.#accepting = await acceptChannels({ ...options, carrier: context.carrier, address: this.processId });
    this.#registered = await register(context, { ...hello, address: this.processId, ...extra });
  }

  calls<N extends CallName>(name: N): CallBody<N>[] {
    return this.seen.filter((one) => one.name === name).map((one) => one.body as CallBody<N>);
  }

  tell(event: EventKind): void {
    for (const channel of this.#accepting?.channels() ?? []) channel.emit(event);
  }

  async close(): Promise<void> {
    await this.#registered?.close();
    await this.#accepting?.close();
  }
}

export const DTLS = { fingerprints: [{ algorithm: 'sha-256', value: 'AA:BB' }] };

export class FakeNode extends FakeProcess {
  readonly peers = new Map<string, string>();
  readonly producers = new Map<string, { peerId: string; roomId: string; kind: string }>();
  readonly consumers = new Map<string, { peerId: string; roomId: string; producerId: string; paused: boolean }>();
  #nextId = 1;

  get holds(): number {
    return this.peers.size + this.producers.size + this.consumers.size;
  }

  gone(
    name: 'peerMustMove' | 'producerGone' | 'consumerGone' | 'peerGone' | 'transportChanged' | 'layersChanged',
    fields: object,
  ): void {
    this.tell(eventOf(name, fields as never) as EventKind);
  }

  protected serve({ call, authority }: Incoming): Result | void {
    const { roomId } = authority;
    switch (call.case) {
      case 'openPeer':
        this.peers.set(call.value.peerId, roomId);
        return resultOf('openedPeer', {
          routerRtpCapabilities: jsonOf({ codecs: [] }),
          send: this.#transport(`${call.value.peerId}.s`),
          recv: this.#transport(`${call.value.peerId}.r`),
        });
      case 'restartIce':
        return resultOf('restartedIce', { iceParameters: jsonOf({ usernameFragment: 'again' }) });
      case 'produce':
        if (!this.peers.has(call.value.peerId)) throw new ClusterError('NOT_FOUND');
        this.producers.set(call.value.producerId, { peerId: call.value.peerId, roomId, kind: call.value.kind });
        return resultOf('produced', {});
      case 'consume':
        return this.#consume(call.value, roomId);
      default:
        return this.#change(call, roomId);
    }
  }

  #consume({ peerId, producerId }: CallBody<'consume'>, roomId: string): Result {
    const kind = FakeNode.everywhere.get(producerId) ?? this.producers.get(producerId)?.kind ?? 'video';
    const consumerId = `cons_${this.processId}_${this.#nextId++}`;
    this.consumers.set(consumerId, { peerId, roomId, producerId, paused: true });
    return resultOf('consumed', {
      consumerId,
      kind,
      type: kind === 'audio' ? 'simple' : 'simulcast',
      rtpParameters: jsonOf({ encodings: [{ scalabilityMode: kind === 'audio' ? 'S1T1' : 'L3T3' }] }),
      producerPaused: false,
      path: [this.processId],
    });
  }

  #change(call: Call, roomId: string): void {
    const drop = (owned: (entry: { peerId: string; roomId: string }, id: string) => boolean): void => {
      for (const [id, entry] of this.consumers) if (owned(entry, id)) this.consumers.delete(id);
      for (const [id, entry] of this.producers) if (owned(entry, id)) this.producers.delete(id);
    };
    switch (call.case) {
      case 'closePeer':
        this.peers.delete(call.value.peerId);
        return drop((entry) => entry.peerId === call.value.peerId);
      case 'closeProducer':
        return drop((_, id) => id === call.value.producerId);
      case 'closeConsumers':
        return drop((_, id) => call.value.consumerIds.includes(id));
      case 'pauseConsumers':
        for (const id of call.value.consumerIds) {
          const consumer = this.consumers.get(id);
          if (consumer) consumer.paused = call.value.paused;
        }
        return;
      case 'closeRoom':
        for (const [peerId, room] of this.peers) if (room === roomId) this.peers.delete(peerId);
        return drop((entry) => entry.roomId === roomId);
      default:
    }
  }

  #transport(id: string) {
    return {
      id,
      iceParameters: jsonOf({ usernameFragment: 'u', password: 'p' }),
      iceCandidates: jsonOf([{ foundation: 'f', address: '127.0.0.1', port: 9, protocol: 'udp', type: 'host' }]),
      dtlsParameters: jsonOf(DTLS),
    };
  }

  /** Kinds of Producers that came by Pipe, by id. */
  static readonly everywhere = new Map<string, string>();
}

export class FakeCascade extends FakeProcess {
  /** Where the next Peer goes; the wanted region's Node if there is one. */
  readonly nodes: readonly { readonly nodeId: string; readonly region: string }[];
  #turn = 0;
  /** Where a Peer was sent last: who asks again could not use it. */
  readonly #last = new Map<string, string>();

  constructor(processId: string, nodes: FakeCascade['nodes']) {
    super(processId);
    this.nodes = nodes;
  }

  protected serve({ call }: Incoming): Result | void {
    if (call.case === 'getPicture')
      return resultOf('gotPicture', { picture: jsonOf({ nodes: [], pipes: [], rooms: [] }) });
    if (call.case !== 'place') return;
    const { region, peerId, avoid } = call.value;
    const left = this.nodes.filter(({ nodeId }) => nodeId !== avoid);
    const others = left.filter(({ nodeId }) => nodeId !== this.#last.get(peerId));
    const nodes = others.length > 0 ? others : left;
    const chosen = nodes.find((node) => node.region === region) ?? nodes[this.#turn++ % nodes.length];
    if (chosen === undefined) throw new ClusterError('CLUSTER_FULL', undefined, { retryMs: 1_000 });
    this.#last.set(peerId, chosen.nodeId);
    return resultOf('placed', { nodeId: chosen.nodeId, workerId: `${chosen.nodeId}/0`, region: chosen.region });
  }
}
