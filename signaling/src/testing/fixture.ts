/** A signaling process on a real port with the fakes around it, and clients that check every message by its schema. */
import {
  ClusterError,
  parseEvent,
  PeerId,
  PROTOCOL_VERSION,
  REQUESTS,
  RoomId,
  Answer,
  type AnyEvent,
  type EventBody,
  type EventName,
  type RequestInput,
  type RequestName,
  type RequestResult,
} from '@veilcast/protocol';
import { lineOver, openWire, type Wire } from '@veilcast/client/wire';
import { newDevice, proveDevice } from '@veilcast/e2ee/identity';
import type { SigningKey } from '@veilcast/e2ee/pq';
import { systemClock } from '@veilcast/node-kit';
import fastify from 'fastify';
import type { AddressInfo } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import { createAuthority, type Authority } from '../authority.ts';
import { developmentIdentity, type ChannelIdentity } from '../channel-identity.ts';
import type { SignalingConfigInput } from '../config.ts';
import type { InspectMessage } from '../framing.ts';
import { startSignaling, type Signaling } from '../signaling.ts';
import { FakeCascade, FakeNode, openWorld, type World } from './fake-cluster.ts';

export interface FixtureOptions {
  readonly policy?: SignalingConfigInput['policy'];
  readonly limits?: SignalingConfigInput['limits'];
  readonly inspect?: InspectMessage;
  readonly config?: Partial<SignalingConfigInput>;
  /** All processes have one Authentication Service and one root. */
  readonly oneRoot?: boolean;
}

/** Everybody's, unless a test is about devices. */
const DEVICE = newDevice();

export const LEAF_KEY = 'A'.repeat(43);

/** What a client sends with its join. */
export async function deviceFor(token: string, leaf: Uint8Array = new Uint8Array(32)): Promise<Uint8Array> {
  return proveDevice(await DEVICE, { token, leaf, now: Date.now() });
}

/** Long enough for a loaded machine; nothing waits this long when all is well. */
const PATIENCE_MS = 10_000;

export interface Started {
  readonly signaling: Signaling;
  readonly url: string;
  readonly metrics: () => Promise<string>;
  close(): Promise<void>;
}

interface Root {
  readonly authority: Authority;
  readonly identity: ChannelIdentity;
}

async function rootOf(): Promise<Root> {
  const hour = 3_600_000;
  return {
    authority: await createAuthority({ clock: systemClock, tokenTtlMs: hour, credentialTtlMs: hour }),
    identity: await developmentIdentity('test', systemClock),
  };
}

export class Fixture {
  readonly world: World = openWorld();
  readonly eu = new FakeNode('node-eu');
  readonly us = new FakeNode('node-us');
  readonly cascade: FakeCascade;
  readonly clients: Client[] = [];
  readonly #started: Started[] = [];
  readonly #root: Promise<Root> | undefined;
  readonly #options: FixtureOptions;

  private constructor(options: FixtureOptions) {
    this.#options = options;
    this.#root = options.oneRoot === true ? rootOf() : undefined;
    this.cascade = new FakeCascade('cascade', [
      { nodeId: 'node-eu', region: 'eu' },
      { nodeId: 'node-us', region: 'us' },
    ]);
  }

  static async open(options: FixtureOptions = {}): Promise<Fixture> {
    const fixture = new Fixture(options);
    await fixture.eu.open(fixture.world, 'sfu-node', { region: 'eu', probeUrl: 'http://eu.example/probe' });
    await fixture.us.open(fixture.world, 'sfu-node', { region: 'us', probeUrl: 'http://us.example/probe' });
    await fixture.cascade.open(fixture.world, 'cascade-router');
    await fixture.start('sig-1');
    return fixture;
  }

  get main(): Started {
    return this.#started[0]!;
  }

  /** One more signaling process. */
  async start(processId: string): Promise<Started> {
    const { policy, limits, inspect, config } = this.#options;
    const context = this.world.context(processId);
    const app = fastify();
    const { authority, identity } = (await this.#root) ?? {};
    const signaling = await startSignaling({
      ...(authority && identity ? { authority, identity } : {}),
      config: {
        processId,
        address: processId,
        policy: { development: true, firstIsHost: true, ...policy },
        ...(limits ? { limits } : {}),
        ...config,
      },
      context,
      server: app.server,
      ...(inspect ? { inspect } : {}),
    });
    await app.register(signaling.routes);
    await app.listen({ host: '127.0.0.1', port: 0 });
    const started: Started = {
      signaling,
      url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`,
      metrics: () => context.metrics.metrics(),
      close: async () => {
        await signaling.close();
        await app.close();
      },
    };
    this.#started.push(started);
    await until(() => signaling.ready());
    return started;
  }

  async token(room = 'demo', role?: string, regions?: readonly string[]): Promise<string> {
    const response = await fetch(`${this.main.url}/api/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ room, ...(role ? { role } : {}), ...(regions ? { regions } : {}) }),
    });
    return ((await response.json()) as { token: string }).token;
  }

  client(url = this.main.url, device?: SigningKey): Client {
    const client = new Client(url, {}, device);
    this.clients.push(client);
    return client;
  }

  /** A client that is in the Room. */
  async enter(options: { room?: string; role?: string; region?: string; url?: string } = {}): Promise<Client> {
    const client = this.client(options.url);
    await client.join(await this.token(options.room, options.role), options.region);
    return client;
  }

  async metric(line: string): Promise<number> {
    const text = await this.main.metrics();
    const found = text.split('\n').find((one) => one.startsWith(line));
    return Number(found?.split(' ').at(-1) ?? 0);
  }

  async close(): Promise<void> {
    for (const client of this.clients) client.close();
    for (const started of this.#started) await started.close();
    await Promise.all([this.eu.close(), this.us.close(), this.cascade.close()]);
  }
}

export class Client {
  readonly socket: Socket;
  readonly events: AnyEvent[] = [];
  peerId = '';
  ended: string | undefined;
  onEvent: () => void = () => undefined;
  readonly #url: string;
  readonly #device: SigningKey | undefined;
  #wire: Promise<Wire> | undefined;
  /** Seq of the last event; a gap fails the test at the next look. */
  #seq = 0;
  #id = 0;
  #broken: unknown;

  constructor(url: string, options: object = {}, device?: SigningKey) {
    this.#url = url;
    this.#device = device;
    this.socket = io(url, { transports: ['websocket'], forceNew: true, reconnection: false, ...options });
  }

  /** Its sealed channel, opened when it is first needed. @throws ClusterError */
  wire(): Promise<Wire> {
    this.#wire ??= this.#open();
    return this.#wire;
  }

  async #open(): Promise<Wire> {
    const line = lineOver(this.socket);
    const wire = await openWire({ url: this.#url, line, device: this.#device ?? (await DEVICE), clock: systemClock });
    wire.onRecord((raw, shared) => this.#take(raw, shared));
    return wire;
  }

  #take(raw: unknown, shared: boolean): void {
    try {
      const event = parseEvent(shared ? { ...(raw as object), seq: this.#seq + 1 } : raw);
      if (event.seq !== this.#seq + 1) throw new Error(`seq ${event.seq} after ${this.#seq}`);
      this.#seq = event.seq;
      this.events.push(event);
      if (event.name === 'ended') this.ended = event.body.error.code;
      this.onEvent();
    } catch (error) {
      this.#broken = error;
    }
  }

  /** Any message, with whatever in it; the answer is checked by its schema. */
  async raw(message: unknown): Promise<Answer> {
    return Answer.parse(await (await this.wire()).send(message, PATIENCE_MS));
  }

  /** @throws ClusterError as the server refused */
  async request<N extends RequestName>(name: N, body: RequestInput<N>): Promise<RequestResult<N>> {
    this.#id += 1;
    const answer = await this.raw({ id: this.#id, name, body });
    if (!answer.ok) throw ClusterError.fromWire(answer.error);
    return REQUESTS[name].result.parse(answer.result) as RequestResult<N>;
  }

  async join(token: string, region?: string): Promise<RequestResult<'join'>> {
    const device = await deviceFor(token).catch(() => Uint8Array.of(0));
    const body: RequestInput<'join'> = { version: PROTOCOL_VERSION, token, leafKey: LEAF_KEY, device, probes: [] };
    const joined = await this.request('join', region ? { ...body, region } : body);
    if (joined.status === 'admitted') this.peerId = joined.admission.peerId;
    return joined;
  }

  /** The same Peer by another socket, at this url. The former one is left as it is. */
  async resumed(url: string, roomId = 'demo'): Promise<Client> {
    const next = new Client(url, {}, this.#device);
    next.peerId = this.peerId;
    next.#seq = this.#seq;
    next.#id = this.#id;
    await next.request('resume', {
      version: PROTOCOL_VERSION,
      roomId: RoomId.parse(roomId),
      peerId: PeerId.parse(this.peerId),
      seq: this.#seq,
    });
    return next;
  }

  /** As if the network ate it: the server is told nothing. */
  breakOff(): void {
    this.socket.io.engine.close();
  }

  async event<N extends EventName>(name: N, fits: (body: EventBody<N>) => boolean = () => true): Promise<EventBody<N>> {
    const find = (): AnyEvent | undefined =>
      this.events.find((event) => event.name === name && fits(event.body as EventBody<N>));
    await until(() => this.#broken !== undefined || find() !== undefined, `event ${name}`);
    if (this.#broken !== undefined) throw this.#broken;
    return find()!.body as EventBody<N>;
  }

  get lastId(): number {
    return this.#id;
  }

  names(): string[] {
    return this.events.map((event) => event.name);
  }

  close(): void {
    this.socket.disconnect();
  }
}

export async function until(holds: () => boolean | Promise<boolean>, what = 'it'): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} did not come to hold`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
