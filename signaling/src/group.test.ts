/** The MLS group through signaling: real members on real sockets, and those who cheat. */
import { afterEach, expect, test } from 'vitest';
import { Fixture, until } from './testing/fixture.ts';
import { GroupMember } from './testing/group-member.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

async function agree(members: readonly GroupMember[]): Promise<void> {
  await until(async () => {
    const codes = new Set(await Promise.all(members.map((member) => member.code())));
    const listed = new Set(await Promise.all(members.map(async (member) => (await member.members()).join())));
    const wanted = members
      .map(({ client }) => client.peerId)
      .sort()
      .join();
    return codes.size === 1 && listed.size === 1 && listed.has(wanted);
  }, 'the members to agree');
}

test('a crowd enters one by one, everybody has the same keys, and a kick takes them from one', async () => {
  fixture = await Fixture.open();
  const members: GroupMember[] = [];
  for (let count = 0; count < 4; count++) members.push(await GroupMember.enter(fixture));
  await agree(members);
  const [host, kicked, ...rest] = members as [GroupMember, GroupMember, ...GroupMember[]];
  await host.say('hello');
  await until(() => rest.every(({ heard }) => heard.includes('hello')));

  const before = await kicked.code();
  await host.client.request('kick', { peerId: kicked.client.peerId });
  await agree([host, ...rest]);
  expect(await host.code()).not.toBe(before);
  expect(await kicked.code()).toBe(before);
  await host.say('among us');
  await until(() => rest.every(({ heard }) => heard.includes('among us')));
  expect(kicked.heard).toEqual(['hello']);

  const again = await GroupMember.enter(fixture);
  await agree([host, ...rest, again]);
  // On a slow machine two may be asked to remove the same member, and one of them comes second.
  expect(members.flatMap(({ refused }) => refused).filter((code) => code !== 'EPOCH_CONFLICT')).toEqual([]);
  expect(await fixture.metric('veilcast_signaling_commits_total{result="accepted"}')).toBe(6);
  expect(await fixture.metric('veilcast_signaling_removal_seconds_count')).toBe(1);
});

test('a crowd that comes at once is let in together, and everybody has the same keys', async () => {
  fixture = await Fixture.open();
  const first = await GroupMember.enter(fixture);
  await until(() => first.epoch === 0);
  const crowd = await Promise.all(Array.from({ length: 9 }, () => GroupMember.enter(fixture)));
  const members = [first, ...crowd];
  await agree(members);
  const admitted = members.reduce((sum, member) => sum + member.admitted, 0);
  expect(admitted).toBeGreaterThan(1);
  expect(first.epoch).toBeLessThan(crowd.length);
  const offer = crowd[0].client.request('groupOffer', { keyPackage: new Uint8Array(9) });
  await expect(offer).rejects.toMatchObject({ code: 'COMMIT_INVALID' });
});

test('members who vanish at once are removed, and who lost its place comes back', async () => {
  fixture = await Fixture.open();
  const members: GroupMember[] = [];
  for (let count = 0; count < 5; count++) members.push(await GroupMember.enter(fixture));
  await agree(members);
  members[0].client.close();
  members[3].client.close();
  const left = [members[1], members[2], members[4]];
  await agree(left);
  left[1].state = undefined;
  await left[1].client.request('groupRejoin', {});
  await agree(left);
});

test('a Commit that is not what it is said to be is refused with a code, and the group goes on without it', async () => {
  fixture = await Fixture.open();
  const first = await GroupMember.enter(fixture);
  await until(() => first.epoch === 0);
  const other = await GroupMember.enter(fixture, 'other');
  await until(() => other.epoch === 0);

  const cheats: ((body: Parameters<GroupMember['tamper']>[0]) => ReturnType<GroupMember['tamper']>)[] = [
    (body) => ({ ...body, commit: new Uint8Array([1, 2, 3]) }),
    (body) => ({ ...body, groupInfo: new Uint8Array([1, 2, 3]) }),
    (body) => ({ ...body, groupInfo: body.commit! }),
    (body) => ({ ...body, commit: undefined }),
    (body) => ({ ...body, removes: [first.client.peerId] }),
    (body) => ({ ...body, ticket: undefined }),
  ];
  for (const cheat of cheats) {
    const cheater = await GroupMember.enter(fixture);
    cheater.tamper = cheat;
    await until(() => cheater.refused.length > 0);
    expect(cheater.refused[0]).toBe('COMMIT_INVALID');
    cheater.client.close();
  }
  const honest = await GroupMember.enter(fixture);
  await agree([first, honest]);
  expect(first.epoch).toBe(1);
  expect(await fixture.metric('veilcast_signaling_commits_total{result="COMMIT_INVALID"}')).toBe(cheats.length);
});

test('one that enters under the credential of another is refused', async () => {
  fixture = await Fixture.open();
  const first = await GroupMember.enter(fixture);
  await until(() => first.epoch === 0);
  let stolen: Parameters<GroupMember['tamper']>[0] | undefined;
  const victim = await GroupMember.enter(fixture);
  victim.tamper = (body) => {
    stolen = body;
    return { ...body, commit: new Uint8Array([1]) };
  };
  await until(() => victim.refused.length > 0);
  victim.client.close();
  const thief = await GroupMember.enter(fixture);
  thief.tamper = (body) => ({ ...stolen!, ticket: body.ticket });
  await until(() => thief.refused.length > 0);
  expect(thief.refused[0]).toBe('COMMIT_INVALID');
});

test('a message of an outsider, of an old Epoch, or to nobody is refused', async () => {
  fixture = await Fixture.open();
  const first = await GroupMember.enter(fixture);
  await until(() => first.epoch === 0);
  const outsider = await fixture.enter();
  const sealed = new Uint8Array([1, 2, 3]);
  for (const client of [outsider, first.client]) {
    const refused = client.request('groupMessage', { epoch: 7, sealed });
    await expect(refused).rejects.toMatchObject({ name: 'ClusterError' });
  }
});

test('a slow reader is dropped with its Peer, and the others hear on', async () => {
  fixture = await Fixture.open({
    limits: { sendBufferMax: 300_000, bytesPerSecond: 1e8, bytesBurst: 1e8, requestsBurst: 2_000 },
  });
  const [writer, reader, slow] = [
    await GroupMember.enter(fixture),
    await GroupMember.enter(fixture),
    await GroupMember.enter(fixture),
  ];
  await agree([writer, reader, slow]);
  const transport = slow.client.socket.io.engine.transport as unknown as { ws: { _socket: { pause(): void } } };
  transport.ws._socket.pause();
  const sealed = new Uint8Array(60_000);
  const slowSockets = () => fixture.metric('veilcast_signaling_slow_sockets_total');
  for (let turn = 0; turn < 1_500 && (await slowSockets()) === 0; turn++) {
    await writer.client.request('groupMessage', { epoch: writer.epoch, sealed }).catch(() => undefined);
  }
  expect(await slowSockets()).toBe(1);
  await reader.client.event('peerLeft', ({ peerId }) => peerId === slow.client.peerId);
  expect(reader.client.socket.connected).toBe(true);
});
