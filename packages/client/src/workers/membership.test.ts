/** One member of a group: what it takes, what it does when it falls behind, and what it says. */
import type { Epoch, PeerId } from '@veilcast/protocol';
import { describe, expect, it } from 'vitest';
import { SAY_PATIENCE_MS } from './membership.ts';
import { expired, keyOf, last, Room } from './room.fixture.ts';
import { ENTER_AGAIN_MS, RETRY_MOST_MS, ROTATE_MS } from './standing.ts';

const text = (value: string) => new TextEncoder().encode(value);
const WRONG = { epoch: 1 as Epoch, sender: 'eve' as PeerId, commit: new Uint8Array(9), removes: [] };

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

  it('gives those who learn of an Epoch by its Commit time, and nobody who made it', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    expect([ada, bob].map((member) => last(member).how.switchAfterMs)).toEqual([0, 0]);
    const eve = await room.enter('eve');
    expect([ada, bob, eve].map((member) => last(member).how.switchAfterMs > 0)).toEqual([true, true, false]);
  });

  it('takes a group that was made anew for what it is, whoever made it', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    expect([ada, bob].flatMap(({ epochs }) => epochs.map(({ how }) => how.newGroup))).toEqual([false, false, false]);
    // Both lose their places, so that nobody is left who could let them in.
    for (const member of [ada, bob]) room.tell(member, { name: 'groupCommit', body: WRONG });
    await room.settle();
    room.inGroup.clear();
    [room.groupInfo, room.epoch] = [undefined, 0];
    await room.enter('ada');
    await room.enter('bob');
    expect([ada, bob].map((member) => [last(member).keys.epoch, last(member).how.newGroup])).toEqual([
      [1, false],
      [1, true],
    ]);
    expect(ada.epochs.at(-2)?.how).toMatchObject({ kind: 'created', newGroup: true });
    expect(keyOf(ada)).toBe(keyOf(bob));
  });

  it('drops its removal when another Commit was first, and follows that one', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    const eve = await room.enter('eve');
    // Bob's removal of Eve reaches the delivery service while Ada's own is on its way.
    room.before = async () => {
      room.remove(bob, [eve.peerId]);
      await bob.membership.rest();
    };
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

  it('goes on asking for a place, each time later, and is back as soon as there is one', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    const asked: number[] = [];
    for (let tries = 0; tries < 12; tries++) {
      const body = { ticket: 90 + tries, epoch: room.epoch as Epoch, groupInfo: Uint8Array.of(1) };
      room.tell(bob, { name: 'groupJoin', body });
      await room.settle();
      const before = room.clock.now();
      const already = room.rejoins.length;
      if (tries > 0) while (room.rejoins.length === already) await room.clock.advance(10);
      asked.push(room.clock.now() - before);
    }
    expect(asked.slice(0, 4)).toEqual([0, 250, 500, 1000]);
    expect(Math.max(...asked)).toBe(RETRY_MOST_MS);
    expect(bob.lost).not.toContain(true);
    await room.enter('bob');
    expect(keyOf(bob)).toBe(keyOf(ada));
  });

  it('gives up for good when its own credential has run out, and says so to whoever wants to speak', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    expired.add('ada');
    try {
      room.tell(ada, {
        name: 'groupCommit',
        body: { epoch: 0 as Epoch, sender: ada.peerId, commit: text('?'), removes: [] },
      });
      await room.settle();
    } finally {
      expired.clear();
    }
    expect(ada.lost).toEqual([true]);
    expect(room.rejoins).toEqual([]);
    await expect(ada.membership.say(text('anyone?'))).rejects.toMatchObject({ code: 'KEYS_FAILED' });
  });

  it('gives up for good when signaling has no place for it', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    room.refuseRejoin = 'NOT_JOINED';
    room.tell(ada, {
      name: 'groupCommit',
      body: { epoch: 0 as Epoch, sender: ada.peerId, commit: text('?'), removes: [] },
    });
    await room.settle();
    expect(ada.lost).toEqual([false, true]);
  });

  it('says what it has to say however many Commits overtake it, until it has caught up', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    // Ada is told of twelve Epochs late: each time she seals for one that is over.
    room.hold.add(ada.peerId);
    for (let n = 0; n < 12; n++) {
      room.remove(bob, []);
      await room.settle();
    }
    const said = ada.membership.say(text('late'));
    room.hold.clear();
    for (const event of room.held) {
      await room.settle();
      room.tell(ada, event);
    }
    await said;
    await room.settle();
    expect(bob.heard).toEqual(['ada: late']);
  });

  it('stops trying to say something when it never catches up', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    room.hold.add(ada.peerId);
    room.remove(bob, []);
    await room.settle();
    const said = ada.membership.say(text('lost'));
    const refused = expect(said).rejects.toMatchObject({ code: 'EPOCH_CONFLICT' });
    await room.pass(SAY_PATIENCE_MS + 1000);
    await refused;
  });

  it('renews its keys every fifteen minutes, each member at a time of its own', async () => {
    const room = new Room();
    const members = [await room.enter('ada'), await room.enter('bob'), await room.enter('eve')];
    await room.pass(ROTATE_MS);
    expect(new Set(members[0].epochs.map(({ keys }) => [...keys.baseKey].join())).size).toBe(3 + 3);
    expect(new Set(members.map(keyOf)).size).toBe(1);
    const rotations = last(members[0]).keys.epoch;
    expect(rotations).toBe(2 + 3);
    expect(
      members[0].epochs
        .filter(({ how }) => how.kind === 'rotated')
        .map(({ how }) => how.by)
        .toSorted(),
    ).toEqual(['ada', 'bob', 'eve']);
    expect(members.flatMap(({ refused }) => refused)).toEqual([]);
  });

  it('asks for no other place while its turn is under way, however long the answer takes', async () => {
    const room = new Room();
    await room.enter('ada');
    let answer: (() => void) | undefined;
    const asked = new Promise<void>((reached) => {
      room.before = () =>
        new Promise((resolve) => {
          answer = resolve;
          reached();
        });
    });
    const bob = await room.add('bob');
    const body = { ticket: 9, epoch: room.epoch as Epoch, groupInfo: room.groupInfo ?? text('') };
    room.tell(bob, { name: 'groupJoin', body });
    await asked;
    for (let n = 0; n < 3; n++) await room.clock.advance(ENTER_AGAIN_MS);
    expect(room.rejoins).toEqual([]);
    answer?.();
    await room.settle();
    expect(bob.epochs).toHaveLength(1);
  });

  it('keeps its place when it is asked to remove somebody who is not there', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    room.remove(ada, ['nobody' as PeerId]);
    room.remove(ada, [ada.peerId]);
    await room.settle();
    expect(ada.refused).toEqual(['unknown-member', 'not-allowed']);
    expect([ada.lost, keyOf(ada)]).toEqual([[], keyOf(bob)]);
  });

  it('rotates again when somebody else was first', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    room.before = async () => {
      room.remove(bob, []);
      await bob.membership.rest();
    };
    await room.passUntil(() => ada.refused.length > 0, ROTATE_MS);
    await room.pass(20_000);
    // Bob's second one is that of his own time.
    expect(ada.epochs.filter(({ how }) => how.kind === 'rotated').map(({ how }) => how.by)).toEqual([
      'bob',
      'bob',
      'ada',
    ]);
    expect(keyOf(ada)).toBe(keyOf(bob));
  });

  it('comes back by itself when Commits are kept from it', async () => {
    const room = new Room();
    const ada = await room.enter('ada');
    const bob = await room.enter('bob');
    room.hold.add(ada.peerId);
    room.remove(bob, []);
    await room.settle();
    await room.passUntil(() => room.rejoins.includes(ada.peerId), 2 * ROTATE_MS);
    expect(ada.refused).toContain('behind');
  });
});
