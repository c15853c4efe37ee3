/** A client that keeps its place in the MLS group with the real library, as a browser would. */
import {
  credentialValidator,
  groupCode,
  tsMlsLibrary,
  type AuthorityKey,
  type GroupSelf,
  type GroupState,
  type LeafKey,
  type Offer,
} from '@veilcast/e2ee';
import { PROTOCOL_VERSION, type AnyEvent, type RequestInput, type RoomId } from '@veilcast/protocol';
import { deviceFor, type Client, type Fixture } from './fixture.ts';

const library = tsMlsLibrary();

export class GroupMember {
  readonly client: Client;
  readonly #self: GroupSelf;
  state: GroupState | undefined;
  /** Refusals of our own Commits, by code. */
  readonly refused: string[] = [];
  readonly heard: string[] = [];
  /** What it does with a Commit before it is sent. */
  tamper: (body: RequestInput<'groupCommit'>) => RequestInput<'groupCommit'> = (body) => body;
  /** Whom we let in. */
  admitted = 0;
  #offer: Offer | undefined;
  #seen = 0;
  #work: Promise<void> = Promise.resolve();

  private constructor(client: Client, self: GroupSelf) {
    this.client = client;
    this.#self = self;
    const onMessage = (): void => {
      this.#work = this.#work.then(() => this.#next());
    };
    client.onEvent = onMessage;
    onMessage();
  }

  static async enter(fixture: Fixture, room = 'demo'): Promise<GroupMember> {
    const client = fixture.client();
    const leafKey: LeafKey = await library.generateLeafKey();
    const authority = (await (await fetch(`${fixture.main.url}/api/authority`)).json()) as AuthorityKey;
    const token = await fixture.token(room);
    const joined = await client.request('join', {
      version: PROTOCOL_VERSION,
      token,
      device: await deviceFor(token, leafKey.publicKey),
      leafKey: Buffer.from(leafKey.publicKey).toString('base64url'),
      probes: [],
    });
    if (joined.status !== 'admitted') throw new Error('not admitted');
    const { peerId, credential } = joined.admission;
    client.peerId = peerId;
    const roomId = room as RoomId;
    const validate = credentialValidator(authority, roomId, Date.now);
    return new GroupMember(client, { roomId, peerId, leafKey, credential, validate });
  }

  get epoch(): number {
    return this.state?.epoch ?? -1;
  }

  /** The same digits for everybody who has the same keys. */
  async code(): Promise<string> {
    return this.state ? groupCode((await library.epochKeys(this.state)).authenticator) : '';
  }

  async members(): Promise<string[]> {
    return this.state ? (await library.epochKeys(this.state)).members.map(({ peerId }) => peerId).sort() : [];
  }

  async say(text: string): Promise<void> {
    const { next, sealed } = await library.seal(this.state!, new TextEncoder().encode(text));
    this.state = next;
    await this.client.request('groupMessage', { epoch: next.epoch, sealed });
  }

  async #next(): Promise<void> {
    for (; this.#seen < this.client.events.length; this.#seen++) await this.#take(this.client.events[this.#seen]!);
  }

  async #take(event: AnyEvent): Promise<void> {
    if (event.name === 'groupCreate') {
      const { state, groupInfo } = await library.createGroup(this.#self);
      await this.#commit({ epoch: 0, ticket: event.body.ticket, groupInfo, removes: [] }, state);
    } else if (event.name === 'groupJoin') {
      const { next, commit, groupInfo } = await library.joinGroup(this.#self, event.body.groupInfo);
      await this.#commit({ epoch: event.body.epoch, ticket: event.body.ticket, commit, groupInfo, removes: [] }, next);
    } else if (event.name === 'groupRemove' && this.state?.epoch === event.body.epoch) {
      const { next, commit, groupInfo, removes } = await library.commitRemoval(this.state, event.body.peers);
      await this.#commit({ epoch: event.body.epoch, commit, groupInfo, removes: [...removes] }, next);
    } else if (event.name === 'groupOffer') {
      this.#offer = await library.offer(this.#self);
      await this.client.request('groupOffer', { keyPackage: this.#offer.keyPackage });
    } else if (event.name === 'groupAdd' && this.state?.epoch === event.body.epoch) {
      const made = await library.commitAdmission(this.state, event.body.keyPackages);
      const { next, commit, groupInfo, adds, welcome } = made;
      await this.#commit({ epoch: event.body.epoch, commit, groupInfo, removes: [], adds: [...adds], welcome }, next);
      this.admitted += adds.length;
    } else if (event.name === 'groupWelcome' && this.#offer) {
      this.state = await library.joinByWelcome(this.#self, this.#offer, event.body);
    } else if (event.name === 'groupCommit' && this.state?.epoch === event.body.epoch) {
      this.state = (await library.applyCommit(this.state, event.body.commit)).next;
    } else if (event.name === 'groupMessage' && this.state) {
      const opened = await library.open(this.state, event.body.sealed).catch(() => undefined);
      if (opened === undefined) return;
      this.state = opened.next;
      this.heard.push(new TextDecoder().decode(opened.plaintext));
    }
  }

  async #commit(body: RequestInput<'groupCommit'>, next: GroupState): Promise<void> {
    try {
      await this.client.request('groupCommit', this.tamper(body));
      this.state = next;
    } catch (error) {
      this.refused.push((error as { code?: string }).code ?? 'not a ClusterError');
    }
  }
}
