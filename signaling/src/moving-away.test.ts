/** A Peer is moved off a Node that drains, over real sockets and real Channels: first the new place, then the old one goes. */
import type { ProducerId } from '@veilcast/protocol';
import { afterEach, expect, test } from 'vitest';
import { DTLS } from './testing/fake-cluster.ts';
import { Fixture, until, type Client } from './testing/fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

const VIDEO = { kind: 'video', source: 'camera', rtpParameters: { codecs: [] }, paused: false } as const;

async function consume(client: Client, producerId: ProducerId): Promise<string> {
  const { consumers } = await client.request('consume', { producerIds: [producerId], rtpCapabilities: {} });
  return consumers[0].consumerId;
}

test('a Peer sends from its new place too, and the old one is closed when nobody watches it any more', async () => {
  fixture = await Fixture.open();
  const ada = await fixture.enter({ region: 'eu' });
  const bob = await fixture.enter({ region: 'us' });
  const { producerId: old } = await bob.request('produce', VIDEO);
  const seen = await consume(ada, old);
  for (let asked = 0; asked < 3; asked += 1) {
    fixture.us.gone('peerMustMove', { roomId: 'demo', peerId: bob.peerId });
  }
  const { place } = await bob.event('moving');
  expect(place.nodeId).toBe('node-eu');
  await bob.request('connectTransport', { transportId: place.sendTransport.id, dtlsParameters: DTLS });
  const { producerId: fresh } = await bob.request('produce', VIDEO);
  expect((await ada.event('producerOpened', ({ producer }) => producer.producerId === fresh)).producer).toMatchObject({
    replaces: old,
  });
  await bob.request('moved', {});
  const next = await consume(ada, fresh);
  // It watches both; the old one still lives.
  expect(fixture.us.producers.has(old)).toBe(true);
  await ada.request('closeConsumers', { consumerIds: [seen as never] });
  await until(() => fixture.us.holds === 0);
  expect(await bob.event('producerClosed')).toMatchObject({ peerId: bob.peerId, producerId: old });
  expect(fixture.eu.consumers.has(next)).toBe(true);
  expect(bob.names().filter((name) => name === 'moving')).toHaveLength(1);
  expect(ada.names()).not.toContain('peerLeft');
});

test('who has nowhere to go stays, and the old place dying first only ends the move', async () => {
  fixture = await Fixture.open();
  const bob = await fixture.enter({ region: 'us' });
  fixture.eu.answers.openPeer = () => {
    throw new Error('not now');
  };
  fixture.us.gone('peerMustMove', { roomId: 'demo', peerId: bob.peerId });
  await until(() => fixture.eu.calls('openPeer').length > 0);
  await until(
    async () => (await fixture.metric('veilcast_signaling_effects_failed_total{call="move",code="INTERNAL"}')) > 0,
    'a failure',
  );
  expect(bob.names()).not.toContain('moving');
  delete fixture.eu.answers.openPeer;
  fixture.us.gone('peerMustMove', { roomId: 'demo', peerId: bob.peerId });
  await bob.event('moving');
  await fixture.us.close();
  await until(() => fixture.cascade.calls('putDemand').at(-1)?.peers.at(0)?.workerId === 'node-eu/0');
  expect(bob.names()).not.toContain('moved');
  expect(bob.names()).not.toContain('ended');
});
