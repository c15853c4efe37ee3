/** Members with the real group library around a delivery service that takes the first Commit of an Epoch. */
import { tsMlsLibrary, type EpochKeys, type VerifiedCredential } from '@veilcast/e2ee';
import { ClusterError, type Epoch, type ErrorCode, type PeerId, type RoomId } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { Membership, type CommitBody, type Entry } from './membership.ts';
import type { GroupEvent, GroupWarning } from './messages.ts';

const library = tsMlsLibrary();
const ROOM = 'demo' as RoomId;
/** Credentials that have run out. */
export const expired = new Set<string>();
const validate = (credential: string): Promise<VerifiedCredential | undefined> =>
  Promise.resolve(expired.has(credential) ? undefined : { peerId: credential as PeerId });

export interface Member {
  readonly peerId: PeerId;
  readonly membership: Membership;
  readonly epochs: { readonly keys: EpochKeys; readonly how: Entry }[];
  readonly heard: string[];
  readonly refused: string[];
  readonly lost: boolean[];
  readonly warnings: GroupWarning[];
}

/** As packages/delivery decides, without its deadlines. */
export class Room {
  readonly clock = virtualClock();
  readonly members = new Map<PeerId, Member>();
  readonly inGroup = new Set<PeerId>();
  epoch = 0;
  groupInfo: Uint8Array | undefined;
  ticket = 0;
  rejoins: PeerId[] = [];
  refuseRejoin: ErrorCode | undefined;
  /** Who is told nothing, and what they are not told. */
  readonly hold = new Set<PeerId>();
  readonly held: GroupEvent[] = [];
  /** Runs once, in the middle of the next Commit. */
  before: (() => Promise<void>) | undefined;

  async add(name: string): Promise<Member> {
    const peerId = name as PeerId;
    const leafKey = await library.generateLeafKey();
    const events = { epochs: [], heard: [], refused: [], lost: [], warnings: [] };
    const membership = new Membership(
      library,
      { roomId: ROOM, peerId, leafKey, credential: name, validate },
      {
        commit: (body) => this.#commit(peerId, body),
        message: ({ epoch, sealed }) => this.#message(peerId, epoch, sealed),
        rejoin: () => {
          this.rejoins.push(peerId);
          return this.refuseRejoin ? Promise.reject(new ClusterError(this.refuseRejoin)) : Promise.resolve();
        },
        entered: (keys, how) => member.epochs.push({ keys, how }),
        lost: (final) => member.lost.push(final),
        opened: (sender, plaintext) => member.heard.push(`${sender}: ${new TextDecoder().decode(plaintext)}`),
        refused: (reason) => member.refused.push(reason),
        warned: (warning) => member.warnings.push(warning),
      },
      this.clock,
    );
    const member: Member = { peerId, membership, ...events };
    this.members.set(peerId, member);
    return member;
  }

  async enter(name: string): Promise<Member> {
    const member = this.members.get(name as PeerId) ?? (await this.add(name));
    this.ticket += 1;
    const base = { ticket: this.ticket, epoch: this.epoch as Epoch };
    if (this.groupInfo) this.tell(member, { name: 'groupJoin', body: { ...base, groupInfo: this.groupInfo } });
    else this.tell(member, { name: 'groupCreate', body: base });
    await this.settle();
    return member;
  }

  tell(member: Member, event: GroupEvent): void {
    if (this.hold.has(member.peerId) && event.name === 'groupCommit') {
      this.held.push(event);
      return;
    }
    void member.membership.take(event);
  }

  remove(committer: Member, peers: PeerId[]): void {
    for (const peer of peers) this.inGroup.delete(peer);
    this.tell(committer, { name: 'groupRemove', body: { epoch: this.epoch as Epoch, peers } });
  }

  /** Everything that needs no time is done. The library's own work takes time that no virtual clock sees. */
  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await this.clock.settle();
      for (const member of this.members.values()) await member.membership.rest();
    }
  }

  /** Time passes, a second at most between two looks. */
  async pass(ms: number): Promise<void> {
    for (const until = this.clock.now() + ms; this.clock.now() < until; await this.settle()) {
      await this.clock.advance(Math.min(1000, until - this.clock.now()));
    }
  }

  async passUntil(holds: () => boolean, ms: number): Promise<void> {
    for (const until = this.clock.now() + ms; !holds();) {
      if (this.clock.now() >= until) throw new Error('it did not come to hold');
      await this.pass(1000);
    }
  }

  async #commit(peerId: PeerId, body: CommitBody): Promise<number> {
    const { before } = this;
    this.before = undefined;
    await before?.();
    if (body.epoch !== this.epoch) throw new ClusterError('EPOCH_CONFLICT');
    if (this.hold.has(peerId)) throw new Error('it cannot have an Epoch that it was not told of');
    this.groupInfo = body.groupInfo;
    this.inGroup.add(peerId);
    if (!body.commit) return this.epoch;
    const event: GroupEvent = {
      name: 'groupCommit',
      body: { epoch: this.epoch as Epoch, sender: peerId, commit: body.commit, removes: [...body.removes] },
    };
    this.epoch += 1;
    for (const peer of this.inGroup) if (peer !== peerId) this.tell(this.members.get(peer)!, event);
    return this.epoch;
  }

  #message(peerId: PeerId, epoch: number, sealed: Uint8Array): Promise<void> {
    if (epoch !== this.epoch) return Promise.reject(new ClusterError('EPOCH_CONFLICT'));
    for (const peer of this.inGroup) {
      if (peer === peerId) continue;
      this.tell(this.members.get(peer)!, {
        name: 'groupMessage',
        body: { epoch: epoch as Epoch, sender: peerId, sealed },
      });
    }
    return Promise.resolve();
  }
}

export const last = (member: Member) => member.epochs.at(-1)!;
export const keyOf = (member: Member) => [...last(member).keys.baseKey].join();
