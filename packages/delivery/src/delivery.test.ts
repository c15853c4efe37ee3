/** The cases that the rules were made for, one by one, and what must be refused. */
import { PEERS_MAX, type Epoch, type PeerId } from '@veilcast/protocol';
import { describe, expect, test } from 'vitest';
import {
  COMMITTER_ROUNDS_MAX,
  LEAVE_WINDOW_MS,
  openDelivery,
  reduce,
  REMOVAL_PATIENCE_MS,
  TICKET_LIFETIME_MS,
  TICKET_TRIES_MAX,
  type DeliveryEvent,
  type DeliveryState,
  type DeliveryStep,
} from './index.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'] as [PeerId, PeerId, PeerId, PeerId];
const bytes = (n: number): Uint8Array => new Uint8Array([n]);

type Commit = Extract<DeliveryEvent, { kind: 'commit' }>;

function enter(peerId: PeerId): DeliveryEvent {
  return { kind: 'enter', peerId };
}

function gone(peerId: PeerId): DeliveryEvent {
  return { kind: 'gone', peerId, urgent: true };
}

function left(peerId: PeerId): DeliveryEvent {
  return { kind: 'gone', peerId, urgent: false };
}

/** What an honest member commits now. */
function commit(state: DeliveryState, peerId: PeerId, removes: readonly PeerId[] = []): Commit {
  return {
    kind: 'commit',
    peerId,
    epoch: state.epoch,
    ticket: undefined,
    commit: bytes(1),
    groupInfo: bytes(9),
    removes,
    adds: [],
    welcome: undefined,
  };
}

/** What the holder of the turn commits now. */
function takeTurn(state: DeliveryState): Commit {
  const turn = state.ticket;
  if (!turn) throw new Error('it is nobody’s turn');
  const made = state.groupInfo === undefined ? undefined : bytes(1);
  return { ...commit(state, turn.peerId), ticket: turn.ticket, commit: made };
}

function told(step: DeliveryStep): readonly string[] {
  return step.effects.map((effect) => {
    if (effect.kind === 'evict') return `evict ${effect.peerId} ${effect.code}`;
    const { name, body } = effect.event;
    return `${name}${'epoch' in body ? ` ${body.epoch}` : ''}${'peers' in body ? ` [${body.peers.join()}]` : ''} > ${effect.peerIds.join()}`;
  });
}

/** A group of these, in this order, and nobody waits. */
function groupOf(...peerIds: readonly PeerId[]): DeliveryState {
  let state = openDelivery();
  for (const peerId of peerIds) {
    state = reduce(state, enter(peerId), 0).state;
    state = reduce(state, takeTurn(state), 0).state;
  }
  return state;
}

function run(state: DeliveryState, events: readonly DeliveryEvent[], now = 0): DeliveryState {
  return events.reduce((next, event) => reduce(next, event, now).state, state);
}

describe('entering', () => {
  test('the first makes the group on leaf 0, the next ones join one after another', () => {
    const first = reduce(openDelivery(), enter(a), 0);
    expect(told(first)).toEqual(['groupCreate 0 > a']);
    const queued = run(first.state, [enter(b), enter(c)]);
    expect([queued.ticket?.peerId, queued.queue]).toEqual([a, [b, c]]);
    const made = reduce(queued, takeTurn(queued), 0);
    expect([made.epoch, told(made)]).toEqual([0, ['groupJoin 0 > b']]);
    const joined = reduce(made.state, takeTurn(made.state), 0);
    expect([joined.epoch, told(joined)]).toEqual([1, ['groupCommit 0 > a', 'groupJoin 1 > c']]);
    expect(joined.state.members).toEqual([
      { peerId: a, leaf: 0, since: 0 },
      { peerId: b, leaf: 1, since: 1 },
    ]);
  });

  test('a newcomer takes the leftmost blank leaf', () => {
    let state = run(groupOf(a, b, c), [gone(a)]);
    state = run(state, [commit(state, b, [a]), enter(d)]);
    state = run(state, [takeTurn(state)]);
    expect(state.members.map(({ peerId, leaf }) => [peerId, leaf])).toEqual([
      [d, 0],
      [b, 1],
      [c, 2],
    ]);
  });

  test('who lets its turn pass goes to the end of the queue, and the third time it must go', () => {
    const both = run(groupOf(a), [enter(b), enter(c)]);
    const late = takeTurn(both);
    const passed = reduce(both, { kind: 'tick' }, TICKET_LIFETIME_MS);
    expect([told(passed), passed.state.queue]).toEqual([['groupJoin 0 > c'], [b]]);
    expect(reduce(passed.state, late, TICKET_LIFETIME_MS).refusal).toBe('TICKET_EXPIRED');

    let state = run(groupOf(a), [enter(b)]);
    let last: DeliveryStep | undefined;
    let now = 0;
    for (let tries = 0; tries < TICKET_TRIES_MAX; tries++) {
      // Each turn is twice as long as the one before.
      const ends = now + TICKET_LIFETIME_MS * 2 ** tries;
      expect(told(reduce(state, { kind: 'tick' }, ends - 1))).toEqual([]);
      last = reduce(state, { kind: 'tick' }, ends);
      state = last.state;
      now = ends;
    }
    expect(last && told(last)).toEqual(['evict b KEYS_FAILED']);
    expect(state).toEqual({ ...groupOf(a), nextTicket: state.nextTicket });
    expect(reduce(state, { kind: 'rejoin', peerId: b }, 0).refusal).toBe('NOT_JOINED');
  });

  test('a turn that is not answered rings in time', () => {
    expect(reduce(openDelivery(), enter(a), 7).wakeAt).toBe(7 + TICKET_LIFETIME_MS);
    expect(reduce(groupOf(a), { kind: 'tick' }, 7).wakeAt).toBeUndefined();
  });

  test('the group has a size', () => {
    const crowd = Array.from({ length: PEERS_MAX }, (_, n) => enter(`p${n}` as PeerId));
    const full = run(openDelivery(), crowd);
    expect(reduce(full, enter(a), 0).refusal).toBe('ROOM_FULL');
    expect(reduce(run(full, [gone('p7' as PeerId)]), enter(a), 0).refusal).toBeUndefined();
  });

  test.each<readonly [string, (state: DeliveryState) => Commit, string]>([
    ['an Epoch that is not this one', (state) => ({ ...takeTurn(state), epoch: 5 as Epoch }), 'EPOCH_CONFLICT'],
    ['no Commit', (state) => ({ ...takeTurn(state), commit: undefined }), 'COMMIT_INVALID'],
    ['a removal', (state) => ({ ...takeTurn(state), removes: [a] }), 'COMMIT_INVALID'],
    ['a ticket of before', (state) => ({ ...takeTurn(state), ticket: 0 }), 'EPOCH_CONFLICT'],
    ['the ticket of another', (state) => ({ ...takeTurn(state), peerId: d }), 'TICKET_EXPIRED'],
    ['no ticket', (state) => ({ ...takeTurn(state), ticket: undefined }), 'COMMIT_INVALID'],
  ])('with %s is refused', (_what, event, refusal) => {
    const state = run(groupOf(a, b), [enter(c), enter(d)]);
    expect(reduce(state, event(state), 0)).toMatchObject({ refusal, state, effects: [] });
  });

  test('to make a group takes no Commit and no other Epoch', () => {
    const state = run(openDelivery(), [enter(a)]);
    expect(reduce(state, { ...takeTurn(state), commit: bytes(1) }, 0).refusal).toBe('COMMIT_INVALID');
    expect(reduce(state, { ...takeTurn(state), epoch: 1 as Epoch }, 0).refusal).toBe('EPOCH_CONFLICT');
  });
});

describe('removing', () => {
  test('falls to the lowest leaf, then to the next after the patience, then to the lowest again', () => {
    const first = reduce(groupOf(a, b, c), gone(b), 0);
    expect([told(first), first.wakeAt]).toEqual([['groupRemove 2 [b] > a'], REMOVAL_PATIENCE_MS]);
    const second = reduce(first.state, { kind: 'tick' }, REMOVAL_PATIENCE_MS);
    expect(told(second)).toEqual(['groupRemove 2 [b] > c']);
    expect(told(reduce(second.state, { kind: 'tick' }, 2 * REMOVAL_PATIENCE_MS))).toEqual(['groupRemove 2 [b] > a']);
  });

  test('takes all who are gone at once, and a late leaver does not start the patience anew', () => {
    const state = run(groupOf(a, b, c, d), [gone(b)]);
    const both = reduce(state, gone(c), 200);
    expect([told(both), both.wakeAt]).toEqual([['groupRemove 3 [b,c] > a'], REMOVAL_PATIENCE_MS]);
    const done = reduce(both.state, commit(both.state, a, [b, c]), 250);
    expect([told(done), done.epoch, done.wakeAt]).toEqual([['groupCommit 3 > d'], 4, undefined]);
  });

  test('waits a moment for others who leave too, and takes them in one Commit', () => {
    const first = reduce(groupOf(a, b, c, d), left(b), 0);
    expect([told(first), first.wakeAt]).toEqual([[], LEAVE_WINDOW_MS]);
    const second = reduce(first.state, left(c), LEAVE_WINDOW_MS - 1);
    expect([told(second), second.wakeAt]).toEqual([[], LEAVE_WINDOW_MS]);
    expect(told(reduce(second.state, { kind: 'tick' }, LEAVE_WINDOW_MS))).toEqual(['groupRemove 3 [b,c] > a']);
  });

  test('waits for nobody when one was thrown out or lost its place, nor once it is asked for', () => {
    const state = run(groupOf(a, b, c, d), [left(b)]);
    expect(told(reduce(state, gone(c), 1))).toEqual(['groupRemove 3 [b,c] > a']);
    expect(told(reduce(state, { kind: 'rejoin', peerId: c }, 1))).toEqual(['groupRemove 3 [b,c] > a']);
    const asked = run(groupOf(a, b, c, d), [gone(b)]);
    expect(told(reduce(asked, left(c), 1))).toEqual(['groupRemove 3 [b,c] > a']);
    const done = run(asked, [left(c), commit(asked, a, [b])]);
    expect(told(reduce(done, { kind: 'tick' }, 1))).toEqual([]);
    expect(done.removal?.peers).toEqual([c]);
  });

  test('costs nobody its turn while others are waited for', () => {
    const turn = run(groupOf(a, b, c), [enter(d)]);
    const state = run(turn, [left(b)]);
    const joined = reduce(state, takeTurn(turn), 10);
    expect([told(joined), joined.wakeAt]).toEqual([['groupCommit 2 > a,c'], LEAVE_WINDOW_MS]);
    expect(told(reduce(joined.state, { kind: 'tick' }, LEAVE_WINDOW_MS))).toEqual(['groupRemove 3 [b] > a']);
  });

  test('is asked of the next at once when the committer goes too', () => {
    const state = run(groupOf(a, b, c), [gone(c)]);
    expect(told(reduce(state, gone(a), 10))).toEqual(['groupRemove 2 [a,c] > b']);
  });

  test('goes before turns; the one whose turn it was gets the new GroupInfo at once', () => {
    const turn = run(groupOf(a, b), [enter(c)]);
    const state = run(turn, [gone(b)]);
    expect(reduce(state, takeTurn(turn), 0).refusal).toBe('EPOCH_CONFLICT');
    const removed = reduce(state, commit(state, a, [b]), 100);
    expect(told(removed)).toEqual(['groupJoin 2 > c']);
    expect(reduce(removed.state, takeTurn(turn), 100).refusal).toBe('EPOCH_CONFLICT');
    expect(reduce(removed.state, takeTurn(removed.state), 100).epoch).toBe(3);
  });

  test('does not let a turn run out meanwhile', () => {
    const state = run(groupOf(a, b), [enter(c), gone(b)]);
    const later = reduce(state, { kind: 'tick' }, 2 * TICKET_LIFETIME_MS).state;
    const removed = reduce(later, commit(later, a, [b]), 2 * TICKET_LIFETIME_MS);
    expect([told(removed), removed.wakeAt]).toEqual([['groupJoin 2 > c'], 3 * TICKET_LIFETIME_MS]);
  });

  test('may be done in parts, and goes on with the rest', () => {
    const state = run(groupOf(a, b, c, d), [gone(b), gone(c)]);
    const part = reduce(state, commit(state, d, [c]), 0);
    expect(told(part)).toEqual(['groupCommit 3 > a', 'groupRemove 4 [b] > a']);
  });

  test('that nobody does ends with those who should have', () => {
    let state = run(groupOf(a, b), [gone(b), enter(c)]);
    const evictions: string[] = [];
    for (let round = 1; round <= COMMITTER_ROUNDS_MAX; round++) {
      const step = reduce(state, { kind: 'tick' }, round * REMOVAL_PATIENCE_MS);
      state = step.state;
      evictions.push(
        ...told(step)
          .filter((line) => !line.startsWith('groupRemove'))
          .map((line) => `${round}: ${line}`),
      );
    }
    expect(evictions).toEqual(['20: evict a KEYS_FAILED', '20: groupCreate 0 > c']);
  });

  test.each<readonly [string, readonly PeerId[], PeerId]>([
    ['somebody who is here', [c], a],
    ['somebody who is here, beside one who is gone', [b, c], a],
    ['oneself', [a], a],
    ['one twice', [b, b], a],
    ['a stranger', [d], a],
  ])('%s is refused', (_what, removes, by) => {
    const state = run(groupOf(a, b, c), [gone(b)]);
    expect(reduce(state, commit(state, by, removes), 0)).toMatchObject({ refusal: 'COMMIT_INVALID', state });
  });

  test('and everything else of who is gone or was never here is refused', () => {
    const state = run(groupOf(a, b, c), [gone(b), { kind: 'rejoin', peerId: c }]);
    expect(reduce(state, commit(state, b, [c]), 0).refusal).toBe('NOT_JOINED');
    expect(reduce(state, commit(state, c, [b]), 0).refusal).toBe('COMMIT_INVALID');
    expect(reduce(state, { kind: 'rejoin', peerId: b }, 0).refusal).toBe('NOT_JOINED');
    expect(reduce(state, { kind: 'rejoin', peerId: d }, 0).refusal).toBe('NOT_JOINED');
    expect(reduce(state, commit(state, d), 0).refusal).toBe('NOT_JOINED');
  });
});

describe('new keys of a member', () => {
  test('make an Epoch when nothing else waits; a second one for the same Epoch has lost', () => {
    const state = groupOf(a, b, c);
    const won = reduce(state, commit(state, b), 0);
    expect([won.epoch, told(won)]).toEqual([3, ['groupCommit 2 > a,c']]);
    expect(reduce(won.state, commit(state, c), 0).refusal).toBe('EPOCH_CONFLICT');
  });

  test('wait for removals and for turns', () => {
    const removal = run(groupOf(a, b, c), [gone(c)]);
    expect(reduce(removal, commit(removal, b), 0).refusal).toBe('EPOCH_CONFLICT');
    const turn = run(groupOf(a, b), [enter(c)]);
    expect(reduce(turn, commit(turn, b), 0).refusal).toBe('EPOCH_CONFLICT');
  });
});

describe('re-joining', () => {
  test('is a removal by others and then a turn', () => {
    const lost = reduce(groupOf(a, b), { kind: 'rejoin', peerId: a }, 0);
    expect(told(lost)).toEqual(['groupRemove 1 [a] > b']);
    const removed = reduce(lost.state, commit(lost.state, b, [a]), 0);
    expect(told(removed)).toEqual(['groupJoin 2 > a']);
    expect(told(reduce(removed.state, takeTurn(removed.state), 0))).toEqual(['groupCommit 2 > b']);
  });

  test('of the only member makes a new group, behind those who wait already', () => {
    expect(told(reduce(groupOf(a), { kind: 'rejoin', peerId: a }, 0))).toEqual(['groupCreate 0 > a']);
    const waited = run(groupOf(a), [enter(b)]);
    const fresh = reduce(waited, { kind: 'rejoin', peerId: a }, 0);
    expect([told(fresh), fresh.state.queue]).toEqual([['groupCreate 0 > b'], [a]]);
    expect(reduce(fresh.state, takeTurn(waited), 0).refusal).toBe('EPOCH_CONFLICT');
  });

  test('of one who waits or holds the turn changes nothing', () => {
    const state = run(groupOf(a), [enter(b), enter(c)]);
    for (const peerId of [b, c])
      expect(reduce(state, { kind: 'rejoin', peerId }, 0)).toMatchObject({ state, effects: [] });
  });
});

function say(peerId: PeerId, epoch: number): DeliveryEvent {
  return { kind: 'message', peerId, epoch: epoch as Epoch, sealed: bytes(7) };
}

describe('a message', () => {
  test('goes to the other members of its Epoch, this one or the one before', () => {
    const state = run(groupOf(a, b, c), [enter(d)]);
    expect(told(reduce(state, say(a, 2), 0))).toEqual(['groupMessage 2 > b,c']);
    expect(told(reduce(state, say(a, 1), 0))).toEqual(['groupMessage 1 > b']);
    for (const epoch of [0, 3, -1, NaN]) expect(reduce(state, say(a, epoch), 0).refusal).toBe('EPOCH_CONFLICT');
  });

  test('of whoever is not a member, or was not yet in that Epoch, goes nowhere', () => {
    const state = run(groupOf(a, b, c), [enter(d), gone(b)]);
    for (const event of [say(d, 2), say(b, 2), say(c, 1), say('x' as PeerId, 2)]) {
      expect(reduce(state, event, 0)).toMatchObject({ refusal: 'EPOCH_CONFLICT', effects: [] });
    }
    expect(told(reduce(state, say(a, 2), 0))).toEqual(['groupMessage 2 > c']);
  });
});
