import { expect, test } from 'vitest';
import { Orphans } from './orphans.ts';
import type { Rooms } from './rooms.ts';

test('what one life of signaling left is closed although its next life is connected', () => {
  const closed: string[] = [];
  const owner = { processId: 'signaling-1', incarnation: 'inc_1', seenAt: 0 };
  const peers = ['talks', 'gone'].map((id) => ({ id, connected: id === 'talks' }));
  const room = { owner, peers, pipes: [], closePeer: (id: string) => closed.push(id) };
  const rooms = { list: () => [room] } as unknown as Rooms;
  const orphans = new Orphans();
  orphans.sweep(rooms, () => 'inc_1', 120_000);
  orphans.sweep(rooms, () => 'inc_2', 179_999);
  expect(closed).toEqual([]);
  orphans.sweep(rooms, () => 'inc_2', 180_000);
  expect(closed).toEqual(['gone']);
});
