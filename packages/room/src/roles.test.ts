/** The whole table of permissions, written a second time: a change of it must be made twice. */
import type {
  ConsumerId,
  NodeId,
  ParticipantId,
  PeerId,
  ProducerId,
  RegionId,
  Role,
  RoomId,
  WorkerId,
} from '@veilcast/protocol';
import { describe, expect, test } from 'vitest';
import { can, openRoom, reduce, type Act, type RoomEvent, type RoomState } from './index.ts';

const MAY: readonly (readonly [Act, Role, boolean])[] = [
  ['produce', 'host', true],
  ['produce', 'speaker', true],
  ['produce', 'viewer', false],
  ['consume', 'host', true],
  ['consume', 'speaker', true],
  ['consume', 'viewer', true],
  ['lock', 'host', true],
  ['lock', 'speaker', false],
  ['lock', 'viewer', false],
  ['admit', 'host', true],
  ['admit', 'speaker', false],
  ['admit', 'viewer', false],
  ['deny', 'host', true],
  ['deny', 'speaker', false],
  ['deny', 'viewer', false],
  ['kick', 'host', true],
  ['kick', 'speaker', false],
  ['kick', 'viewer', false],
];

test.each(MAY)('%s by a %s: %s', (act, role, allowed) => {
  expect(can(role, act)).toBe(allowed);
});

const self = 'self' as PeerId;
const other = 'other' as PeerId;
const target = 'target' as PeerId;
const producerId = 'theirs' as ProducerId;
const consumerId = 'theirs' as ConsumerId;
const placement = { nodeId: 'n' as NodeId, workerId: 'n/0' as WorkerId, region: 'eu' as RegionId };

function run(events: readonly RoomEvent[]): RoomState {
  const empty = openRoom('r' as RoomId, { peersMax: 10, producersMax: 8, firstIsHost: false });
  return events.reduce((state, event) => reduce(state, event, 0).state, empty);
}

function enter(peerId: PeerId, role: Role): readonly RoomEvent[] {
  return [
    { kind: 'arrive', peerId, participantId: `of-${peerId}` as ParticipantId, role },
    { kind: 'placed', peerId, placement },
  ];
}

const camera = { producerId: 'mine' as ProducerId, kind: 'video', source: 'camera', paused: false, placement } as const;
const asked: readonly (readonly [string, RoomEvent])[] = [
  ['lock', { kind: 'setLocked', peerId: self, locked: true }],
  ['admit', { kind: 'admit', peerId: self, target }],
  ['deny', { kind: 'deny', peerId: self, target }],
  ['kick', { kind: 'kick', peerId: self, target: other }],
  ['produce', { kind: 'produced', peerId: self, producer: camera }],
];

/** `other` is in, the door is locked and `target` waits before it. */
function scene(role: Role): RoomState {
  return run([
    ...enter(other, 'host'),
    { kind: 'produced', peerId: other, producer: { ...camera, producerId } },
    ...enter(self, role),
    { kind: 'setLocked', peerId: other, locked: true },
    { kind: 'arrive', peerId: target, participantId: 'stranger' as ParticipantId, role: 'speaker' },
  ]);
}

describe('a Room refuses', () => {
  test.each(asked)('a viewer to %s', (_act, event) => {
    expect(reduce(scene('viewer'), event, 0).refusal).toBe('FORBIDDEN');
  });

  test.each(asked.filter(([act]) => act !== 'produce'))('a speaker to %s', (_act, event) => {
    expect(reduce(scene('speaker'), event, 0).refusal).toBe('FORBIDDEN');
  });

  test.each(asked)('whoever waits in the lobby to %s', (_act, event) => {
    expect(reduce(scene('viewer'), { ...event, peerId: target }, 0).refusal).toBe('NOT_JOINED');
  });

  test.each<readonly [string, RoomEvent]>([
    ['close', { kind: 'closeProducer', peerId: self, producerId }],
    ['pause', { kind: 'pauseProducer', peerId: self, producerId, paused: true }],
  ])('to %s the Producer of somebody else, even to a host', (_act, event) => {
    expect(reduce(scene('host'), event, 0)).toMatchObject({ refusal: 'NOT_FOUND', effects: [] });
  });

  test.each(['resumeConsumers', 'closeConsumers'] as const)('%s of a Consumer that is not its own', (kind) => {
    const step = reduce(scene('host'), { kind, peerId: self, consumerIds: [consumerId] }, 0);
    expect(step).toMatchObject({ refusal: 'NOT_FOUND', effects: [] });
  });

  test('a host to kick itself, and anybody to decide over who is not there', () => {
    const state = scene('host');
    expect(reduce(state, { kind: 'kick', peerId: self, target: self }, 0).refusal).toBe('FORBIDDEN');
    expect(reduce(state, { kind: 'admit', peerId: self, target: 'nobody' as PeerId }, 0).refusal).toBe('NOT_FOUND');
    expect(reduce(state, { kind: 'kick', peerId: self, target }, 0).refusal).toBe('NOT_FOUND');
    expect(reduce(state, { kind: 'deny', peerId: self, target: other }, 0).refusal).toBe('NOT_FOUND');
  });

  test('a second camera, a camera of sound, and closes what the Node made of them', () => {
    const state = run([...enter(self, 'speaker'), { kind: 'produced', peerId: self, producer: camera }]);
    const second = { ...camera, producerId: 'second' as ProducerId };
    const closed = [{ kind: 'closeProducer', producerId: second.producerId, placement }];
    expect(reduce(state, { kind: 'produced', peerId: self, producer: second }, 0)).toEqual({
      state,
      refusal: 'FORBIDDEN',
      effects: closed,
    });
    const odd = { ...second, source: 'screen', kind: 'audio' } as const;
    expect(reduce(state, { kind: 'produced', peerId: self, producer: odd }, 0)).toMatchObject({
      refusal: 'MALFORMED',
      effects: closed,
    });
  });

  test('a second Consumer of one Producer, one of a Producer that is gone and one of its own', () => {
    const state = run([
      ...enter(other, 'speaker'),
      { kind: 'produced', peerId: other, producer: { ...camera, producerId } },
      ...enter(self, 'speaker'),
      { kind: 'produced', peerId: self, producer: camera },
    ]);
    const made = { placement, started: false, paused: true } as const;
    const consumer = { ...made, producerId, kind: 'video', spatialLayers: 3, spatial: 2 } as const;
    const event = (id: string, of: ProducerId): RoomEvent => ({
      kind: 'consumed',
      peerId: self,
      consumer: { ...consumer, producerId: of, consumerId: id as ConsumerId },
    });
    const one = reduce(state, event('k1', producerId), 0).state;
    for (const refused of [
      event('k2', producerId),
      event('k2', 'gone' as ProducerId),
      event('k2', camera.producerId),
    ]) {
      expect(reduce(one, refused, 0)).toEqual({
        state: one,
        refusal: 'NOT_FOUND',
        effects: [{ kind: 'closeConsumers', consumerIds: ['k2'], placement }],
      });
    }
  });
});
