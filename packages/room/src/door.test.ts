/** The limits of a Room and the cases of its door that random histories meet too rarely. */
import {
  LOBBY_MAX,
  type NodeId,
  type ParticipantId,
  type PeerId,
  type RegionId,
  type Role,
  type RoomId,
  type WorkerId,
} from '@veilcast/protocol';
import { expect, test } from 'vitest';
import {
  consumable,
  lobbyOf,
  openRoom,
  reduce,
  REMOVED_MAX,
  type RoomEvent,
  type RoomPolicy,
  type RoomState,
} from './index.ts';

const placement = { nodeId: 'n' as NodeId, workerId: 'n/0' as WorkerId, region: 'eu' as RegionId };
const open: RoomPolicy = { peersMax: 3, producersMax: 8, firstIsHost: true };

function run(state: RoomState, events: readonly RoomEvent[]): RoomState {
  return events.reduce((next, event) => reduce(next, event, 0).state, state);
}

function arrive(peerId: string, role: Role = 'speaker', person = peerId): RoomEvent {
  return { kind: 'arrive', peerId: peerId as PeerId, participantId: person as ParticipantId, role };
}

/** Arrives with a token that names regions. */
function claim(peerId: string, ...regions: string[]): RoomEvent {
  return { ...(arrive(peerId) as RoomEvent & { kind: 'arrive' }), regions: regions as RegionId[] };
}

function enter(peerId: string, role: Role = 'speaker', person = peerId): readonly RoomEvent[] {
  return [arrive(peerId, role, person), { kind: 'placed', peerId: peerId as PeerId, placement }];
}

const room = (policy: RoomPolicy = open) => openRoom('r' as RoomId, policy);
const ada = 'ada' as PeerId;
const lock: RoomEvent = { kind: 'setLocked', peerId: ada, locked: true };
const unlock: RoomEvent = { kind: 'setLocked', peerId: ada, locked: false };
const cut = (peerId: string): RoomEvent => ({ kind: 'lost', peerId: peerId as PeerId, code: 'WORKER_DIED' });
const statusOf = (state: RoomState, peerId: string) => state.peers.get(peerId as PeerId)?.status;
const roleOf = (state: RoomState, peerId: string) => state.peers.get(peerId as PeerId)?.role;

test('a full Room and a full lobby refuse', () => {
  const full = run(room(), [...enter('ada'), ...enter('bo'), arrive('cy')]);
  expect(reduce(full, arrive('di'), 0).refusal).toBe('ROOM_FULL');
  const crowd = Array.from({ length: LOBBY_MAX }, (_, n) => arrive(`w${n}`));
  const waiting = run(room(), [...enter('ada'), lock, ...crowd]);
  expect(lobbyOf(waiting)).toHaveLength(LOBBY_MAX);
  expect(reduce(waiting, arrive('late'), 0).refusal).toBe('ROOM_FULL');
});

test('a Room is in the regions of whoever opened it: others bring the same, or none', () => {
  const held = run(room(), [claim('ada', 'eu', 'us'), { kind: 'placed', peerId: ada, placement }]);
  expect(held.regions).toEqual(['eu', 'us']);
  for (const event of [arrive('bo'), claim('bo', 'eu', 'us')]) {
    const step = reduce(held, event, 0);
    expect([step.refusal, step.state.regions]).toEqual([undefined, ['eu', 'us']]);
  }
  for (const other of [['eu'], ['eu', 'us', 'ap'], ['ap']]) {
    const step = reduce(held, claim('bo', ...other), 0);
    expect([step.refusal, step.state]).toEqual(['NO_REGION', held]);
  }
  // Nobody said so when it was opened: its media may be anywhere.
  expect(reduce(run(room(), enter('ada')), claim('bo', 'eu'), 0).refusal).toBe('NO_REGION');
  // Whoever comes after everybody left opens it anew.
  const again = run(held, [{ kind: 'leave', peerId: ada }, claim('bo', 'ap')]);
  expect(again.regions).toEqual(['ap']);
});

test('a host lets nobody into a full Room, and unlocking lets in who fits, first come first', () => {
  const state = run(room(), [...enter('ada'), ...enter('bo'), lock, arrive('cy'), arrive('di')]);
  const admitted = run(state, [{ kind: 'admit', peerId: ada, target: 'cy' as PeerId }]);
  expect(reduce(admitted, { kind: 'admit', peerId: ada, target: 'di' as PeerId }, 0).refusal).toBe('ROOM_FULL');
  expect(reduce(admitted, { kind: 'admit', peerId: ada, target: 'cy' as PeerId }, 0)).toEqual({
    state: admitted,
    effects: [],
  });
  expect(lobbyOf(run(state, [unlock])).map((knock) => knock.peerId)).toEqual(['di']);
});

test('the first who may speak is host of an ad-hoc Room; a viewer never; nobody where tokens say who is', () => {
  expect(roleOf(run(room(), [arrive('ada')]), 'ada')).toBe('host');
  const afterViewer = run(room(), [...enter('vi', 'viewer'), arrive('ada')]);
  expect([roleOf(afterViewer, 'vi'), roleOf(afterViewer, 'ada')]).toEqual(['viewer', 'host']);
  expect(roleOf(run(room({ ...open, firstIsHost: false }), [arrive('ada')]), 'ada')).toBe('speaker');
});

test('when the last host goes, who is there longest and may speak takes over and sees the lobby', () => {
  const state = run(room(), [...enter('ada'), ...enter('vi', 'viewer'), ...enter('bo'), lock, arrive('di')]);
  const { state: next, effects } = reduce(state, { kind: 'leave', peerId: ada }, 0);
  expect([roleOf(next, 'vi'), roleOf(next, 'bo')]).toEqual(['viewer', 'host']);
  const told = effects.flatMap((effect) => (effect.kind === 'tell' ? [[effect.event.name, effect.peerIds]] : []));
  expect(told).toEqual([
    ['peerLeft', ['vi', 'bo']],
    ['peerRole', ['vi', 'bo']],
    ['lobby', ['bo']],
  ]);
});

test('who was kicked comes back through the lobby only, even when the Room is open, until a host admits', () => {
  const kicked = run(room(), [...enter('ada'), ...enter('bo'), { kind: 'kick', peerId: ada, target: 'bo' as PeerId }]);
  const again = run(kicked, [arrive('bo2', 'host', 'bo'), lock, unlock]);
  expect(lobbyOf(again).map((knock) => knock.peerId)).toEqual(['bo2']);
  const pardoned = run(again, [{ kind: 'admit', peerId: ada, target: 'bo2' as PeerId }]);
  expect(pardoned.removed).toEqual([]);
});

test('who was kicked does not become host of a Room whose hosts have gone', () => {
  const events = [...enter('ada'), ...enter('bo'), ...enter('vi', 'viewer')];
  const state = run(room(), [
    ...events,
    { kind: 'kick', peerId: ada, target: 'bo' as PeerId },
    { kind: 'leave', peerId: ada },
    arrive('bo2', 'speaker', 'bo'),
  ]);
  expect([roleOf(state, 'bo2'), state.peers.get('bo2' as PeerId)?.status]).toEqual(['speaker', 'waiting']);
});

test('a Peer is told why it was lost, unless nobody is there to tell', () => {
  const state = run(room(), [...enter('ada'), ...enter('bo')]);
  const ends = (code: 'WORKER_DIED' | 'DISCONNECTED') =>
    reduce(state, { kind: 'lost', peerId: ada, code }, 0).effects.filter((effect) => effect.kind === 'end');
  expect(ends('WORKER_DIED')).toEqual([{ kind: 'end', peerId: ada, code: 'WORKER_DIED' }]);
  expect(ends('DISCONNECTED')).toEqual([]);
});

test('a Room remembers only so many of those it removed', () => {
  const flood = Array.from({ length: REMOVED_MAX + 5 }, (_, n) => n).flatMap((n): RoomEvent[] => [
    arrive(`p${n}`),
    { kind: 'kick', peerId: ada, target: `p${n}` as PeerId },
  ]);
  const { removed } = run(room(), [...enter('ada'), ...flood]);
  expect([removed.length, removed.at(-1)]).toEqual([REMOVED_MAX, `p${REMOVED_MAX + 4}`]);
});

test('what a Peer may consume: what is there, not its own, not twice', () => {
  const camera = { kind: 'video', source: 'camera', paused: false, placement } as const;
  const state = run(room(), [
    ...enter('ada'),
    ...enter('bo'),
    { kind: 'produced', peerId: ada, producer: { ...camera, producerId: 'pa' as never } },
    { kind: 'produced', peerId: 'bo' as PeerId, producer: { ...camera, producerId: 'pb' as never } },
  ]);
  const ids = ['pa', 'pb', 'gone', 'pb'] as never[];
  expect(consumable(state, ada, ids)).toEqual(['pb']);
  const asked = reduce(state, { kind: 'consume', peerId: ada, producerIds: ids }, 0);
  expect(asked.effects).toEqual([{ kind: 'putDemand' }]);
  expect(consumable(asked.state, ada, ids)).toEqual([]);
});

test('whose Producer somebody cannot decode is told, and nobody else', () => {
  const camera = { kind: 'video', source: 'camera', paused: false, placement, producerId: 'pb' as never } as const;
  const bo = 'bo' as PeerId;
  const opened = run(room(), [...enter('ada'), ...enter('bo'), { kind: 'produced', peerId: bo, producer: camera }]);
  const state = run(opened, [{ kind: 'consume', peerId: ada, producerIds: [camera.producerId] }]);
  const failed = { kind: 'consumeFailed', peerId: ada, producerId: camera.producerId } as const;
  expect(reduce(state, failed, 0).effects).toEqual([{ kind: 'putDemand' }]);
  const body = { producerId: camera.producerId };
  expect(reduce(state, { ...failed, undecodable: true }, 0).effects).toEqual([
    { kind: 'tell', peerIds: [bo], event: { name: 'producerUndecodable', body } },
    { kind: 'putDemand' },
  ]);
  expect(reduce(opened, { ...failed, undecodable: true }, 0).effects).toEqual([]);
});

test('a lock keeps nobody out who was inside and lost the connection, only who left or was kicked', () => {
  const state = run(room(), [...enter('ada'), ...enter('bo'), lock]);
  expect(statusOf(run(state, [cut('bo'), arrive('bo-2', 'speaker', 'bo')]), 'bo-2')).toBe('placing');
  // The new connection may be here before the old one is given up.
  expect(statusOf(run(state, [arrive('bo-2', 'speaker', 'bo'), cut('bo')]), 'bo-2')).toBe('placing');
  const left = run(state, [{ kind: 'leave', peerId: 'bo' as PeerId }, arrive('bo-2', 'speaker', 'bo')]);
  expect(statusOf(left, 'bo-2')).toBe('waiting');
  const kick: RoomEvent = { kind: 'kick', peerId: ada, target: 'bo-2' as PeerId };
  const kicked = run(state, [cut('bo'), ...enter('bo-2', 'speaker', 'bo'), kick, arrive('bo-3', 'speaker', 'bo')]);
  expect(statusOf(kicked, 'bo-3')).toBe('waiting');
  // Who never came in has nothing to come back to.
  const knocked = run(state, [arrive('cy'), cut('cy'), arrive('cy-2', 'speaker', 'cy')]);
  expect(statusOf(knocked, 'cy-2')).toBe('waiting');
});
