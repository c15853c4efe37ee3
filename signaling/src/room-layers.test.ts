import type { NodeId, ParticipantId, PeerId, ProducerId, RegionId, RoomId, WorkerId } from '@veilcast/protocol';
import { openRoom, reduce, type RoomEvent, type Told } from '@veilcast/room';
import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import { RoomLayers } from './room-layers.ts';

const peerId = 'ada' as PeerId;
const producerId = 'camera' as ProducerId;
const placement = { nodeId: 'n' as NodeId, workerId: 'n/0' as WorkerId, region: 'eu' as RegionId };

test('a publisher who is alone is told so after five seconds, and at once when somebody comes', async () => {
  const clock = virtualClock();
  let state = openRoom('room' as RoomId, { peersMax: 9, producersMax: 8, firstIsHost: true });
  const told: (readonly [number, Told])[] = [];
  const layers = new RoomLayers({
    clock,
    state: () => state,
    tell: (peerIds, event) => {
      expect(peerIds).toEqual([peerId]);
      told.push([clock.now(), event]);
    },
  });
  const take = (event: RoomEvent): void => {
    ({ state } = reduce(state, event, clock.now()));
    layers.changed();
  };
  const began = clock.now();
  take({ kind: 'arrive', peerId, participantId: 'ada' as ParticipantId, role: 'speaker' });
  take({ kind: 'placed', peerId, placement });
  take({
    kind: 'produced',
    peerId,
    producer: { producerId, kind: 'video', source: 'camera', paused: false, placement },
  });
  await clock.advance(4_900);
  expect(told).toEqual([]);
  await clock.advance(200);
  expect(told.map(([, event]) => event)).toEqual([{ name: 'producerWatched', body: { producerId, spatial: null } }]);
  expect(told[0][0] - began).toBeGreaterThanOrEqual(5_000);
  take({ kind: 'arrive', peerId: 'bob' as PeerId, participantId: 'bob' as ParticipantId, role: 'viewer' });
  await clock.advance(30);
  expect(told.at(-1)?.[1]).toEqual({ name: 'producerWatched', body: { producerId, spatial: 1 } });
  layers.stop();
  expect(clock.pending()).toBe(0);
});
