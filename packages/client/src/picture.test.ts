import type { Admission, AnyEvent, PeerId, PeerView } from '@veilcast/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { RoomPicture } from './picture.ts';
import { CHAT_LINES_MAX, KEY_NOTICES_MAX, emptySnapshot, SnapshotStore } from './snapshot.ts';

const BOB = 'bob' as PeerId;
const view = (peerId: string) => ({ peerId, role: 'speaker', producers: [] }) as unknown as PeerView;
const admission = (...peers: string[]) =>
  ({
    roomId: 'demo',
    peerId: 'me',
    role: 'host',
    region: 'eu',
    nodeId: 'eu-1',
    locked: false,
    peers: peers.map(view),
  }) as unknown as Admission;
const event = (name: string, body: unknown) => ({ name, body }) as AnyEvent;
const chat = (id: string, text = id) => ({ kind: 'chat' as const, id, text, at: 1 });

let store: SnapshotStore;
let picture: RoomPicture;

beforeEach(() => {
  store = new SnapshotStore(emptySnapshot('Ada'), () => undefined);
  picture = new RoomPicture(store);
});

describe('the Room as events tell it', () => {
  it('is the admission, and then what events make of it', () => {
    picture.admitted(admission('bob'));
    expect(store.snapshot).toMatchObject({ state: 'joined', room: 'demo', self: { peerId: 'me', node: 'eu-1' } });
    picture.take(event('peerJoined', { peer: view('cleo') }));
    picture.take(event('peerRole', { peerId: 'bob', role: 'viewer' }));
    picture.take(event('peerRole', { peerId: 'me', role: 'speaker' }));
    picture.take(event('roomLocked', { locked: true }));
    picture.take(event('lobby', { waiting: [{ peerId: 'dan', participantId: 'x', name: 'Dan' }] }));
    expect(store.snapshot.people.map(({ peerId, role }) => [peerId, role])).toEqual([
      ['bob', 'viewer'],
      ['cleo', 'speaker'],
    ]);
    expect(store.snapshot).toMatchObject({ locked: true, self: { role: 'speaker' }, lobby: [{ name: 'Dan' }] });
    picture.take(event('peerLeft', { peerId: 'bob', reason: 'left' }));
    expect(store.snapshot.people.map(({ peerId }) => peerId)).toEqual(['cleo']);
  });

  it('keeps the names of those who stayed when we come back as another Peer', () => {
    picture.admitted(admission('bob', 'cleo'));
    picture.heard(BOB, { kind: 'profile', name: 'Bob', handRaised: true });
    picture.admitted(admission('bob', 'dan'));
    expect(store.snapshot.people.map(({ peerId, name }) => [peerId, name])).toEqual([
      ['bob', 'Bob'],
      ['dan', ''],
    ]);
  });

  it('takes no profile of somebody who is not in the Room', () => {
    picture.admitted(admission());
    picture.heard(BOB, { kind: 'profile', name: 'Bob', handRaised: false });
    expect(store.snapshot.people).toEqual([]);
  });
});

describe('chat', () => {
  it('shows a line once, however often it comes, and lets nobody overwrite another’s', () => {
    picture.admitted(admission('bob', 'eve'));
    expect(picture.heard(BOB, chat('1', 'hello'))).toMatchObject({ from: 'bob', text: 'hello' });
    expect(picture.heard(BOB, chat('1', 'goodbye'))).toBeUndefined();
    expect(picture.heard('eve' as PeerId, chat('1', 'mine'))).toMatchObject({ from: 'eve' });
    expect(store.snapshot.chat.map(({ text }) => text)).toEqual(['hello', 'mine']);
  });

  it('is bounded, and keeps the newest', () => {
    for (let line = 0; line < CHAT_LINES_MAX + 10; line++) picture.heard(BOB, chat(`${line}`));
    expect(store.snapshot.chat).toHaveLength(CHAT_LINES_MAX);
    expect(store.snapshot.chat.at(-1)?.id).toBe(`${CHAT_LINES_MAX + 9}`);
  });
});

describe('what is said of the encryption', () => {
  const epoch = {
    kind: 'epoch' as const,
    epoch: 3,
    members: [BOB],
    added: [],
    code: '12345 …',
    authenticator: 'ab',
    change: { epoch: 3, at: 1, by: BOB, kind: 'rotated' as const, added: [], removed: [] },
    suite: 'S',
    selfLeaf: 0,
  };

  it('is encrypted only while there is an Epoch, and shows no code otherwise', () => {
    expect(store.snapshot.encryption.state).toBe('waiting');
    picture.standing(epoch);
    expect(store.snapshot.encryption).toMatchObject({ state: 'encrypted', epoch: 3, code: '12345 …' });
    picture.standing({ kind: 'lost' });
    expect(store.snapshot.encryption).toMatchObject({ state: 'waiting', code: '', members: [] });
    picture.standing({ kind: 'failed' });
    expect(store.snapshot.encryption.state).toBe('failed');
  });

  it('keeps the newest changes of keys and the newest warnings, and no more', () => {
    for (let n = 0; n < KEY_NOTICES_MAX + 5; n++) {
      picture.standing({ ...epoch, epoch: n, change: { ...epoch.change, epoch: n } });
      picture.warned({ kind: 'fork', at: n, epoch: n, peers: [BOB], reason: '' });
    }
    const { changes, warnings } = store.snapshot.encryption;
    expect([changes.length, changes.at(-1)?.epoch]).toEqual([KEY_NOTICES_MAX, KEY_NOTICES_MAX + 4]);
    expect([warnings.length, warnings.at(-1)?.at]).toEqual([KEY_NOTICES_MAX, KEY_NOTICES_MAX + 4]);
  });

  it('goes on counting over new workers, which count from zero', () => {
    picture.counted({ sealed: 10, opened: 5, failures: { 'no-key': 2 } });
    picture.newWorkers();
    picture.counted({ sealed: 3, opened: 1, failures: { 'no-key': 1, forged: 4 } });
    picture.refused('wrong-epoch');
    expect(store.snapshot.encryption).toMatchObject({
      framesSealed: 13,
      framesOpened: 6,
      failures: { 'no-key': 3, forged: 4, 'group-wrong-epoch': 1 },
    });
  });

  it('counts a bounded number of reasons', () => {
    for (let reason = 0; reason < 500; reason++) picture.refused(`${reason}`);
    expect(Object.keys(store.snapshot.encryption.failures).length).toBeLessThan(100);
  });
});
