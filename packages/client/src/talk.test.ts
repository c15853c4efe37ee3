/** What is said between members, through groups that are slow, refuse and break, drawn as applications see it. */
import { ClusterError, type PeerId, type PeerView } from '@veilcast/protocol';
import { virtualClock, type VirtualClock } from '@veilcast/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptySnapshot, People, SnapshotStore } from './snapshot.ts';
import { TalkPicture } from './talk-picture.ts';
import { Talk } from './talk.ts';
import type { GroupStanding } from './workers/messages.ts';

interface Member {
  readonly talk: Talk;
  readonly store: SnapshotStore;
  readonly people: People;
  readonly refused: string[];
  readonly mouth: { say(frame: Uint8Array): Promise<void> };
  peerId: PeerId;
}

/** Everybody hears everybody, unless the way is broken. */
class Room {
  readonly clock: VirtualClock = virtualClock();
  members: Member[] = [];
  epoch = 0;
  /** What the next sendings come to. */
  fates: ('lost' | 'unanswered' | 'refused')[] = [];

  member(name: string): Member {
    const store = new SnapshotStore(emptySnapshot(name), () => undefined);
    const people = new People((list) => store.set({ people: list }));
    const picture = new TalkPicture(store, people);
    const refused: string[] = [];
    const talk: Talk = new Talk({
      clock: this.clock,
      heard: () => undefined,
      changed: () => picture.drawSoon(talk),
      refused: (reason) => refused.push(reason),
    });
    const mouth = { say: (frame: Uint8Array) => this.#carry(member, frame) };
    const member: Member = { talk, store, people, refused, mouth, peerId: name as PeerId };
    void talk.say('profile', { name });
    return member;
  }

  async enter(member: Member, peerId = member.peerId): Promise<void> {
    member.peerId = peerId;
    member.talk.sit(peerId, member.mouth);
    this.members.push(member);
    this.epoch += 1;
    for (const one of this.members) {
      for (const other of this.members) if (other !== one) one.people.join(view(other.peerId));
      one.talk.follow(one.peerId, this.#standing(peerId), one.mouth);
    }
    await this.clock.advance(1_000);
  }

  leave(member: Member): void {
    this.members = this.members.filter((one) => one !== member);
  }

  #standing(by: PeerId): GroupStanding {
    const kind = this.epoch === 1 ? ('created' as const) : ('entered' as const);
    const change = { epoch: this.epoch, at: this.clock.now(), by, kind, added: [by], removed: [] };
    const members = this.members.map(({ peerId }) => peerId);
    return {
      kind: 'epoch',
      epoch: this.epoch,
      members,
      added: [by],
      code: '',
      authenticator: '',
      change,
      suite: '',
      selfLeaf: 0,
    };
  }

  async #carry(from: Member, frame: Uint8Array): Promise<void> {
    await Promise.resolve();
    if (!this.members.includes(from)) throw new ClusterError('DISCONNECTED');
    const fate = this.fates.shift();
    if (fate === 'refused') throw new ClusterError('EPOCH_CONFLICT');
    if (fate !== 'lost') {
      const speaker = { peerId: from.peerId, owner: from.store.snapshot.self.name };
      for (const to of this.members) if (to !== from) to.talk.hear(speaker, frame);
    }
    if (fate === 'unanswered') throw new ClusterError('DEADLINE');
  }
}

const view = (peerId: PeerId): PeerView => ({ peerId, role: 'speaker', producers: [] }) as unknown as PeerView;
const linesOf = ({ store }: Member): string[] => store.snapshot.chat.map(({ text }) => text);

let room: Room;
let ada: Member;
let bob: Member;

beforeEach(async () => {
  room = new Room();
  ada = room.member('Ada');
  bob = room.member('Bob');
  await room.enter(ada);
  await room.enter(bob);
  await room.clock.advance(10_000);
});

describe('talk', () => {
  it('tells names, hands and lines, each from its speaker', async () => {
    await Promise.all([bob.talk.say('hand', { raised: true }), bob.talk.say('chat', { text: 'hello', at: 7 })]);
    await room.clock.settle();
    expect(ada.store.snapshot.people).toMatchObject([{ name: 'Bob', nameAs: undefined, handRaised: true }]);
    expect(ada.store.snapshot.chat).toMatchObject([
      { from: 'Bob', name: 'Bob', text: 'hello', at: 7, own: false, pending: false, as: undefined },
    ]);
    expect(bob.store.snapshot.chat).toMatchObject([{ name: 'Bob', text: 'hello', own: true, pending: false }]);
  });

  it('shows a line of ours as on its way until the server took it, and sends it until then', async () => {
    room.fates = ['refused', 'unanswered', 'lost'];
    let said = false;
    const saying = bob.talk.say('chat', { text: 'hello', at: 7 }).then(() => {
      said = true;
    });
    await room.clock.settle();
    expect(bob.store.snapshot.chat).toMatchObject([{ text: 'hello', pending: true }]);
    expect(said).toBe(false);
    await room.clock.advance(20_000);
    await saying;
    expect(bob.store.snapshot.chat).toMatchObject([{ text: 'hello', pending: false }]);
    expect(linesOf(ada)).toEqual(['hello']);
  });

  it('brings what was said while the connection was away, once, and under the new Peer', async () => {
    await bob.talk.say('chat', { text: 'before', at: 1 });
    room.leave(bob);
    const away = bob.talk.say('chat', { text: 'away', at: 2 });
    await ada.talk.say('chat', { text: 'Bob?', at: 3 });
    await room.clock.advance(5_000);
    await room.enter(bob, 'Bob-2' as PeerId);
    await away;
    await room.clock.advance(10_000);
    expect(linesOf(ada)).toEqual(linesOf(bob));
    expect([...linesOf(ada)].sort()).toEqual(['Bob?', 'away', 'before']);
    const missed = bob.store.snapshot.chat.find(({ text }) => text === 'Bob?');
    expect(missed?.name).toBe('Ada');
  });

  it('says to a newcomer what was said before, and whose memory it is', async () => {
    await bob.talk.say('chat', { text: 'hello', at: 7 });
    const eve = room.member('Eve');
    await room.enter(eve);
    expect(eve.store.snapshot.chat).toMatchObject([
      { name: 'Bob', text: 'hello', own: false, as: { peerId: 'Ada', name: 'Ada' }, disputed: false },
    ]);
    expect(eve.store.snapshot.people.map(({ name, nameAs }) => [name, nameAs])).toEqual([
      ['Ada', undefined],
      ['Bob', 'Ada'],
    ]);
    await room.clock.advance(10_000);
    expect(eve.store.snapshot.people.map(({ nameAs }) => nameAs)).toEqual([undefined, undefined]);
  });

  it('gives what is heard of one kind to whoever listens to it', async () => {
    const heard: string[] = [];
    const stop = ada.talk.on('chat', ({ text }, { by }) => heard.push(`${by}: ${text}`));
    await bob.talk.say('chat', { text: 'one', at: 1 });
    stop();
    await bob.talk.say('chat', { text: 'two', at: 1 });
    expect(heard).toEqual(['Bob: one']);
  });

  it('fails what still waits when the call ends', async () => {
    room.leave(bob);
    const saying = bob.talk.say('chat', { text: 'never', at: 1 });
    bob.talk.close();
    await expect(saying).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(bob.talk.say('chat', { text: 'never', at: 1 })).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('leaves no timer behind', async () => {
    ada.talk.close();
    bob.talk.close();
    await room.clock.settle();
    expect(room.clock.pending()).toBe(0);
  });
});
