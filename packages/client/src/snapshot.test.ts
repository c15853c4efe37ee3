import type { NodeId, ParticipantId, PeerId, PeerView, ProducerId, RegionId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallSnapshot, RemoteTrack } from './call.ts';
import { emptySnapshot, People, same, SnapshotStore } from './snapshot.ts';

const peer = (peerId: string): PeerView => ({
  peerId: peerId as PeerId,
  participantId: 'someone' as ParticipantId,
  role: 'speaker',
  region: 'eu' as RegionId,
  nodeId: 'eu-1' as NodeId,
  producers: [],
});

function open() {
  const told: CallSnapshot[] = [];
  const store = new SnapshotStore(emptySnapshot('Ada'), (snapshot) => told.push(snapshot));
  const people = new People((list) => store.set({ people: list }));
  return { store, people, told };
}

type Action = (people: People) => void;
const ids = fc.constantFrom('a', 'b', 'c').map((id) => id as PeerId);
const action: fc.Arbitrary<Action> = fc.oneof(
  ids.map(
    (id): Action =>
      (people) =>
        people.join(peer(id)),
  ),
  ids.map(
    (id): Action =>
      (people) =>
        people.leave(id),
  ),
  fc.tuple(ids, fc.double({ min: 0, max: 1, noNaN: true })).map(
    ([id, level]): Action =>
      (people) =>
        people.level(id, level),
  ),
  fc.tuple(ids, fc.constantFrom('Ada', 'Bob')).map(
    ([id, name]): Action =>
      (people) =>
        people.profile(id, { name, nameAs: undefined, handRaised: false }),
  ),
  ids.map(
    (id): Action =>
      (people) =>
        people.putTrack(id, {
          producerId: `${id}-1` as ProducerId,
          source: 'camera',
          track: TRACK,
          muted: false,
          state: 'waiting',
          held: false,
        }),
  ),
);
/** Not a plain object: it is compared by identity, as a real track. */
const TRACK = new EventTarget() as MediaStreamTrack;

describe('the snapshot', () => {
  it('is a new object exactly when something differs, and old ones never change', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const { store, people } = open();
        for (const act of actions) {
          const before = store.snapshot;
          const frozen = structuredCloneOf(before);
          act(people);
          const changed = !same(structuredCloneOf(store.snapshot), frozen);
          expect(store.snapshot !== before).toBe(changed);
          expect(structuredCloneOf(before)).toEqual(frozen);
        }
      }),
    );
  });

  it('keeps the objects of people of whom nothing changed', () => {
    const { store, people } = open();
    people.join(peer('a'));
    people.join(peer('b'));
    const [a] = store.snapshot.people;
    people.profile('b' as PeerId, { name: 'Bob', nameAs: undefined, handRaised: true });
    expect(store.snapshot.people[0]).toBe(a);
    expect(store.snapshot.people[1]).toMatchObject({ name: 'Bob', handRaised: true });
  });

  it('tells a burst once, with its end', async () => {
    const { store, people, told } = open();
    people.join(peer('a'));
    people.join(peer('b'));
    store.set({ locked: true });
    await Promise.resolve();
    expect(told).toEqual([store.snapshot]);
    store.set({ locked: true });
    await Promise.resolve();
    expect(told).toHaveLength(1);
  });

  it('does not change for a level that nobody could see', () => {
    const { store, people } = open();
    people.join(peer('a'));
    people.level('a' as PeerId, 0.5);
    const before = store.snapshot;
    people.level('a' as PeerId, 0.51);
    expect(store.snapshot).toBe(before);
  });

  it('leaves a track alone whose person has gone', () => {
    const { store, people } = open();
    people.putTrack('ghost' as PeerId, {} as RemoteTrack);
    people.patchTrack('ghost' as PeerId, 'p' as ProducerId, { muted: true });
    expect(store.snapshot.people).toEqual([]);
  });
});

/** Deep, but with tracks as they are. */
function structuredCloneOf(snapshot: CallSnapshot): unknown {
  return JSON.parse(JSON.stringify(snapshot));
}
