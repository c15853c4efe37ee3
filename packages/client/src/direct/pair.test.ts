import type { PeerId, PeerToPeer, Role } from '@veilcast/protocol';
import { describe, expect, it } from 'vitest';
import type { CallSnapshot, Person } from '../call.ts';
import { emptySnapshot } from '../snapshot.ts';
import { pairOf, wouldGoDirectly } from './pair.ts';

const ADA = 'ada' as PeerId;

function snapshot(
  roles: readonly Role[],
  members: readonly string[],
  change: Partial<CallSnapshot> = {},
): CallSnapshot {
  const empty = emptySnapshot('Ada');
  const people = roles.map((role, at) => ({ peerId: `other-${at}`, role }) as unknown as Person);
  return {
    ...empty,
    self: { ...empty.self, peerId: ADA, role: 'host' },
    people,
    encryption: { ...empty.encryption, state: 'encrypted', members: members as PeerId[] },
    ...change,
  };
}

describe('the two of a Room', () => {
  it('are exactly two who may send and who are the whole group', () => {
    expect(pairOf(snapshot(['speaker'], ['ada', 'other-0']))).toEqual({ self: 'ada', other: 'other-0' });
    expect(pairOf(snapshot([], ['ada']))).toBeUndefined();
    expect(pairOf(snapshot(['speaker', 'viewer'], ['ada', 'other-0', 'other-1']))).toBeUndefined();
    expect(pairOf(snapshot(['viewer'], ['ada', 'other-0']))).toBeUndefined();
    // Somebody is in the group yet, or not yet.
    expect(pairOf(snapshot(['speaker'], ['ada', 'other-0', 'ghost']))).toBeUndefined();
    expect(pairOf(snapshot(['speaker'], ['ada']))).toBeUndefined();
    const own = snapshot(['speaker'], ['ada', 'other-0']);
    expect(pairOf({ ...own, self: { ...own.self, role: 'viewer' } })).toBeUndefined();
    expect(pairOf({ ...own, encryption: { ...own.encryption, state: 'waiting' } })).toBeUndefined();
  });
});

describe('whether one would', () => {
  it.each<[PeerToPeer, boolean | undefined, boolean]>([
    ['off', true, false],
    ['off', undefined, false],
    ['asked', true, true],
    ['asked', undefined, false],
    ['asked', false, false],
    ['on', undefined, true],
    ['on', true, true],
    ['on', false, false],
  ])('policy %s, link %s: %s; never with a hidden address', (policy, peerToPeer, would) => {
    expect(wouldGoDirectly(policy, { peerToPeer })).toBe(would);
    expect(wouldGoDirectly(policy, { peerToPeer, hideAddress: true })).toBe(false);
  });
});
