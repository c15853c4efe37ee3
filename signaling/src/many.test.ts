/** Several signaling processes: a socket on any of them reaches the Room, and a Peer goes on by another. */
import { newDevice } from '@veilcast/e2ee/identity';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fixture, until, type Client, type Started } from './testing/fixture.ts';

const VIDEO = { kind: 'video', source: 'camera', rtpParameters: { codecs: [] }, paused: false } as const;

let fixture: Fixture;
let other: Started;
beforeEach(async () => {
  fixture = await Fixture.open({ oneRoot: true, config: { ownerSearchMs: 2_000, leaseTtlMs: 1_000 } });
  other = await fixture.start('sig-2');
});
afterEach(() => fixture.close());

/** Ada with the owner of the Room, Bob with the other process. */
async function two(): Promise<{ ada: Client; bob: Client }> {
  const ada = await fixture.enter({ region: 'eu' });
  const bob = await fixture.enter({ region: 'us', url: other.url });
  await ada.event('peerJoined', ({ peer }) => peer.peerId === bob.peerId);
  return { ada, bob };
}

test('people at two processes are in one Room, and hear each other and what the Room says to all', async () => {
  const { ada, bob } = await two();
  const third = await fixture.enter({ url: other.url });
  await Promise.all([ada, bob].map((one) => one.event('peerJoined', ({ peer }) => peer.peerId === third.peerId)));
  const { producerId } = await bob.request('produce', VIDEO);
  await Promise.all([ada, third].map((one) => one.event('producerOpened')));
  const { consumers } = await ada.request('consume', { producerIds: [producerId], rtpCapabilities: {} });
  expect(consumers).toMatchObject([{ producerId, peerId: bob.peerId }]);
  await ada.request('setLocked', { locked: true });
  await Promise.all([bob, third].map((one) => one.event('roomLocked')));
  // Refusals come back as they were said.
  await expect(bob.request('kick', { peerId: ada.peerId })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await expect(bob.request('closeProducer', { producerId: 'prod_x' })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  await ada.request('kick', { peerId: third.peerId });
  await until(() => third.ended === 'REMOVED');
  await bob.request('leave', {});
  await ada.event('peerLeft', ({ peerId }) => peerId === bob.peerId);
});

test('who knocks at one process is let in by a host at the other', async () => {
  const { ada } = await two();
  await ada.request('setLocked', { locked: true });
  const guest = fixture.client(other.url);
  expect(await guest.join(await fixture.token())).toEqual({ status: 'waiting' });
  await guest.request('knock', { name: 'Grace' });
  const { waiting } = await ada.event('lobby', (body) => body.waiting[0]?.name === 'Grace');
  await ada.request('admit', { peerId: waiting[0].peerId });
  expect((await guest.event('admitted')).admission.peers).toHaveLength(2);
});

test.each(['the same process', 'another process'])(
  'who lost their socket goes on by %s: nothing lost, nothing twice, nobody told',
  async (where) => {
    const { ada, bob } = await two();
    bob.breakOff();
    await ada.request('setLocked', { locked: true });
    await ada.request('setLocked', { locked: false });
    const back = await bob.resumed(where === 'another process' ? fixture.main.url : other.url);
    fixture.clients.push(back);
    await back.event('roomLocked', ({ locked }) => !locked);
    expect(back.names()).toEqual(['roomLocked', 'roomLocked']);
    await ada.request('setLocked', { locked: true });
    await until(() => back.names().length === 3);
    await back.request('produce', VIDEO);
    await ada.event('producerOpened');
    expect(ada.names().filter((name) => name === 'peerLeft' || name === 'peerJoined')).toEqual(['peerJoined']);
  },
);

test('when the link to the owner breaks, the sockets stay and hear the Room under the key that they have', async () => {
  const { ada, bob } = await two();
  const third = await fixture.enter({ url: other.url });
  await ada.request('setLocked', { locked: true });
  await Promise.all([bob, third].map((one) => one.event('roomLocked')));
  fixture.world.hub.breakLinks('sig-2');
  // The owner answers them again: each has been found by its own way back.
  await Promise.all([bob, third].map((one) => one.request('produce', VIDEO)));
  await ada.request('setLocked', { locked: false });
  await Promise.all([bob, third].map((one) => one.event('roomLocked', ({ locked }) => !locked)));
  expect([bob.socket.connected, third.socket.connected]).toEqual([true, true]);
});

test('the Rooms of a process that is dead are taken over without waiting for their Leases', async () => {
  await fixture.close();
  fixture = await Fixture.open({ oneRoot: true, config: { ownerSearchMs: 5_000, leaseTtlMs: 600_000 } });
  other = await fixture.start('sig-2');
  const { bob } = await two();
  const leases = fixture.world.context('sig-2').coordination.leases;
  const before = await leases.read('room/demo');
  fixture.world.hub.kill('sig-1');
  // Its next owner knows nobody.
  await until(() => bob.ended === 'NOT_OWNER');
  expect(await fixture.client(other.url).join(await fixture.token())).toMatchObject({ status: 'admitted' });
  const after = await leases.read('room/demo');
  expect(before?.owner).toMatch(/^sig-1/);
  expect(after?.owner).toMatch(/^sig-2/);
  expect(after!.term).toBeGreaterThan(before!.term);
});

test('a request takes effect once, however often and by whichever process it comes', async () => {
  const { ada, bob } = await two();
  const answers = [await bob.request('produce', VIDEO)];
  const id = bob.lastId;
  let last = bob;
  for (const url of [other.url, fixture.main.url]) {
    last = await last.resumed(url);
    fixture.clients.push(last);
    const answer = await last.raw({ id, name: 'produce', body: VIDEO });
    answers.push((answer as unknown as { result: (typeof answers)[0] }).result);
    // Nor is it taken twice from one socket.
    expect(await last.raw({ id, name: 'produce', body: VIDEO })).toMatchObject({ error: { code: 'REPLAYED' } });
  }
  expect(answers[1]).toEqual(answers[0]);
  expect(answers[2]).toEqual(answers[0]);
  expect(fixture.us.calls('produce')).toHaveLength(1);
  expect(ada.names().filter((name) => name === 'producerOpened')).toHaveLength(1);
});

test('nobody resumes as somebody else, nor after they have left', async () => {
  const { ada, bob } = await two();
  bob.peerId = ada.peerId;
  const stranger = fixture.client(other.url, await newDevice());
  stranger.peerId = ada.peerId;
  await expect(stranger.resumed(other.url)).rejects.toMatchObject({ code: 'NOT_JOINED' });
  await ada.request('leave', {});
  await expect(ada.resumed(fixture.main.url)).rejects.toMatchObject({ code: 'NOT_JOINED' });
  await expect(ada.resumed(fixture.main.url, 'nowhere')).rejects.toMatchObject({ code: 'NOT_JOINED' });
});
