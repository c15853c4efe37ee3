import type { Admission, AnyEvent, PeerId, PeerView } from '@veilcast/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { RoomPicture } from './picture.ts';
import { KEY_NOTICES_MAX, emptySnapshot, SnapshotStore } from './snapshot.ts';

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
    picture.people.profile(BOB, { name: 'Bob', nameAs: undefined, handRaised: true });
    picture.admitted(admission('bob', 'dan'));
    expect(store.snapshot.people.map(({ peerId, name }) => [peerId, name])).toEqual([
      ['bob', 'Bob'],
      ['dan', ''],
    ]);
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
