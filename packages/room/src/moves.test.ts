/** A Peer that is moved, step by step: what is told, and what is closed when. */
import type { ConsumerId, NodeId, ParticipantId, PeerId, ProducerId, RegionId, WorkerId } from '@veilcast/protocol';
import type { RoomId } from '@veilcast/protocol';
import { expect, test } from 'vitest';
import { demandOf, openRoom, peerViews, reduce, type Placement, type RoomEvent, type RoomState } from './index.ts';

const place = (node: string): Placement => ({
  nodeId: node as NodeId,
  workerId: `${node}/0` as WorkerId,
  region: 'eu' as RegionId,
});
const [here, there] = [place('a'), place('b')];
const ada = 'ada' as PeerId;
const bo = 'bo' as PeerId;
const [old, fresh] = ['p1', 'p2'] as ProducerId[] as [ProducerId, ProducerId];
const [seen, next] = ['k1', 'k2'] as ConsumerId[] as [ConsumerId, ConsumerId];

function run(state: RoomState, events: readonly RoomEvent[]) {
  return events.reduce((step, event) => reduce(step.state, event, 0), reduce(state, events[0], 0));
}

function enter(peerId: PeerId): readonly RoomEvent[] {
  return [
    { kind: 'arrive', peerId, participantId: `of-${peerId}` as ParticipantId, role: 'speaker' },
    { kind: 'placed', peerId, placement: here },
  ];
}

function camera(producerId: ProducerId, placement: Placement): RoomEvent {
  return {
    kind: 'produced',
    peerId: ada,
    producer: { producerId, placement, kind: 'video', source: 'camera', paused: false },
  };
}

function watch(consumerId: ConsumerId, producerId: ProducerId): RoomEvent {
  const made = { started: false, paused: true, spatialLayers: 3, spatial: 2, placement: here } as const;
  return { kind: 'consumed', peerId: bo, consumer: { ...made, consumerId, producerId, kind: 'video' } };
}

const before = run(openRoom('r' as RoomId, { peersMax: 9, producersMax: 8, firstIsHost: true }), [
  ...enter(ada),
  ...enter(bo),
  camera(old, here),
  watch(seen, old),
]).state;
const moving = run(before, [{ kind: 'move', peerId: ada, placement: there }, camera(fresh, there)]);

test('what a moved Peer sends anew is told as what takes the place of the old, which goes on', () => {
  expect(moving.effects).toContainEqual({
    kind: 'tell',
    peerIds: [bo],
    event: {
      name: 'producerOpened',
      body: {
        producer: { producerId: fresh, peerId: ada, kind: 'video', source: 'camera', paused: false, replaces: old },
      },
    },
  });
  expect(demandOf(moving.state).producers.map(({ producerId, workerId }) => [producerId, workerId])).toEqual([
    [old, here.workerId],
    [fresh, there.workerId],
  ]);
  expect(peerViews(moving.state, bo)[0]?.producers.map(({ producerId }) => producerId)).toEqual([fresh]);
});

test('its old place is given back when it and all who watch it have gone over', () => {
  const done = reduce(moving.state, { kind: 'moved', peerId: ada }, 0);
  expect(done.effects).toEqual([]);
  const both = reduce(done.state, watch(next, fresh), 0).state;
  const over = reduce(both, { kind: 'closeConsumers', peerId: bo, consumerIds: [seen] }, 0);
  expect(over.effects).toContainEqual({ kind: 'closePeer', peerId: ada, placement: here });
  expect(over.state.peers.get(ada)).toMatchObject({ placement: there });
  expect([...(over.state.peers.get(ada)?.producers.keys() ?? [])]).toEqual([fresh]);
  expect(over.state.peers.get(ada)?.former).toBeUndefined();
});

test('time ends a move that somebody does not follow', () => {
  const over = reduce(moving.state, { kind: 'moveOver', peerId: ada }, 0);
  const told = over.effects.flatMap((effect) => (effect.kind === 'tell' ? [effect.event.name] : []));
  expect(told).toEqual(['producerClosed']);
  expect(over.state.peers.get(bo)?.consumers.size).toBe(0);
});

test('nobody is moved to where they are, or twice at once', () => {
  expect(reduce(before, { kind: 'move', peerId: ada, placement: here }, 0)).toMatchObject({
    refusal: 'CLOSED',
    effects: [],
  });
  const third = reduce(moving.state, { kind: 'move', peerId: ada, placement: place('c') }, 0);
  expect(third).toMatchObject({
    refusal: 'CLOSED',
    effects: [{ kind: 'closePeer', peerId: ada, placement: place('c') }],
  });
});
