/** Laws of the Room over random histories. */
import type { ConsumerId, ParticipantId, PeerId } from '@veilcast/protocol';
import { describe, expect, test } from 'vitest';
import { everyStep } from '../test/histories.ts';
import { can, demandOf, lobbyOf, openRoom, peerViews, reduce } from './index.ts';
import type { Consumer, Placement, RoomEffect, RoomEvent, RoomState } from './state.ts';

const EVERY_KIND: readonly (RoomEvent['kind'] | RoomEffect['kind'])[] = [
  ...(['arrive', 'placed', 'knock', 'admit', 'deny', 'kick', 'setLocked', 'leave', 'lost', 'produced'] as const),
  ...(['closeProducer', 'pauseProducer', 'consume', 'consumed', 'consumeFailed', 'resumeConsumers'] as const),
  ...([
    'displaced',
    'closeConsumers',
    'consumerGone',
    'showTiles',
    'place',
    'closePeer',
    'pauseConsumers',
    'setLayers',
  ] as const),
  ...([
    'heard',
    'listen',
    'move',
    'moved',
    'moveOver',
    'putDemand',
    'groupEnter',
    'groupGone',
    'tell',
    'end',
    'closeRoom',
  ] as const),
];

function addressed(effects: readonly RoomEffect[]): readonly PeerId[] {
  return effects.flatMap((effect) => (effect.kind === 'tell' ? effect.peerIds : []));
}

function wasInside({ peers, lost }: RoomState, participantId: ParticipantId): boolean {
  const here = [...peers.values()].some((one) => one.participantId === participantId && one.status !== 'waiting');
  return here || lost.includes(participantId);
}

function consumersOf(state: RoomState): ReadonlyMap<ConsumerId, Consumer> {
  return new Map([...state.peers.values()].flatMap((one) => [...one.consumers]));
}

function wantSet(state: RoomState): string {
  const { peers, producers, wants } = demandOf(state);
  return [...peers, ...producers, ...wants]
    .map((one) => JSON.stringify(one))
    .sort()
    .join();
}

describe('a Room', () => {
  test('is led everywhere by these histories: every kind of event is taken and every kind of effect is asked for', () => {
    const taken = new Map<string, number>();
    const count = (key: string) => taken.set(key, (taken.get(key) ?? 0) + 1);
    everyStep(({ before, event: one, step }) => {
      if (step.state !== before) count(one.kind);
      for (const effect of step.effects) count(effect.kind);
    });
    for (const kind of EVERY_KIND) expect([kind, (taken.get(kind) ?? 0) > 0]).toEqual([kind, true]);
  });

  test('tells joined Peers only, and each thing once', () => {
    everyStep(({ step }) => {
      for (const peerId of addressed(step.effects)) expect(step.state.peers.get(peerId)?.status).toBe('joined');
      for (const effect of step.effects) {
        if (effect.kind === 'tell') expect(new Set(effect.peerIds).size).toBe(effect.peerIds.length);
        if (effect.kind === 'tell') expect(effect.peerIds).not.toHaveLength(0);
      }
    });
  });

  test('ends only Peers that were there and are not any more', () => {
    everyStep(({ before, step }) => {
      for (const effect of step.effects) {
        if (effect.kind !== 'end') continue;
        expect(before.peers.has(effect.peerId)).toBe(true);
        expect(step.state.peers.has(effect.peerId)).toBe(false);
      }
    });
  });

  test('does nothing for what it refuses, except to close again what the Node made', () => {
    everyStep(({ before, step }) => {
      if (step.refusal === undefined) return;
      expect(step.state).toBe(before);
      for (const effect of step.effects)
        expect(['closeProducer', 'closeConsumers', 'closePeer']).toContain(effect.kind);
    });
  });

  test('changes nothing when an event comes twice', () => {
    everyStep(({ event: same, step }) => {
      const again = reduce(step.state, same, 0);
      expect(again.state).toEqual(step.state);
      expect(addressed(again.effects)).toEqual([]);
    });
  });

  test('holds no more Peers, Producers and Consumers than its policy allows', () => {
    everyStep(({ step: { state } }) => {
      const inside = [...state.peers.values()].filter((one) => one.status !== 'waiting');
      expect(inside.length).toBeLessThanOrEqual(state.policy.peersMax);
      for (const one of inside) {
        for (const at of [one.placement, one.former?.placement]) {
          const here = (thing: { placement: Placement }) => thing.placement.nodeId === at?.nodeId;
          const sources = [...one.producers.values()].filter(here).map((sent) => sent.source);
          expect(sources.length).toBeLessThanOrEqual(state.policy.producersMax);
          expect(new Set(sources).size).toBe(sources.length);
          const consumed = [...one.consumers.values()].filter(here).map((received) => received.producerId);
          expect(new Set(consumed).size).toBe(consumed.length);
        }
      }
    });
  });

  test('keeps nothing of a Producer that is gone', () => {
    everyStep(({ step: { state } }) => {
      const living = new Set([...state.peers.values()].flatMap((one) => [...one.producers.keys()]));
      for (const one of state.peers.values()) {
        for (const { producerId } of one.consumers.values()) expect(living).toContain(producerId);
        for (const producerId of [...one.asked, ...one.tiles.keys()]) expect(living).toContain(producerId);
      }
    });
  });

  test('lets viewers send nothing, and only who is placed has media at all', () => {
    everyStep(({ step: { state } }) => {
      for (const one of state.peers.values()) {
        if (!can(one.role, 'produce')) expect(one.producers.size).toBe(0);
        if (one.status === 'joined') expect(one.placement).toBeDefined();
        else
          expect([one.producers.size, one.consumers.size, one.asked.size, one.placement]).toEqual([0, 0, 0, undefined]);
      }
    });
  });

  test('asks the cascade for placed Peers and living Producers only, each want once, and says when that changed', () => {
    everyStep(({ before, step }) => {
      const { peers, producers, wants } = demandOf(step.state);
      const former = [...step.state.peers.values()].map((one) => one.former?.placement.workerId);
      const workers = new Set([...peers.map((one) => one.workerId), ...former]);
      const home = new Map(producers.map((one) => [one.producerId, one.workerId]));
      for (const one of peers) expect(step.state.peers.get(one.peerId)?.placement?.workerId).toBe(one.workerId);
      for (const want of wants) {
        expect(workers).toContain(want.workerId);
        expect(home.has(want.producerId)).toBe(true);
        expect(home.get(want.producerId)).not.toBe(want.workerId);
      }
      expect(new Set(wants.map((want) => JSON.stringify(want))).size).toBe(wants.length);
      const same = wantSet(before) === wantSet(step.state);
      const said = step.effects.some((effect) => effect.kind === 'putDemand' || effect.kind === 'closeRoom');
      if (!same) expect(said).toBe(true);
    });
  });

  test('gives back what a Peer had: its Node, its place in the group, its Producers for everybody, in this order', () => {
    everyStep(({ before, step }) => {
      const departed = [...before.peers.values()].filter((one) => !step.state.peers.has(one.peerId));
      for (const one of departed.filter((gone) => gone.status === 'joined')) {
        const kinds = step.effects.filter((effect) => 'peerId' in effect && effect.peerId === one.peerId);
        const closes = one.former ? ['closePeer', 'closePeer'] : ['closePeer'];
        expect(kinds.map((effect) => effect.kind).slice(0, closes.length + 1)).toEqual([...closes, 'groupGone']);
        if (step.state.peers.size === 0) continue;
        const told = step.effects.flatMap((effect) => (effect.kind === 'tell' ? [effect.event.name] : []));
        const expected = [...one.producers.keys()].map(() => 'producerClosed');
        const others = [...step.state.peers.values()].some((other) => other.status === 'joined');
        if (others) expect(told.slice(0, expected.length + 1)).toEqual([...expected, 'peerLeft']);
      }
    });
  });

  test('counts every entry to the group and every exit from it once', () => {
    const members = new Set<PeerId>();
    everyStep(({ before, step }) => {
      if (before.peers.size === 0) members.clear();
      for (const effect of step.effects) {
        if (effect.kind === 'groupEnter') expect(members.add(effect.peerId).size).toBeGreaterThan(0);
        if (effect.kind === 'groupGone') expect(members.delete(effect.peerId)).toBe(true);
      }
      const joined = [...step.state.peers.values()].filter((one) => one.status === 'joined').map((one) => one.peerId);
      expect(new Set(joined)).toEqual(members);
    });
  });

  test('is as at the beginning once nobody is inside, and nobody waits before an empty Room', () => {
    everyStep(({ before, step: { state, effects } }) => {
      const inside = [...state.peers.values()].some((one) => one.status !== 'waiting');
      if (!inside) expect(state).toEqual(openRoom(state.roomId, state.policy));
      if (!inside && before.peers.size > 0) {
        const waited = [...before.peers.values()].filter((one) => one.status === 'waiting').map((one) => one.peerId);
        const ended = effects.flatMap((effect) =>
          effect.kind === 'end' && effect.code === 'CLOSED' ? [effect.peerId] : [],
        );
        expect(ended).toEqual(waited);
      }
      const closed = effects.filter((effect) => effect.kind === 'closeRoom').length;
      expect(closed).toBe(before.peers.size > 0 && state.peers.size === 0 ? 1 : 0);
    });
  });

  test('keeps its door: nobody passes a lock but a host, whom a host lets in, and who was inside', () => {
    everyStep(({ before, event: one, step }) => {
      if (one.kind !== 'arrive' || before.peers.has(one.peerId) || step.refusal) return;
      const arrived = step.state.peers.get(one.peerId);
      const shut =
        before.removed.includes(one.participantId) ||
        (before.locked && one.role !== 'host' && !wasInside(before, one.participantId));
      expect(arrived?.status).toBe(shut ? 'waiting' : 'placing');
      expect(lobbyOf(step.state).some((knock) => knock.peerId === one.peerId)).toBe(shut);
    });
  });

  test('keeps the seat of whoever is displaced, and asks for another place, once', () => {
    everyStep(({ before, event: one, step: { state, effects } }) => {
      if (one.kind !== 'displaced' || state === before) return;
      const [was, is] = [before.peers.get(one.peerId)!, state.peers.get(one.peerId)!];
      const { status, role, participantId, tiles } = was;
      expect(is).toMatchObject({ status, role, participantId, displaced: true });
      expect([is.producers.size, is.consumers.size, is.asked.size]).toEqual([0, 0, 0]);
      expect([...is.tiles.keys()].every((producerId) => tiles.has(producerId))).toBe(true);
      expect(effects.filter((effect) => effect.kind === 'place')).toEqual([{ kind: 'place', peerId: one.peerId }]);
      const kinds = effects.map((effect) => (effect.kind === 'tell' ? effect.event.name : effect.kind));
      for (const never of ['groupGone', 'peerLeft', 'end']) expect(kinds).not.toContain(never);
      expect(demandOf(state).peers.map(({ peerId }) => peerId)).not.toContain(one.peerId);
    });
  });

  test('keeps a moved Peer in two places at most, and nothing of it anywhere else', () => {
    everyStep(({ before, event: one, step }) => {
      for (const peer of step.state.peers.values()) {
        const nodes = [peer.placement?.nodeId, peer.former?.placement.nodeId];
        expect(peer.former && nodes[0] === nodes[1]).toBeFalsy();
        for (const { placement } of [...peer.producers.values(), ...peer.consumers.values()]) {
          expect(nodes).toContain(placement.nodeId);
        }
        // Its old place is given back exactly when it is not in it any more.
        const old = before.peers.get(peer.peerId)?.former;
        const left = old !== undefined && peer.former === undefined;
        const closes = step.effects.filter((it) => it.kind === 'closePeer' && it.peerId === peer.peerId);
        if (left) expect(closes.map((it) => 'placement' in it && it.placement)).toContainEqual(old.placement);
        else if (!['placed', 'move', 'displaced'].includes(one.kind)) expect(closes).toEqual([]);
      }
    });
  });

  test('ends a move only when nobody watches what was replaced, unless it is told to', () => {
    everyStep(({ before, event: one, step }) => {
      for (const peer of step.state.peers.values()) {
        const replaced = new Set([...peer.producers.values()].map((sent) => sent.replaces));
        const watched = [...step.state.peers.values()].some((other) =>
          [...other.consumers.values()].some((received) => replaced.has(received.producerId)),
        );
        if (peer.former?.done) expect(watched).toBe(true);
        const ended = before.peers.get(peer.peerId)?.former && !peer.former;
        if (ended && one.kind !== 'moveOver' && one.kind !== 'displaced')
          expect(before.peers.get(peer.peerId)?.former?.done || one.kind === 'moved').toBe(true);
      }
    });
  });

  test('lets only hosts rule', () => {
    everyStep(({ before, event: one, step }) => {
      if (!('target' in one) && one.kind !== 'setLocked') return;
      const asking = before.peers.get(one.peerId);
      if (asking?.status !== 'joined') expect(step.refusal).toBe('NOT_JOINED');
      else if (asking.role !== 'host') expect(step.refusal).toBe('FORBIDDEN');
    });
  });

  test('asks the Node for a layer or a pause only when it differs from what it asked last', () => {
    everyStep(({ before, step }) => {
      for (const effect of step.effects) {
        if (effect.kind !== 'setLayers' && effect.kind !== 'pauseConsumers') continue;
        const ids = effect.kind === 'setLayers' ? [effect.consumerId] : effect.consumerIds;
        for (const id of ids) {
          const after = consumersOf(step.state).get(id);
          const old = consumersOf(before).get(id);
          if (effect.kind === 'setLayers')
            expect([after?.spatial, old?.spatial === effect.spatial]).toEqual([effect.spatial, false]);
          else expect([after?.paused, old?.paused === effect.paused]).toEqual([effect.paused, false]);
        }
      }
    });
  });

  test('has a host while somebody who may speak is inside, where the first is host', () => {
    everyStep(({ step: { state } }) => {
      if (!state.policy.firstIsHost || state.removed.length > 0) return;
      const roles = [...state.peers.values()].filter((one) => one.status !== 'waiting').map((one) => one.role);
      if (roles.includes('speaker') && !state.locked) expect(roles).toContain('host');
    });
  });

  test('shows everybody the same people but themselves', () => {
    everyStep(({ step: { state } }) => {
      const joined = [...state.peers.values()].filter((one) => one.status === 'joined').map((one) => one.peerId);
      for (const peerId of joined) {
        const seen = peerViews(state, peerId).map((view) => view.peerId);
        expect([...seen, peerId].sort()).toEqual([...joined].sort());
      }
    });
  });
});
