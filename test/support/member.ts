/**
 * A Peer in Node: it comes in through signaling as any client does, holds a real place in the MLS group, sends no media,
 * and forgets nothing. What somebody could do who kept every key, state and Commit that ever reached them is done with it.
 */
import { openWire, type Wire } from '@veilcast/client/wire';
import {
  credentialValidator,
  tsMlsLibrary,
  type AuthorityKey,
  type EpochKeys,
  type GroupSelf,
  type GroupState,
} from '@veilcast/e2ee';
import { newDevice, proveDevice, type Device } from '@veilcast/e2ee/identity';
import { systemClock } from '@veilcast/node-kit';
import {
  Answer,
  ClusterError,
  parseEvent,
  PROTOCOL_VERSION,
  REQUESTS,
  type Admission,
  type AnyEvent,
  type PeerId,
  type ProducerView,
  type RequestInput,
  type RequestName,
  type RequestResult,
  type Role,
} from '@veilcast/protocol';

const PATIENCE_MS = 15_000;

export const library = tsMlsLibrary();

/** An Epoch's keys and when they came, ms since the epoch. */
export type KeptKeys = EpochKeys & { readonly at: number };

/** A guest's token. */
export async function tokenFor(origin: string, room: string, role: Role = 'speaker'): Promise<string> {
  const response = await fetch(`${origin}/api/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ room, role }),
  });
  return ((await response.json()) as { token: string }).token;
}

/** Requests with their ids over a sealed wire, answers checked by their schemas. */
export class Line {
  readonly #wire: Wire;
  #id = 0;
  #seq = 0;

  private constructor(wire: Wire) {
    this.#wire = wire;
  }

  static async open(origin: string, device?: Device): Promise<Line> {
    return new Line(await openWire({ url: origin, device: device ?? (await newDevice()), clock: systemClock }));
  }

  get open(): boolean {
    return this.#wire.open;
  }

  onEvent(listener: (event: AnyEvent) => void): void {
    this.#wire.onRecord((raw, shared) => {
      this.#seq += 1;
      const event = parseEvent(shared ? { ...(raw as object), seq: this.#seq } : raw);
      if (event.seq !== this.#seq) throw new Error(`event ${event.seq} instead of ${this.#seq}`);
      listener(event);
    });
  }

  close(): void {
    this.#wire.close();
  }

  /** Any message, with whatever in it. */
  async raw(message: unknown): Promise<Answer> {
    return Answer.parse(await this.#wire.send(message, PATIENCE_MS));
  }

  /** @throws ClusterError as the server refused */
  async request<N extends RequestName>(name: N, body: RequestInput<N>): Promise<RequestResult<N>> {
    this.#id += 1;
    const answer = await this.raw({ id: this.#id, name, body });
    if (!answer.ok) throw ClusterError.fromWire(answer.error);
    return REQUESTS[name].result.parse(answer.result) as RequestResult<N>;
  }
}

export class Member {
  readonly line: Line;
  /** Keys of every Epoch it was in, oldest first. */
  readonly keys: KeptKeys[] = [];
  /** Every Commit that it was told of, by the Epoch it ends. */
  readonly commits = new Map<number, Uint8Array>();
  readonly producers: ProducerView[] = [];
  readonly admission: Admission;
  /** Its identity, a guest's. */
  readonly device: Device;
  /** Who waits at the door. */
  waiting: readonly PeerId[] = [];
  readonly #self: GroupSelf;
  #state: GroupState | undefined;
  #work: Promise<void> = Promise.resolve();
  failure: unknown;

  private constructor(line: Line, device: Device, self: GroupSelf, admission: Admission) {
    this.line = line;
    this.device = device;
    this.#self = self;
    this.admission = admission;
    this.producers.push(...admission.peers.flatMap((peer) => peer.producers));
  }

  static async enter(origin: string, room: string, role: Role = 'speaker'): Promise<Member> {
    const device = await newDevice();
    const [leafKey, token, line] = await Promise.all([
      library.generateLeafKey(),
      tokenFor(origin, room, role),
      Line.open(origin, device),
    ]);
    const authority = (await (await fetch(`${origin}/api/authority`)).json()) as AuthorityKey;
    const early: AnyEvent[] = [];
    let take = (event: AnyEvent): void => void early.push(event);
    line.onEvent((event) => take(event));
    const joined = await line.request('join', {
      version: PROTOCOL_VERSION,
      token,
      device: await proveDevice(device, { token, leaf: leafKey.publicKey, now: Date.now() }),
      leafKey: Buffer.from(leafKey.publicKey).toString('base64url'),
      probes: [],
    });
    if (joined.status !== 'admitted') throw new Error('not admitted');
    const { admission } = joined;
    const { roomId, peerId, credential } = admission;
    const validate = credentialValidator(authority, roomId, Date.now);
    const member = new Member(line, device, { roomId, peerId, leafKey, credential, validate }, admission);
    take = (event) => member.#queue(event);
    for (const event of early) take(event);
    return member;
  }

  get leafKey(): GroupSelf['leafKey'] {
    return this.#self.leafKey;
  }

  get peerId(): PeerId {
    return this.#self.peerId;
  }

  /** The newest state, also after leaving. */
  get state(): GroupState {
    if (!this.#state) throw new Error('not in the group yet');
    return this.#state;
  }

  get now(): KeptKeys | undefined {
    return this.keys.at(-1);
  }

  /** Says goodbye; keeps all it knows. */
  async leave(): Promise<void> {
    await this.line.request('leave', {});
    this.line.close();
  }

  #queue(event: AnyEvent): void {
    this.#work = this.#work
      .then(() => this.#take(event))
      .catch((thrown: unknown) => {
        this.failure = thrown;
      });
  }

  async #take({ name, body }: AnyEvent): Promise<void> {
    if (name === 'producerOpened') this.producers.push(body.producer);
    if (name === 'peerJoined') this.producers.push(...body.peer.producers);
    if (name === 'lobby') this.waiting = body.waiting.map(({ peerId }) => peerId);
    if (name === 'groupCreate') {
      const { state, groupInfo } = await library.createGroup(this.#self);
      await this.#commit(state, { epoch: body.epoch, ticket: body.ticket, groupInfo, removes: [] });
    } else if (name === 'groupJoin') {
      const { next, commit, groupInfo } = await library.joinGroup(this.#self, body.groupInfo);
      await this.#commit(next, { epoch: body.epoch, ticket: body.ticket, commit, groupInfo, removes: [] });
    } else if (name === 'groupRemove' && this.#state?.epoch === body.epoch) {
      const { next, commit, groupInfo, removes } = await library.commitRemoval(this.#state, body.peers);
      this.commits.set(body.epoch, commit);
      await this.#commit(next, { epoch: body.epoch, commit, groupInfo, removes: [...removes] });
    } else if (name === 'groupCommit') {
      this.commits.set(body.epoch, body.commit);
      if (this.#state?.epoch === body.epoch)
        await this.#adopt((await library.applyCommit(this.#state, body.commit)).next);
    }
  }

  /** A Commit that lost its race is dropped; the winner's comes as an event. */
  async #commit(next: GroupState, body: RequestInput<'groupCommit'>): Promise<void> {
    try {
      await this.line.request('groupCommit', body);
    } catch (thrown) {
      if (ClusterError.of(thrown).code !== 'EPOCH_CONFLICT') throw thrown;
      return;
    }
    await this.#adopt(next);
  }

  async #adopt(next: GroupState): Promise<void> {
    this.#state = next;
    const keys = await library.epochKeys(next);
    this.keys.push({ ...keys, baseKey: keys.baseKey.slice(), at: Date.now() });
  }
}
