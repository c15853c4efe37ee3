/** Members with the real group library around a delivery service that takes the first Commit of an Epoch. */
import { tsMlsLibrary, type EpochKeys, type VerifiedCredential } from '@veilcast/e2ee';
import { ClusterError, type Epoch, type PeerId, type RoomId } from '@veilcast/protocol';
import { describe, expect, it } from 'vitest';
import { Membership, type CommitBody, type Entry } from './membership.ts';
import type { GroupEvent } from './messages.ts';

const library = tsMlsLibrary();
const ROOM = 'demo' as RoomId;
const validate = (credential: string): Promise<VerifiedCredential> => Promise.resolve({ peerId: credential as PeerId });

interface Member {
  readonly peerId: PeerId;
  readonly membership: Membership;
  readonly epochs: { readonly keys: EpochKeys; readonly how: Entry }[];
  readonly heard: string[];
  readonly refused: string[];
  readonly lost: boolean[];
  /** What it was told and has done. */
  done: Promise<unknown>;
}

/** As packages/delivery decides, without its deadlines. */
class Room {
  readonly members = new Map<PeerId, Member>();
  readonly inGroup = new Set<PeerId>();
  epoch = 0;
  groupInfo: Uint8Array | undefined;
  ticket = 0;
  rejoins: PeerId[] = [];
  /** Runs once, in the middle of the next Commit. */
  before: (() => void) | undefined;

  async add(name: string): Promise<Member> {
    const peerId = name as PeerId;
    const leafKey = await library.generateLeafKey();
    const events = { epochs: [], heard: [], refused: [], lost: [] };
    const membership = new Membership(
      library,
      { roomId: ROOM, peerId, leafKey, credential: name, validate },
      {
        commit: (body) => this.#commit(peerId, body),
        message: ({ epoch, sealed }) => this.#message(peerId, epoch, sealed),
        rejoin: () => {
          this.rejoins.push(peerId);
          return Promise.resolve();
        },
        entered: (keys, how) => member.epochs.push({ keys, how }),
        lost: (final) => member.lost.push(final),
        opened: (sender, plaintext) => member.heard.push(`${sender}: ${new TextDecoder().decode(plaintext)}`),
        refused: (reason) => member.refused.push(reason),
      },
    );
    const member: Member = { peerId, membership, done: Promise.resolve(), ...events };
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
    member.done = member.membership.take(event);
  }

  remove(committer: Member, peers: PeerId[]): void {
    for (const peer of peers) this.inGroup.delete(peer);
    this.tell(committer, { name: 'groupRemove', body: { epoch: this.epoch as Epoch, peers } });
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 3; round++) for (const member of this.members.values()) await member.done;
  }

  #commit(peerId: PeerId, body: CommitBody): Promise<number> {
    this.before?.();
    this.before = undefined;
    if (body.epoch !== this.epoch) return Promise.reject(new ClusterError('EPOCH_CONFLICT'));
    this.groupInfo = body.groupInfo;
    this.inGroup.add(peerId);
    if (!body.commit) return Promise.resolve(this.epoch);
    const event: GroupEvent = {
      name: 'groupCommit',
      body: { epoch: this.epoch as Epoch, sender: peerId, commit: body.commit, removes: [...body.removes] },
    };
    this.epoch += 1;
    for (const peer of this.inGroup) if (peer !== peerId) this.tell(this.members.get(peer)!, event);
    return Promise.resolve(this.epoch);
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

const last = (member: Member) => member.epochs.at(-1)!;
const keyOf = (member: Member) => [...last(member).keys.baseKey].join();
const text = (value: string) => new TextEncoder().encode(value);

describe('a member', () => {
  it('shares the key of every Epoch with all who are in it, and with nobody who is out', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    const eve = await room.enter('eve');
    expect(new Set([ada, bob, eve].map(keyOf)).size).toBe(1);
    expect(last(ada).how.added).toEqual(['eve']);
    expect(
      last(eve)
        .keys.members.map(({ peerId }) => peerId)
        .sort(),
    ).toEqual(['ada', 'bob', 'eve']);
    const before = keyOf(eve);
    room.remove(ada, [eve.peerId]);
    await room.settle();
    expect(keyOf(ada)).toBe(keyOf(bob));
    expect(keyOf(ada)).not.toBe(before);
    expect(keyOf(eve)).toBe(before);
    expect(last(bob).how.switchAfterMs).toBe(0);
    expect([ada, bob, eve].flatMap(({ lost }) => lost)).toEqual([]);
  });

  it('drops its removal when another Commit was first, and follows that one', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    const eve = await room.enter('eve');
    // Bob's removal of Eve reaches the delivery service while Ada's own is on its way.
    room.before = () => room.remove(bob, [eve.peerId]);
    room.remove(ada, [eve.peerId]);
    await room.settle();
    await room.settle();
    expect(keyOf(ada)).toBe(keyOf(bob));
    expect(last(ada).keys.members.map(({ peerId }) => peerId)).toEqual(['ada', 'bob']);
    expect([...ada.lost, ...bob.lost]).toEqual([]);
    expect([...ada.refused, ...bob.refused]).toEqual(['EPOCH_CONFLICT']);
  });

  it('says things to all others, in order, and waits for its place to do so', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.add('bob');
    const early = bob.membership.say(text('early'));
    await room.enter('bob');
    await early;
    await bob.membership.say(text('second'));
    await room.settle();
    expect(ada.heard).toEqual(['bob: early', 'bob: second']);
    expect(bob.heard).toEqual([]);
  });

  it('does not leave the group for a message that does not open', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    const body = { epoch: room.epoch as Epoch, sender: bob.peerId, sealed: Uint8Array.of(1, 2, 3) };
    room.tell(ada, { name: 'groupMessage', body });
    await room.settle();
    expect(ada.refused).toHaveLength(1);
    expect(ada.lost).toEqual([]);
    await bob.membership.say(text('still here'));
    await room.settle();
    expect(ada.heard).toEqual(['bob: still here']);
  });

  it('asks for a new ticket when a Commit cannot be applied, and is back with it', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    const body = { epoch: room.epoch as Epoch, sender: ada.peerId, commit: Uint8Array.of(9), removes: [] };
    room.tell(bob, { name: 'groupCommit', body });
    await room.settle();
    expect(bob.lost).toEqual([false]);
    expect(room.rejoins).toEqual(['bob']);
    await room.enter('bob');
    expect(keyOf(bob)).toBe(keyOf(ada));
  });

  it('gives up after too many entries that led nowhere, and says so', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    for (let tries = 0; tries < 8; tries++) {
      const body = { epoch: room.epoch as Epoch, sender: 'x' as PeerId, commit: Uint8Array.of(9), removes: [] };
      room.tell(ada, { name: 'groupCommit', body });
      const ticket = { ticket: tries, epoch: room.epoch as Epoch, groupInfo: Uint8Array.of(1) };
      room.tell(ada, { name: 'groupJoin', body: ticket });
      await room.settle();
    }
    expect(ada.lost.at(-1)).toBe(true);
    await expect(ada.membership.say(text('anyone?'))).rejects.toMatchObject({ code: 'KEYS_FAILED' });
  });
});
