/** Two and more people in one Room, over real sockets and real Channels. */
import { Admission, type ProducerId, type TransportId } from '@veilcast/protocol';
import { afterEach, expect, test } from 'vitest';
import { DTLS } from './testing/fake-cluster.ts';
import { Fixture, until, type Client } from './testing/fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

const VIDEO = { kind: 'video', source: 'camera', rtpParameters: { codecs: [] }, paused: false } as const;
const AUDIO = { kind: 'audio', source: 'microphone', rtpParameters: { codecs: [] }, paused: false } as const;

async function produce(client: Client): Promise<ProducerId> {
  return (await client.request('produce', VIDEO)).producerId;
}

test('a join is answered with a whole Admission, the credential signed for this Peer', async () => {
  fixture = await Fixture.open();
  const client = fixture.client();
  const joined = await client.join(await fixture.token('demo', 'speaker'), 'us');
  if (joined.status !== 'admitted') throw new Error('not admitted');
  const admission = Admission.parse(joined.admission);
  expect(admission).toMatchObject({ roomId: 'demo', region: 'us', nodeId: 'node-us', role: 'host', peers: [] });
  const claims = JSON.parse(atob(admission.credential.split('.')[1])) as Record<string, unknown>;
  expect(claims).toMatchObject({ v: 2, room: 'demo', peer: admission.peerId, leaf: 'A'.repeat(43) });
  expect(fixture.us.calls('openPeer')).toHaveLength(1);
  expect(fixture.us.seen[0]).toMatchObject({ roomId: 'demo', term: 1 });
  expect(await fixture.metric('veilcast_signaling_joins_total{result="admitted"}')).toBe(1);
});

test('two Peers see each other come, produce, pause and go; each consumes the other', async () => {
  fixture = await Fixture.open();
  const ada = await fixture.enter({ region: 'eu' });
  const bob = await fixture.enter({ region: 'us' });
  const seen = await ada.event('peerJoined');
  expect(seen.peer).toMatchObject({ peerId: bob.peerId, region: 'us', role: 'speaker' });

  const producerId = await produce(bob);
  expect((await ada.event('producerOpened')).producer).toMatchObject({ producerId, peerId: bob.peerId });
  const { consumers } = await ada.request('consume', { producerIds: [producerId], rtpCapabilities: {} });
  expect(consumers).toMatchObject([{ producerId, peerId: bob.peerId, type: 'simulcast', producerPaused: false }]);
  const demand = fixture.cascade.calls('putDemand').at(-1)!;
  expect(demand.wants).toMatchObject([{ producerId, workerId: 'node-eu/0' }]);

  const { consumerId } = consumers[0];
  await ada.request('resumeConsumers', { consumerIds: [consumerId] });
  await until(() => fixture.eu.consumers.get(consumerId)?.paused === false);
  await ada.request('showTiles', { tiles: [{ producerId, width: 100, height: 80, visible: true }] });
  await until(() => fixture.eu.calls('setLayers').at(-1)?.spatial === 0);
  await ada.request('showTiles', { tiles: [] });
  await until(() => fixture.eu.consumers.get(consumerId)?.paused === true);

  await bob.request('pauseProducer', { producerId });
  expect(await ada.event('producerPaused')).toMatchObject({ producerId, paused: true });
  await bob.request('leave', {});
  await ada.event('producerClosed');
  expect(await ada.event('peerLeft')).toMatchObject({ peerId: bob.peerId, reason: 'left' });
  await until(() => fixture.us.holds === 0);
});

test('the demand grows in version and is repeated without a change', async () => {
  fixture = await Fixture.open({ config: { demandEveryMs: 20 } });
  await fixture.enter();
  await until(() => fixture.cascade.calls('putDemand').length >= 4);
  const versions = fixture.cascade.calls('putDemand').map(({ version }) => version);
  expect(versions).toEqual([...versions].sort((a, b) => Number(a - b)));
  expect(new Set(versions).size).toBe(versions.length);
  expect(fixture.cascade.calls('putDemand').at(-1)?.peers).toHaveLength(1);
});

test('transports are connected and restarted by their owner only', async () => {
  fixture = await Fixture.open();
  const ada = await fixture.enter();
  const bob = await fixture.enter();
  const transportId = `${ada.peerId}.s` as TransportId;
  await ada.request('connectTransport', { transportId, dtlsParameters: DTLS });
  const { iceParameters } = await ada.request('restartIce', { transportId });
  expect(iceParameters).toEqual({ usernameFragment: 'again' });
  await expect(bob.request('restartIce', { transportId })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('who knocks at a locked Room waits, is seen with a name, and comes in when a host says so', async () => {
  fixture = await Fixture.open();
  const host = await fixture.enter();
  await host.request('setLocked', { locked: true });
  const guest = fixture.client();
  expect(await guest.join(await fixture.token())).toEqual({ status: 'waiting' });
  await expect(guest.request('produce', AUDIO)).rejects.toMatchObject({ code: 'NOT_JOINED' });
  await guest.request('knock', { name: 'Grace' });
  const { waiting } = await host.event('lobby', (body) => body.waiting[0]?.name === 'Grace');
  await host.request('admit', { peerId: waiting[0].peerId });
  const { admission } = await guest.event('admitted');
  expect(Admission.parse(admission).peers).toMatchObject([{ peerId: host.peerId }]);
  await guest.request('produce', AUDIO);
});

test('who is denied or kicked is told so and is gone everywhere', async () => {
  fixture = await Fixture.open();
  const host = await fixture.enter({ region: 'us' });
  const kicked = await fixture.enter({ region: 'eu' });
  await produce(kicked);
  await expect(kicked.request('kick', { peerId: host.peerId })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await host.request('kick', { peerId: kicked.peerId });
  await until(() => kicked.ended === 'REMOVED' && !kicked.socket.connected);
  expect(await host.event('peerLeft')).toMatchObject({ peerId: kicked.peerId, reason: 'removed' });
  await until(() => fixture.eu.holds === 0);

  await host.request('setLocked', { locked: true });
  const denied = fixture.client();
  await denied.join(await fixture.token());
  const { waiting } = await host.event('lobby', (body) => body.waiting.length > 0);
  await host.request('deny', { peerId: waiting[0].peerId });
  await until(() => denied.ended === 'DENIED');
});

test('a viewer produces nothing, and the Node is not even asked', async () => {
  fixture = await Fixture.open();
  await fixture.enter();
  const viewer = await fixture.enter({ role: 'viewer' });
  await expect(viewer.request('produce', VIDEO)).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect([...fixture.eu.calls('produce'), ...fixture.us.calls('produce')]).toEqual([]);
});

test('a Producer that the Node closed is told to all; a Consumer to whom it was; layers too', async () => {
  fixture = await Fixture.open();
  const ada = await fixture.enter({ region: 'eu' });
  const bob = await fixture.enter({ region: 'eu' });
  const producerId = await produce(bob);
  const { consumers } = await ada.request('consume', { producerIds: [producerId], rtpCapabilities: {} });
  const { consumerId } = consumers[0];
  const peer = { roomId: 'demo', peerId: ada.peerId };
  fixture.eu.gone('layersChanged', { ...peer, consumerId, spatial: 1, temporal: -1 });
  expect(await ada.event('consumerLayers')).toEqual({ consumerId, spatial: 1, temporal: null });
  // Another Node has nothing to say of this Peer.
  fixture.us.gone('consumerGone', { ...peer, consumerId, producerId });
  fixture.eu.gone('consumerGone', { ...peer, consumerId, producerId });
  expect(await ada.event('consumerClosed')).toEqual({ consumerId, producerId });
  expect(ada.names().filter((name) => name === 'consumerClosed')).toHaveLength(1);
  fixture.eu.gone('producerGone', { roomId: 'demo', peerId: bob.peerId, producerId });
  expect(await ada.event('producerClosed')).toMatchObject({ producerId });
});

test('in a batch, what is gone is left out; when nothing comes, the reason is told', async () => {
  fixture = await Fixture.open();
  const ada = await fixture.enter({ region: 'eu' });
  const bob = await fixture.enter({ region: 'eu' });
  const camera = await produce(bob);
  const { producerId: sound } = await bob.request('produce', AUDIO);
  const both = { producerIds: [camera, sound, 'prod_gone' as ProducerId], rtpCapabilities: {} };
  const { consumers } = await ada.request('consume', both);
  expect(consumers.map(({ producerId }) => producerId).sort()).toEqual([camera, sound].sort());
  expect(await ada.request('consume', both)).toEqual({ consumers: [] });
});
