/** Laws of the delivery service over random lives of a Room: racing Commits, late answers, people who vanish or hang. */
import type { Epoch, PeerId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calm, everyLife } from '../test/histories.ts';
import {
  ADMISSION_PATIENCE_MS,
  LEAVE_WINDOW_MS,
  openDelivery,
  reduce,
  REMOVAL_PATIENCE_MS,
  TICKET_LIFETIME_MS,
  TICKET_TRIES_MAX,
  type DeliveryEvent,
  type DeliveryState,
} from './index.ts';

function membersInStep(state: DeliveryState): readonly PeerId[] {
  const out = [...state.gone, ...state.rejoining];
  return state.members.map((member) => member.peerId).filter((peerId) => !out.includes(peerId));
}

function mustGo(state: DeliveryState): readonly PeerId[] {
  return state.members.map((member) => member.peerId).filter((peerId) => !membersInStep(state).includes(peerId));
}

describe('the delivery service', () => {
  test('is led everywhere by these lives', () => {
    const met = new Map<string, number>();
    const count = (key: string) => met.set(key, (met.get(key) ?? 0) + 1);
    everyLife(
      () =>
        ({ event, step }) => {
          count(`${event.kind} ${step.refusal ?? 'taken'}`);
          for (const effect of step.effects) count(effect.kind === 'evict' ? 'evict' : effect.event.name);
          if (event.kind === 'commit' && event.removes.length > 1 && !step.refusal) count('several removed at once');
          if (step.state.removal && step.state.removal.tries > 0) count('a committer passed over');
          if (step.state.admissionsFailed > 0) count('an admission that failed');
        },
      (world) => calm(world, 8 * TICKET_LIFETIME_MS),
    );
    const wanted =
      `commit taken,commit EPOCH_CONFLICT,commit TICKET_EXPIRED,message taken,message EPOCH_CONFLICT,rejoin taken,
      groupCreate,groupJoin,groupRemove,groupCommit,groupMessage,groupOffer,groupAdd,groupWelcome,an admission that failed,
      several removed at once,a committer passed over,evict`
        .split(',')
        .map((key) => key.trim());
    expect(wanted.filter((key) => !met.has(key))).toEqual([]);
  });

  test('accepts one Commit an Epoch, and Epochs grow by one', () => {
    everyLife(() => {
      let last: number | undefined;
      return ({ before, event, step }) => {
        if (before.groupInfo === undefined || step.state.groupInfo === undefined) last = undefined;
        if (step.epoch === undefined)
          return expect(step.state.groupInfo && step.state.epoch).toBe(last ?? step.state.groupInfo);
        expect(event.kind).toBe('commit');
        expect(step.epoch).toBe(last === undefined ? 0 : last + 1);
        expect(step.state.epoch).toBe(step.epoch);
        last = step.epoch;
      };
    });
  });

  test('lets every member hear every Commit exactly once and in order, and never its own', () => {
    everyLife(() => {
      const at = new Map<PeerId, number>();
      return ({ event, step }) => {
        if (event.kind === 'commit' && step.epoch !== undefined) at.set(event.peerId, step.epoch);
        if (event.kind === 'commit' && step.epoch !== undefined)
          for (const added of event.adds) at.set(added, step.epoch);
        for (const effect of step.effects) {
          if (effect.kind !== 'tell' || effect.event.name !== 'groupCommit') continue;
          const { epoch, sender } = effect.event.body;
          expect(effect.peerIds).not.toContain(sender);
          for (const peerId of effect.peerIds) {
            expect(at.get(peerId)).toBe(epoch);
            at.set(peerId, epoch + 1);
          }
        }
        for (const peerId of membersInStep(step.state)) expect(at.get(peerId)).toBe(step.state.epoch);
      };
    });
  });

  test('never addresses anybody who is not there, and of the group only members', () => {
    everyLife(() => {
      const evicted = new Set<PeerId>();
      return ({ step }, world) => {
        for (const effect of step.effects) {
          if (effect.kind === 'evict') {
            expect(evicted.has(effect.peerId)).toBe(false);
            evicted.add(effect.peerId);
            continue;
          }
          const { name } = effect.event;
          expect(new Set(effect.peerIds).size).toBe(effect.peerIds.length);
          for (const peerId of effect.peerIds) {
            expect(world.clients.has(peerId) && !evicted.has(peerId)).toBe(true);
            const isOutside = name === 'groupCreate' || name === 'groupJoin' || name === 'groupOffer';
            expect(membersInStep(step.state).includes(peerId)).toBe(!isOutside);
          }
        }
      };
    });
  });

  test('makes no Epoch but one that removes once a removal was asked for', () => {
    everyLife(() => ({ before, event, step }) => {
      if (event.kind !== 'commit' || step.epoch === undefined || before.groupInfo === undefined) return;
      expect(event.epoch).toBe(before.epoch);
      if (before.removal) expect(event.removes).not.toEqual([]);
    });
  });

  test('lets nobody be removed but who is gone or asked to re-join', () => {
    everyLife(() => ({ before, event, step }) => {
      const left = before.members.filter(
        ({ peerId }) => !step.state.members.some((member) => member.peerId === peerId),
      );
      for (const { peerId } of left) {
        const asking = event.kind === 'rejoin' && event.peerId === peerId;
        const going =
          (event.kind === 'gone' && event.peerId === peerId) || step.effects.some((it) => it.kind === 'evict');
        expect(mustGo(before).includes(peerId) || asking || going).toBe(true);
      }
    });
  });

  test('gives no two members one leaf, and the tree that it counts is the one that clients have', () => {
    everyLife(() => ({ step }, world) => {
      const leaves = step.state.members.map((member) => member.leaf);
      expect(leaves).toEqual([...new Set(leaves)].sort((a, b) => a - b));
      for (const { view } of world.clients.values()) {
        if (!view || view.epoch !== step.state.epoch || step.state.rejoining.length > 0) continue;
        const seen = view.leaves.flatMap((peerId, leaf) => (peerId ? [{ peerId, leaf }] : []));
        const group = new TextDecoder().decode(step.state.groupInfo ?? new Uint8Array());
        if (!group.includes(`"group":"${view.group}"`)) continue;
        expect(step.state.members.map(({ peerId, leaf }) => ({ peerId, leaf }))).toEqual(seen);
      }
    });
  });

  test('keeps nothing of who is out, and everybody in one place only', () => {
    everyLife(() => ({ step: { state } }) => {
      const members = state.members.map((member) => member.peerId);
      const before = [...state.queue, ...(state.ticket ? [state.ticket.peerId] : [])];
      const places = [...members, ...before];
      expect(new Set(places).size).toBe(places.length);
      expect([...state.gone, ...state.rejoining].filter((peerId) => !members.includes(peerId))).toEqual([]);
      expect([...state.failures.keys()].filter((peerId) => !before.includes(peerId))).toEqual([]);
      expect([...state.asked].filter((peerId) => !places.includes(peerId))).toEqual([]);
      const waiting = [...state.offers.keys(), ...(state.admission?.peers ?? [])];
      expect(waiting.filter((peerId) => !state.queue.includes(peerId))).toEqual([]);
    });
  });

  test('serves the queue in order', () => {
    everyLife(() => {
      const entered: PeerId[] = [];
      const served = new Set<PeerId>();
      return ({ event, step }, world) => {
        if (event.kind === 'enter') entered.push(event.peerId);
        const turn = step.state.ticket?.peerId;
        if (event.kind === 'commit' && step.epoch !== undefined) for (const added of event.adds) served.add(added);
        if (turn === undefined || served.has(turn)) return;
        served.add(turn);
        const before = entered.slice(0, entered.indexOf(turn));
        expect(before.filter((peerId) => world.clients.has(peerId) && !served.has(peerId))).toEqual([]);
      };
    });
  });

  test('lets a turn be lost to a removal alone', () => {
    everyLife(() => ({ before, event, step }) => {
      if (event.kind !== 'commit' || event.ticket !== undefined || step.refusal || !before.ticket) return;
      expect(event.removes).not.toEqual([]);
      const { ticket } = step.state;
      expect(ticket?.peerId).toBe(before.ticket.peerId);
      if (mustGo(step.state).length === 0) expect(ticket?.epoch).toBe(step.state.epoch);
    });
  });

  test('removes who is gone within one round of patience if anybody answers', () => {
    everyLife(
      () => () => {},
      (world) => {
        calm(world, 0);
        const answers = membersInStep(world.state).filter((peerId) => world.clients.get(peerId)?.manner === 'honest');
        if (answers.length === 0) return;
        const { length } = membersInStep(world.state);
        calm(world, LEAVE_WINDOW_MS + length * REMOVAL_PATIENCE_MS);
        expect(mustGo(world.state)).toEqual([]);
      },
    );
  });

  test('lets nobody wait for ever: in the end all who answer share one Epoch', () => {
    everyLife(
      () => () => {},
      (world) => {
        calm(world, 120 * TICKET_LIFETIME_MS);
        const views = [...world.clients.values()].filter(({ manner }) => manner === 'honest').map(({ view }) => view);
        expect(views.filter((view) => view?.epoch !== world.state.epoch)).toEqual([]);
        expect(new Set(views.map((view) => view?.group)).size).toBeLessThanOrEqual(1);
        expect([world.state.queue, world.state.ticket, mustGo(world.state)]).toEqual([[], undefined, []]);
      },
    );
  });

  test('is as at the beginning when everybody has left', () => {
    everyLife(
      () => () => {},
      (world) => {
        for (const peerId of world.clients.keys()) world.vanish(peerId);
        expect(world.state).toEqual(openDelivery());
        expect(world.wakeAt).toBeUndefined();
      },
    );
  });

  test('rings when something is due, and never late', () => {
    everyLife(() => ({ step, now }) => {
      const { removal, ticket, waitUntil, admission } = step.state;
      const awaited = [removal, ticket, waitUntil, admission].some((one) => one !== undefined);
      expect(step.wakeAt !== undefined).toBe(awaited);
      const turn = admission ? ADMISSION_PATIENCE_MS : TICKET_LIFETIME_MS * 2 ** (TICKET_TRIES_MAX - 1);
      const waits = waitUntil === undefined ? turn : LEAVE_WINDOW_MS;
      const most = removal ? REMOVAL_PATIENCE_MS : waits;
      if (step.wakeAt !== undefined) expect(step.wakeAt - now).toBeLessThanOrEqual(most);
    });
  });

  test('changes nothing when an event comes twice', () => {
    everyLife(() => ({ event, step, now }) => {
      if (event.kind === 'message') return;
      const again = reduce(step.state, event, now);
      if (event.kind === 'commit') expect(again.refusal).toBeDefined();
      expect([again.state, again.effects]).toEqual([step.state, []]);
    });
  });
});

const peer = fc.constantFrom(...(['a', 'b', 'c', 'd', 'e', 'f'] as PeerId[]));
const bytes = fc.uint8Array({ maxLength: 2 });
const epoch = fc.oneof(fc.nat(3), fc.constantFrom(-1, NaN, 2 ** 60)).map((value) => value as Epoch);
const anything: fc.Arbitrary<DeliveryEvent> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('enter' as const, 'enter' as const, 'gone' as const, 'rejoin' as const),
    peerId: peer,
    urgent: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('commit' as const),
    peerId: peer,
    epoch,
    ticket: fc.option(fc.nat(4), { nil: undefined }),
    commit: fc.option(bytes, { nil: undefined }),
    groupInfo: bytes,
    removes: fc.array(peer, { maxLength: 3 }),
    adds: fc.array(peer, { maxLength: 3 }),
    welcome: fc.option(bytes, { nil: undefined }),
  }),
  fc.record({ kind: fc.constant('offer' as const), peerId: peer, keyPackage: bytes }),
  fc.record({ kind: fc.constant('message' as const), peerId: peer, epoch, sealed: bytes }),
  fc.constant<DeliveryEvent>({ kind: 'tick' }),
);

test('no sequence of events makes it throw, or leaves it with a group that nobody can go on with', () => {
  const moments = fc.array(fc.tuple(anything, fc.integer({ min: -100, max: 6000 })), { maxLength: 120, size: 'max' });
  fc.assert(
    fc.property(moments, (events) => {
      let state = openDelivery();
      let now = 0;
      for (const [event, ms] of events) {
        now += ms;
        const step = reduce(state, event, now);
        state = step.state;
        expect(state.groupInfo !== undefined).toBe(membersInStep(state).length > 0);
        if (membersInStep(state).length + state.queue.length > 0) expect(state.ticket ?? state.groupInfo).toBeDefined();
        if (state.queue.length > 0 && mustGo(state).length === 0) expect(state.ticket ?? state.admission).toBeDefined();
        expect((state.removal ?? state.waitUntil) !== undefined).toBe(mustGo(state).length > 0);
      }
    }),
    { numRuns: 300 },
  );
});
