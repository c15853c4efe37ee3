/** Who goes, and what goes with whom: nothing may be left on a Node, in the store or in this process. */
import { jsonOf, resultOf } from '@veilcast/control';
import { ClusterError } from '@veilcast/protocol';
import { afterEach, expect, test } from 'vitest';
import { DTLS } from './testing/fake-cluster.ts';
import { Fixture, until, type Client } from './testing/fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

const VIDEO = { kind: 'video', source: 'camera', rtpParameters: { codecs: [] }, paused: false } as const;

function leases() {
  return fixture.world.context('a test').coordination.leases;
}

async function nothingIsLeft(): Promise<void> {
  await until(() => fixture.eu.holds + fixture.us.holds === 0, 'the Nodes to be empty');
  await until(async () => (await leases().read('room/demo')) === undefined, 'the Lease to be free');
  await until(async () => (await fixture.metric('veilcast_signaling_rooms')) === 0, 'the Room to be gone');
}

async function busyRoom(): Promise<readonly [Client, Client]> {
  const ada = await fixture.enter({ region: 'eu' });
  const bob = await fixture.enter({ region: 'us' });
  const { producerId } = await bob.request('produce', VIDEO);
  await ada.request('consume', { producerIds: [producerId], rtpCapabilities: {} });
  return [ada, bob];
}

test('a Peer that vanishes is told of as lost, and with the last one everything is given back', async () => {
  fixture = await Fixture.open();
  const [ada, bob] = await busyRoom();
  bob.close();
  expect(await ada.event('peerLeft')).toEqual({ peerId: bob.peerId, reason: 'lost' });
  ada.close();
  await nothingIsLeft();
  expect(fixture.eu.calls('closeRoom').length + fixture.us.calls('closeRoom').length).toBe(2);
  expect(fixture.cascade.calls('putDemand').at(-1)).toMatchObject({ peers: [], producers: [], wants: [] });
});

test('30 joins and leaves in a row leave nothing, and every meeting has a Term of its own', async () => {
  fixture = await Fixture.open();
  for (let turn = 0; turn < 30; turn++) {
    const client = await fixture.enter();
    if (turn % 3 === 0) await client.request('produce', VIDEO);
    if (turn % 2 === 0) await client.request('leave', {});
    else client.close();
    if (turn % 5 === 0) await nothingIsLeft();
  }
  await nothingIsLeft();
  const terms = [...fixture.eu.seen, ...fixture.us.seen]
    .filter(({ name }) => name === 'openPeer')
    .map(({ term }) => term);
  expect(Math.max(...terms)).toBeGreaterThan(5);
  await until(async () => (await fixture.metric('veilcast_signaling_sockets')) === 0);
});

test('transports that are made after their Peer went are closed again', async () => {
  fixture = await Fixture.open();
  let made: (() => void) | undefined;
  fixture.eu.answers.openPeer = async ({ peerId }) => {
    await new Promise<void>((resolve) => (made = resolve));
    fixture.eu.peers.set(peerId, 'demo');
    return resultOf('openedPeer', {});
  };
  const client = fixture.client();
  void client.join(await fixture.token(), 'eu').catch(() => undefined);
  await until(() => made !== undefined);
  client.close();
  await until(async () => (await fixture.metric('veilcast_signaling_peers')) === 0);
  made?.();
  await nothingIsLeft();
});

test('a Producer that is made after its Peer went is closed again', async () => {
  fixture = await Fixture.open();
  await fixture.enter({ region: 'us' });
  let made: (() => void) | undefined;
  let late = '';
  fixture.eu.answers.produce = async ({ producerId, peerId, kind }) => {
    await new Promise<void>((resolve) => (made = resolve));
    late = producerId;
    fixture.eu.producers.set(producerId, { peerId, kind, roomId: 'demo' });
    return resultOf('produced', {});
  };
  const client = await fixture.enter({ region: 'eu' });
  void client.request('produce', VIDEO).catch(() => undefined);
  await until(() => made !== undefined);
  client.close();
  await until(() => fixture.eu.peers.size === 0);
  made?.();
  await until(() => fixture.eu.calls('closeProducer').some(({ producerId }) => producerId === late));
  expect(fixture.eu.holds).toBe(0);
});

test('a close that a Node did not take is repeated', async () => {
  fixture = await Fixture.open();
  await fixture.enter({ region: 'us' });
  const client = await fixture.enter({ region: 'eu' });
  fixture.eu.answers.closePeer = () => {
    delete fixture.eu.answers.closePeer;
    throw new ClusterError('OVERLOADED');
  };
  client.close();
  await until(() => fixture.eu.calls('closePeer').length === 1);
  expect(fixture.eu.holds).toBe(1);
  await until(() => fixture.eu.holds === 0);
  expect(await fixture.metric('veilcast_signaling_effects_failed_total{call="closePeer",code="OVERLOADED"}')).toBe(1);
});

test('a Room that ended while its Node was away is closed there when it is back', async () => {
  fixture = await Fixture.open();
  const client = await fixture.enter({ region: 'eu' });
  await client.request('produce', VIDEO);
  let away = true;
  fixture.eu.answers.closePeer = () => {
    throw new ClusterError('OVERLOADED');
  };
  fixture.eu.answers.closeRoom = () => {
    if (away) throw new ClusterError('OVERLOADED');
    fixture.eu.producers.clear();
    fixture.eu.peers.clear();
  };
  client.close();
  await until(async () => (await leases().read('room/demo')) === undefined);
  expect(fixture.eu.holds).toBe(2);
  away = false;
  await until(() => fixture.eu.holds === 0);
});

test('what a former owner left on a Node that this one never used is closed with the Room', async () => {
  fixture = await Fixture.open();
  await (await fixture.enter({ region: 'eu' })).request('leave', {});
  await until(async () => (await leases().read('room/demo')) === undefined);
  fixture.us.peers.set('peer_old', 'demo');
  await (await fixture.enter({ region: 'eu' })).request('leave', {});
  await until(() => fixture.us.peers.size === 0);
});

test('a Room whose Lease could not be given back does not go on under its Term', async () => {
  fixture = await Fixture.open({ config: { leaseTtlMs: 1_500 } });
  const { leases: store } = fixture.world.context('sig-1').coordination;
  const release = store.release.bind(store);
  store.release = () => Promise.reject(new ClusterError('INTERNAL'));
  await (await fixture.enter({ region: 'eu' })).request('leave', {});
  await until(() => fixture.eu.calls('closeRoom').length === 1);
  store.release = release;
  await until(() =>
    fixture.enter({ region: 'eu' }).then(
      () => true,
      () => false,
    ),
  );
  expect(fixture.eu.seen.filter(({ name }) => name === 'openPeer').map(({ term }) => term)).toEqual([1, 2]);
});

test('what a former owner left on a Node is closed when its media is over', async () => {
  fixture = await Fixture.open();
  await fixture.enter({ region: 'eu' });
  fixture.us.peers.set('peer_old', 'demo');
  await fixture.enter({ region: 'us' });
  const gone = { roomId: 'demo', peerId: 'peer_old', transportId: 't' };
  fixture.us.gone('transportChanged', { ...gone, state: 'disconnected' });
  fixture.us.gone('transportChanged', { ...gone, state: 'closed' });
  await until(() => fixture.us.calls('closePeer').some(({ peerId }) => peerId === 'peer_old'));
  expect(fixture.us.peers.size).toBe(1);
});

test('a Node that takes nobody is passed over; when all refuse, the join says so and may be tried again', async () => {
  fixture = await Fixture.open();
  let refusals = 0;
  const refuse = (): never => {
    refusals += 1;
    throw new ClusterError('NODE_DRAINING');
  };
  fixture.eu.answers.openPeer = refuse;
  await fixture.enter();
  expect(refusals).toBeLessThanOrEqual(1);
  fixture.us.answers.openPeer = refuse;
  const client = fixture.client();
  const token = await fixture.token();
  await expect(client.join(token)).rejects.toMatchObject({ code: 'NODE_DRAINING' });
  delete fixture.eu.answers.openPeer;
  delete fixture.us.answers.openPeer;
  expect(await client.join(token)).toMatchObject({ status: 'admitted' });
});

test('a full cluster says when to come again', async () => {
  fixture = await Fixture.open();
  fixture.cascade.answers.place = () => {
    throw new ClusterError('CLUSTER_FULL', undefined, { retryMs: 1_234 });
  };
  const refused = fixture.client().join(await fixture.token());
  await expect(refused).rejects.toMatchObject({ code: 'CLUSTER_FULL', retryMs: 1_234 });
  await nothingIsLeft();
});

test('who stood on a Node that is lost keeps the seat, and is told of the new place in one message', async () => {
  fixture = await Fixture.open();
  const [ada, bob] = await busyRoom();
  const [{ producerId } = { producerId: undefined }] = fixture.eu.calls('consume');
  await fixture.us.close();
  const { place } = await bob.event('moved');
  expect(place).toMatchObject({ nodeId: fixture.eu.processId, region: 'eu' });
  expect(place.sendTransport.id).toBe(`${bob.peerId}.s`);
  expect(await ada.event('producerClosed')).toEqual({ peerId: bob.peerId, producerId });
  // It was meant for the old place: the Peer has not said that it knows of the new one.
  await expect(bob.request('produce', VIDEO)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  await bob.request('connectTransport', { transportId: place.sendTransport.id, dtlsParameters: DTLS });
  const again = await bob.request('produce', VIDEO);
  await ada.event('producerOpened', ({ producer }) => producer.producerId === again.producerId);
  const { consumers } = await ada.request('consume', { producerIds: [again.producerId], rtpCapabilities: {} });
  expect(consumers).toHaveLength(1);
  for (const client of [ada, bob]) {
    expect(client.ended).toBeUndefined();
    for (const never of ['peerLeft', 'peerJoined', 'groupRemove'])
      expect(client.names().slice(client.names().indexOf('producerClosed'))).not.toContain(never);
  }
  ada.close();
  bob.close();
  await until(() => fixture.eu.holds === 0, 'the Node that is left to be empty');
});

test('a dead Worker moves its Peers; a transport that failed ends its Peer', async () => {
  fixture = await Fixture.open();
  const [ada, bob] = await busyRoom();
  const transportId = `${ada.peerId}.r`;
  const transport = { roomId: 'demo', peerId: ada.peerId, transportId };
  fixture.eu.gone('transportChanged', { ...transport, state: 'disconnected' });
  fixture.us.gone('peerGone', { roomId: 'demo', peerId: bob.peerId, reason: 'WORKER_DIED' });
  expect(await bob.event('moved')).toMatchObject({ place: { nodeId: fixture.eu.processId } });
  expect(ada.ended).toBeUndefined();
  // Late words of the place where it stood before change nothing.
  fixture.us.gone('peerGone', { roomId: 'demo', peerId: bob.peerId, reason: 'WORKER_DIED' });
  fixture.eu.gone('transportChanged', { ...transport, state: 'failed' });
  await until(() => ada.ended === 'TRANSPORT_FAILED');
  expect(bob.names().filter((name) => name === 'moved')).toHaveLength(1);
  bob.close();
  await nothingIsLeft();
});

test('a close that is repeated does not close what was opened there after it', async () => {
  fixture = await Fixture.open();
  const bob = await fixture.enter({ region: 'us' });
  let tries = 0;
  fixture.us.answers.closePeer = () => {
    tries += 1;
    throw new ClusterError('OVERLOADED');
  };
  const nodeId = fixture.us.processId;
  fixture.cascade.answers.place = () => resultOf('placed', { nodeId, workerId: `${nodeId}/0.1`, region: 'us' });
  fixture.us.gone('peerGone', { roomId: 'demo', peerId: bob.peerId, reason: 'WORKER_DIED' });
  await bob.event('moved');
  // Longer than the wait before an act is repeated.
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  expect(tries).toBe(1);
});

test('another process that owns the Room is not fought; when it lets go, the Room is ours', async () => {
  fixture = await Fixture.open({ config: { ownerSearchMs: 300 } });
  const second = await fixture.start('sig-2');
  const token = await fixture.token();
  const owner = fixture.client();
  await owner.join(token);
  // Its own Authentication Service would refuse the token, so it is the Lease that is asked here.
  expect(await leases().acquire('room/demo', 'sig-2/x', 1_000)).toMatchObject({ kind: 'refused' });
  expect(second.signaling.ready()).toBe(true);
  await owner.request('leave', {});
  await nothingIsLeft();
  const taken = await leases().acquire('room/demo', 'somebody', 60_000);
  const refused = fixture.client().join(token);
  await expect(refused).rejects.toMatchObject({ code: 'NOT_OWNER', retry: 'elsewhere' });
  await leases().release(taken.lease);
  expect(await fixture.client().join(token)).toMatchObject({ status: 'admitted' });
});

test('when the Lease is lost, everybody is sent elsewhere and no Node is called again', async () => {
  fixture = await Fixture.open({ config: { leaseTtlMs: 1_500, demandEveryMs: 30, ownerSearchMs: 300 } });
  const [ada, bob] = await busyRoom();
  const lease = await leases().read('room/demo');
  await leases().release(lease!);
  await leases().acquire('room/demo', 'somebody', 60_000);
  await until(() => ada.ended === 'NOT_OWNER' && bob.ended === 'NOT_OWNER');
  const before = fixture.eu.seen.length + fixture.us.seen.length + fixture.cascade.seen.length;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(fixture.eu.seen.length + fixture.us.seen.length + fixture.cascade.seen.length).toBe(before);
  expect(await fixture.metric('veilcast_signaling_leases_lost_total')).toBe(1);
  expect(await leases().read('room/demo')).toMatchObject({ owner: 'somebody' });
});

test('a Node that has seen a newer Term ends our ownership at once', async () => {
  fixture = await Fixture.open();
  const [ada, bob] = await busyRoom();
  fixture.eu.answers.pauseConsumers = () => {
    throw new ClusterError('STALE_TERM');
  };
  const consumerId = [...fixture.eu.consumers.keys()][0];
  await ada.request('resumeConsumers', { consumerIds: [consumerId as never] });
  await until(() => ada.ended === 'NOT_OWNER' && bob.ended === 'NOT_OWNER');
});

test('a process that stops sends everybody elsewhere, frees its Rooms and leaves the media alone', async () => {
  fixture = await Fixture.open();
  const [ada, bob] = await busyRoom();
  const held = fixture.eu.holds + fixture.us.holds;
  await fixture.main.signaling.close();
  await until(() => ada.ended === 'CHANNEL_CLOSED' && bob.ended === 'CHANNEL_CLOSED');
  expect(await leases().read('room/demo')).toBeUndefined();
  expect(fixture.eu.holds + fixture.us.holds).toBe(held);
  expect(fixture.main.signaling.ready()).toBe(false);
});

test('two who come at once to an empty Room share one Term; one who comes while it closes gets the next', async () => {
  fixture = await Fixture.open();
  const token = await fixture.token();
  const crowd = Array.from({ length: 8 }, () => fixture.client());
  await Promise.all(crowd.map((client) => client.join(token)));
  expect(new Set([...fixture.eu.seen, ...fixture.us.seen].map(({ term }) => term))).toEqual(new Set([1]));
  const late = fixture.client();
  for (const client of crowd) client.close();
  await until(() => fixture.eu.calls('closeRoom').length > 0);
  expect(await late.join(token)).toMatchObject({ status: 'admitted' });
  const last = [...fixture.eu.seen, ...fixture.us.seen].filter(({ name }) => name === 'openPeer').at(-1);
  expect(fixture.eu.peers.size + fixture.us.peers.size).toBe(1);
  expect(last).toBeDefined();
});

test('what a Node told of as gone before its answer was read is not believed to be there', async () => {
  fixture = await Fixture.open();
  const [ada, bob] = await busyRoom();
  const peer = { roomId: 'demo', peerId: ada.peerId };
  fixture.eu.answers.consume = ({ producerId }) => {
    fixture.eu.gone('consumerGone', { ...peer, consumerId: 'cons_brief', producerId });
    const fields = { consumerId: 'cons_brief', kind: 'video', type: 'simple', rtpParameters: jsonOf({}) };
    return resultOf('consumed', { ...fields, path: ['node-eu'] });
  };
  const { producerId } = await bob.request('produce', { ...VIDEO, source: 'screen' });
  const consumed = await ada.request('consume', { producerIds: [producerId], rtpCapabilities: {} });
  expect(consumed).toEqual({ consumers: [] });
  delete fixture.eu.answers.consume;
  const again = await ada.request('consume', { producerIds: [producerId], rtpCapabilities: {} });
  expect(again.consumers).toHaveLength(1);

  fixture.us.answers.openPeer = ({ peerId }) => {
    fixture.us.gone('peerGone', { roomId: 'demo', peerId, reason: 'WORKER_DIED' });
    return resultOf('openedPeer', {
      routerRtpCapabilities: jsonOf({}),
      send: { id: 's', iceParameters: jsonOf({}), iceCandidates: jsonOf([]), dtlsParameters: jsonOf(DTLS) },
      recv: { id: 'r', iceParameters: jsonOf({}), iceCandidates: jsonOf([]), dtlsParameters: jsonOf(DTLS) },
    });
  };
  const refused = fixture.client().join(await fixture.token(), 'us');
  await expect(refused).rejects.toMatchObject({ code: 'WORKER_DIED' });
});

test('a Consumer whose Peer went is not waited for', async () => {
  fixture = await Fixture.open();
  const [, bob] = await busyRoom();
  let aborted = false;
  fixture.eu.answers.consume = (_, { signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        aborted = true;
        reject(new ClusterError('CLOSED'));
      });
    });
  const { producerId } = await bob.request('produce', { ...VIDEO, source: 'screen' });
  const cid = await fixture.enter({ region: 'eu' });
  void cid.request('consume', { producerIds: [producerId], rtpCapabilities: {} }).catch(() => undefined);
  await until(() => fixture.eu.calls('consume').length === 2);
  cid.close();
  await until(() => aborted);
});
