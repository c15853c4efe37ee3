/** A Peer that is opened at the second try on the same Node stays open there. */
import { resultOf, type Channel } from '@veilcast/control';
import { createMetrics as createRegistry } from '@veilcast/node-kit';
import { ClusterError, ParticipantId, PeerId, RoomId } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { expect, test } from 'vitest';
import type { Authority } from './authority.ts';
import type { Entrant, Identities } from './identities.ts';
import { createMetrics } from './metrics.ts';
import { makePlace } from './placing.ts';
import { Repeats } from './repeats.ts';
import type { RoomCascade } from './room-cascade.ts';
import { RoomNodes } from './room-nodes.ts';

const room = RoomId.parse('demo');
const peerId = PeerId.parse('peer_1');

async function place(homes: readonly string[], failures: number) {
  const clock = virtualClock();
  const asked: string[] = [];
  const refuse = (): boolean => asked.filter((one) => one.startsWith('openPeer')).length <= failures;
  const channel = (nodeId: string) => ({
    request: async (name: string) => {
      asked.push(`${name} ${nodeId}`);
      // A Channel that is gone refuses the close as well, which is then tried again.
      if (refuse()) throw new ClusterError('CHANNEL_CLOSED');
      const side = { id: 't', iceParameters: { text: '{}' }, iceCandidates: { text: '[]' } };
      const transport = { ...side, dtlsParameters: { text: '{"fingerprints":[{"algorithm":"a","value":"b"}]}' } };
      return resultOf('openedPeer', { routerRtpCapabilities: { text: '{}' }, send: transport, recv: transport }).value;
    },
  });
  const nodes = new RoomNodes({
    cluster: { node: (nodeId) => channel(nodeId) as unknown as Channel, nodeIds: () => [], cascadeRouters: () => [] },
    authority: { roomId: room, term: 1 },
    repeats: new Repeats(clock),
    metrics: createMetrics(createRegistry({ service: 'test' }), { sockets: () => 0, rooms: () => 0, peers: () => 0 }),
    isFirst: true,
    stale: () => undefined,
  });
  let turn = 0;
  const cascade = {
    place: async () => ({ nodeId: homes[turn++], workerId: 'w', region: 'eu' }),
  } as unknown as RoomCascade;
  const authority = { signLeaf: async () => 'leaf' } as unknown as Authority;
  const identities = { attested: async () => ({}) } as unknown as Identities;
  const entrant = { room, sub: ParticipantId.parse('ada'), role: 'speaker', proven: {} } as unknown as Entrant;
  const arrival = { peerId, entrant, leafKey: '', probes: [], region: '' };
  const made = await makePlace({ cascade, nodes, authority, identities }, room, arrival, 'speaker').then(
    ({ placement }) => placement.nodeId,
    (error: ClusterError) => error.code,
  );
  await clock.advance(20_000);
  return { made, closed: asked.filter((one) => one.startsWith('closePeer')) };
}

test('a try that failed is closed where the Peer is not, and never where it is', async () => {
  expect(await place(['a', 'a'], 1)).toEqual({ made: 'a', closed: [] });
  expect(await place(['a', 'b'], 1)).toEqual({ made: 'b', closed: ['closePeer a'] });
  expect((await place(['a', 'a', 'a'], 3)).closed.length).toBe(15);
});
