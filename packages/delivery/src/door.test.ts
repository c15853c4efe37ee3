/** A crowd at the door: who is asked, what is taken, and what happens to those whom nobody lets in. */
import type { PeerId } from '@veilcast/protocol';
import { describe, expect, test } from 'vitest';
import {
  ADMISSION_PATIENCE_MS,
  ADMISSIONS_FAILED_MAX,
  openDelivery,
  reduce,
  type DeliveryEvent,
  type DeliveryState,
  type DeliveryStep,
  type EventOf,
} from './index.ts';

const peers = (names: string): PeerId[] => names.split('') as PeerId[];
const bytes = (n: number): Uint8Array => new Uint8Array([n]);
const PACKAGE = bytes(7);

function told({ effects }: DeliveryStep): string[] {
  return effects.map((effect) =>
    effect.kind === 'evict' ? `evict ${effect.peerId}` : `${effect.event.name} > ${effect.peerIds.join('')}`,
  );
}

function commit(state: DeliveryState, peerId: PeerId, over: Partial<EventOf<'commit'>> = {}): EventOf<'commit'> {
  const nobody = { removes: [], adds: [], welcome: undefined };
  const made = { commit: bytes(1), groupInfo: bytes(2), ticket: undefined, ...nobody };
  return { kind: 'commit', peerId, epoch: state.epoch, ...made, ...over };
}

function takeTurn(state: DeliveryState): EventOf<'commit'> {
  const { ticket } = state;
  if (!ticket) throw new Error('nobody has a turn');
  const first = state.groupInfo === undefined ? { commit: undefined } : {};
  return commit(state, ticket.peerId, { ticket: ticket.ticket, ...first });
}

function run(state: DeliveryState, events: readonly DeliveryEvent[], now = 0): DeliveryState {
  return events.reduce((next, event) => reduce(next, event, now).state, state);
}

const enter = (peerId: PeerId): DeliveryEvent => ({ kind: 'enter', peerId });
const offer = (peerId: PeerId): DeliveryEvent => ({ kind: 'offer', peerId, keyPackage: PACKAGE });

/** `ab` inside, `c` has its turn, `defgh` wait and have offered. */
function crowd(): DeliveryState {
  let state = openDelivery();
  for (const peerId of peers('ab')) {
    state = run(state, [enter(peerId)]);
    state = run(state, [takeTurn(state)]);
  }
  return run(state, [...peers('cdefgh').map(enter), ...peers('defgh').map(offer)]);
}

/** The turn of `c` is over, and it is asked to let the others in. */
function asked(): DeliveryState {
  const state = crowd();
  return run(state, [takeTurn(state)]);
}

describe('a crowd', () => {
  test('is asked for KeyPackages once four wait, each Peer once, and fewer are not', () => {
    let state = run(openDelivery(), peers('a').map(enter));
    state = run(state, [takeTurn(state)]);
    const steps = peers('bcdefg').map((peerId) => {
      const step = reduce(state, enter(peerId), 0);
      state = step.state;
      return told(step);
    });
    expect(steps).toEqual([['groupJoin > b'], [], [], [], ['groupOffer > cdef'], ['groupOffer > g']]);
  });

  test('is let in by the highest leaf, in one Commit, and gets the Welcome', () => {
    const before = crowd();
    const step = reduce(before, takeTurn(before), 0);
    expect(told(step)).toEqual(['groupCommit > ab', 'groupAdd > c']);
    const [c, ...adds] = peers('cdefgh') as [PeerId, ...PeerId[]];
    const done = reduce(step.state, commit(step.state, c, { adds, welcome: bytes(3) }), 0);
    expect([done.refusal, told(done)]).toEqual([undefined, ['groupCommit > ab', 'groupWelcome > defgh']]);
    expect(done.state.members.map(({ peerId, leaf, since }) => `${peerId}${leaf}${since}`)).toEqual([
      'a00',
      'b11',
      'c22',
      ...adds.map((peerId, n) => `${peerId}${n + 3}3`),
    ]);
    expect([done.state.queue, done.state.offers.size, done.state.admission]).toEqual([[], 0, undefined]);
  });

  test('enters by ticket where there are gaps in the tree, until they are filled', () => {
    let state = crowd();
    state = run(state, [{ kind: 'gone', peerId: 'a' as PeerId, urgent: true }]);
    state = run(state, [commit(state, 'b' as PeerId, { removes: peers('a') })]);
    // `c` sits on the leaf of `a`, and then there is none left.
    expect(told(reduce(state, takeTurn(state), 0))).toEqual(['groupCommit > b', 'groupAdd > b']);
    state = run(state, [{ kind: 'gone', peerId: 'b' as PeerId, urgent: true }]);
    expect([state.ticket?.peerId, state.admission]).toEqual(['c', undefined]);
  });

  test('nobody is overtaken: who offered nothing has its turn before those behind it', () => {
    const before = crowd();
    const late = run(before, [enter('i' as PeerId), enter('j' as PeerId), offer('j' as PeerId)]);
    const { state } = reduce(late, takeTurn(late), 0);
    expect(state.admission?.peers).toEqual(peers('defgh'));
    const done = run(state, [commit(state, 'c' as PeerId, { adds: peers('defgh'), welcome: bytes(3) })]);
    expect([done.ticket?.peerId, done.queue]).toEqual(['i', ['j']]);
  });
});

describe('an admission', () => {
  test.each<[string, Partial<EventOf<'commit'>>, string]>([
    ['without a Welcome', { adds: peers('de') }, 'COMMIT_INVALID'],
    ['with a Welcome for nobody', { welcome: bytes(3) }, 'COMMIT_INVALID'],
    ['without a Commit', { adds: peers('de'), welcome: bytes(3), commit: undefined }, 'COMMIT_INVALID'],
    ['with a removal', { adds: peers('de'), welcome: bytes(3), removes: peers('a') }, 'COMMIT_INVALID'],
    ['by ticket', { adds: peers('de'), welcome: bytes(3), ticket: 9 }, 'COMMIT_INVALID'],
    ['of somebody who does not wait', { adds: peers('dx'), welcome: bytes(3) }, 'EPOCH_CONFLICT'],
    ['of one twice', { adds: peers('dd'), welcome: bytes(3) }, 'EPOCH_CONFLICT'],
    ['of another than was asked', { peerId: 'a' as PeerId, adds: peers('de'), welcome: bytes(3) }, 'EPOCH_CONFLICT'],
    ['instead of which keys are renewed', {}, 'EPOCH_CONFLICT'],
  ])('is refused %s', (_what, over, refusal) => {
    const state = asked();
    const step = reduce(state, commit(state, 'c' as PeerId, over), 0);
    expect([step.refusal, step.state]).toEqual([refusal, state]);
  });

  test('leaves somebody out: that one enters by ticket', () => {
    const state = asked();
    const step = reduce(state, commit(state, 'c' as PeerId, { adds: peers('dfgh'), welcome: bytes(3) }), 0);
    expect(told(step)).toEqual(['groupCommit > ab', 'groupWelcome > dfgh', 'groupJoin > e']);
  });

  test('is asked for anew when somebody of it goes, and not waited for longer', () => {
    const state = asked();
    const step = reduce(state, { kind: 'gone', peerId: 'e' as PeerId, urgent: false }, 100);
    expect([told(step), step.wakeAt]).toEqual([['groupAdd > c'], ADMISSION_PATIENCE_MS]);
    const old = commit(state, 'c' as PeerId, { adds: peers('defgh'), welcome: bytes(3) });
    expect(reduce(step.state, old, 100).refusal).toBe('EPOCH_CONFLICT');
  });

  test('that nobody makes: the first goes by ticket and is asked next, and after that all go by ticket', () => {
    let state = asked();
    const first = reduce(state, { kind: 'tick' }, ADMISSION_PATIENCE_MS);
    expect(told(first)).toEqual(['groupJoin > d']);
    const late = commit(state, 'c' as PeerId, { adds: peers('defgh'), welcome: bytes(3) });
    expect(reduce(first.state, late, ADMISSION_PATIENCE_MS).refusal).toBe('EPOCH_CONFLICT');
    const second = reduce(first.state, takeTurn(first.state), ADMISSION_PATIENCE_MS);
    expect(told(second)).toEqual(['groupCommit > abc', 'groupAdd > d']);
    expect(ADMISSIONS_FAILED_MAX).toBe(2);
    state = run(second.state, [{ kind: 'tick' }], 2 * ADMISSION_PATIENCE_MS);
    const turns: string[] = [];
    while (state.ticket) {
      turns.push(state.ticket.peerId);
      state = run(state, [takeTurn(state)], 2 * ADMISSION_PATIENCE_MS);
    }
    expect([turns.join(''), state.queue, state.admissionsFailed]).toEqual(['efgh', [], 0]);
  });

  test('gives way to a removal, and begins anew after it', () => {
    const state = asked();
    const step = reduce(state, { kind: 'gone', peerId: 'h' as PeerId, urgent: true }, 0);
    expect(step.state.admission?.peers).toEqual(peers('defg'));
    const out = reduce(state, { kind: 'gone', peerId: 'b' as PeerId, urgent: true }, 0);
    expect([told(out), out.state.admission]).toEqual([['groupRemove > a'], undefined]);
  });

  test('whose Welcome opens nothing: they are removed and enter by ticket', () => {
    let state = asked();
    state = run(state, [commit(state, 'c' as PeerId, { adds: peers('defgh'), welcome: bytes(3) })]);
    state = run(
      state,
      peers('defgh').map((peerId): DeliveryEvent => ({ kind: 'rejoin', peerId })),
    );
    expect(state.removal?.committer).toBe('a');
    const back = reduce(state, commit(state, 'a' as PeerId, { removes: peers('defgh') }), 0);
    expect(told(back).slice(-1)).toEqual(['groupJoin > d']);
    expect([back.state.queue, back.state.offers.size]).toEqual([peers('efgh'), 0]);
  });
});
