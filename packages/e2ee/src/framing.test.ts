/** What the delivery service reads off messages, and that no bytes make it stumble. */
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Authority, groupOf, library, newAuthority, person, ROOM, seeded } from './fixture.ts';
import { inspect, newGroupId, roomOf } from './framing.ts';
import type { GroupSelf, GroupState, PendingCommit } from './group.ts';

let authority: Authority;
let states: GroupState[];
let dan: GroupSelf;
let joining: PendingCommit;
let removing: PendingCommit;
let sealed: Uint8Array;
beforeAll(async () => {
  authority = await newAuthority();
  const group = await groupOf(authority, ['ada', 'bob', 'cyd']);
  ({ states } = group);
  dan = await person(authority, 'dan');
  joining = await library.joinGroup(dan, group.groupInfo);
  const [ada] = states;
  if (ada === undefined) throw new Error('no group');
  removing = await library.commitRemoval(ada, ['cyd' as never]);
  ({ sealed } = await library.seal(ada, new Uint8Array(10)));
});

describe('inspect', () => {
  it('reads an entry', () => {
    const read = inspect(joining.commit);
    expect(read).toMatchObject({ kind: 'commit', room: ROOM, epoch: 2, external: true, removes: [], path: true });
    expect(read?.credential).toBe(dan.credential);
    expect(read?.sender).toBeUndefined();
  });

  it('reads a removal', () => {
    const read = inspect(removing.commit);
    expect(read).toMatchObject({
      kind: 'commit',
      room: ROOM,
      epoch: 2,
      external: false,
      sender: 0,
      removes: [2],
      path: true,
    });
    expect(read?.credential).toBeUndefined();
  });

  it('reads a GroupInfo, of the Epoch that the Commit makes and of the same group', () => {
    const read = inspect(removing.groupInfo);
    expect(read).toMatchObject({ kind: 'groupInfo', room: ROOM, epoch: 3, external: false, sender: 0 });
    expect(read?.groupId).toEqual(inspect(removing.commit)?.groupId);
    expect(inspect(joining.groupInfo)).toMatchObject({ kind: 'groupInfo', epoch: 3, sender: 3 });
  });

  it('reads of an application message only where it belongs', () => {
    const read = inspect(sealed);
    expect(read).toMatchObject({ kind: 'application', room: ROOM, epoch: 2, external: false });
    expect(read?.sender).toBeUndefined();
  });

  it('refuses messages that are cut anywhere or have more behind them', () => {
    for (const message of [joining.commit, removing.commit, sealed]) {
      for (let length = 0; length < message.length; length += 1 + (length >> 6)) {
        expect(inspect(message.subarray(0, length))).toBeUndefined();
      }
      expect(inspect(Uint8Array.of(...message, 0))).toBeUndefined();
    }
  });

  it('never throws: random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        inspect(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('never throws: real messages with changed bytes', () => {
    const pick = seeded(7);
    for (const message of [joining.commit, joining.groupInfo, removing.commit, sealed]) {
      for (let round = 0; round < 400; round++) {
        const changed = message.slice();
        for (let n = 0; n <= pick(4); n++) changed[pick(round % 2 === 0 ? 120 : changed.length)] = pick(256);
        inspect(changed);
      }
    }
  });

  it('is quick with lengths that lie', () => {
    const head = [0, 1, 0, 1, 0xbf, 0xff, 0xff, 0xff];
    const started = Date.now();
    for (let n = 0; n < 200; n++) inspect(Uint8Array.of(...head, ...new Uint8Array(1000).fill(n)));
    expect(Date.now() - started).toBeLessThan(2000);
  });
});

describe('group ids', () => {
  it('name their Room, and two of one Room differ', () => {
    const [one, other] = [newGroupId('demo'), newGroupId('demo')];
    expect([roomOf(one), roomOf(other)]).toEqual(['demo', 'demo']);
    expect(one).not.toEqual(other);
  });

  it('of other kinds name none', () => {
    expect(roomOf(new Uint8Array(0))).toBe('');
    expect(roomOf(new Uint8Array(17))).toBe('');
    expect(roomOf(new TextEncoder().encode('a-long-id-without-any-break'))).toBe('');
  });
});
