import { verifyCredential } from '@veilcast/e2ee';
import { ParticipantId, PeerId, RoomId } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { exportJWK, generateKeyPair } from 'jose';
import { expect, test } from 'vitest';
import { createAuthority } from './authority.ts';

const room = RoomId.parse('demo');
const sub = ParticipantId.parse('part_1');
const leaf = 'A'.repeat(43);

async function setup() {
  const clock = virtualClock();
  const options = { clock, tokenTtlMs: 60_000, credentialTtlMs: 3_600_000 };
  return { clock, options, authority: await createAuthority(options) };
}

test('a token that it issued is verified until it expires', async () => {
  const { clock, authority } = await setup();
  const token = await authority.issueToken({ room, sub, role: 'viewer' });
  expect(await authority.verifyToken(token)).toMatchObject({ room, sub, role: 'viewer' });
  await clock.advance(61_000);
  await expect(authority.verifyToken(token)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
});

test('every other token is refused, and the refusal repeats nothing of it', async () => {
  const { options, authority } = await setup();
  const token = await authority.issueToken({ room, sub, role: 'host' });
  const [header, , signature] = token.split('.');
  const forged = btoa(JSON.stringify({ room, sub, role: 'host', exp: 9e9 })).replaceAll('=', '');
  const none = btoa(JSON.stringify({ alg: 'none' })).replaceAll('=', '');
  const stranger = await createAuthority(options);
  const credential = await authority.signLeaf({
    room,
    peer: PeerId.parse('peer_1'),
    participant: sub,
    role: 'host',
    leaf,
    bundle: leaf,
  });
  const bad = [
    '',
    'x',
    'a.b.c',
    `${header}.${forged}.${signature}`,
    `${none}.${forged}.`,
    await stranger.issueToken({ room, sub, role: 'host' }),
    credential,
  ];
  for (const text of bad) {
    const refusal = await authority.verifyToken(text).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refusal).toMatchObject({ code: 'UNAUTHORIZED' });
    expect((refusal as Error).cause).toBeUndefined();
    expect(String(refusal)).not.toContain('demo');
  }
});

test('members accept its leaf credentials with the public key alone', async () => {
  const { clock, authority } = await setup();
  const peer = PeerId.parse('peer_1');
  const jws = await authority.signLeaf({ room, peer, participant: sub, role: 'speaker', leaf, bundle: leaf });
  const key = authority.publicKey();
  expect(key).not.toHaveProperty('d');
  expect(await verifyCredential(jws, key, room, clock.now())).toMatchObject({ peerId: peer, participantId: sub });
  expect(await verifyCredential(jws, key, RoomId.parse('other'), clock.now())).toBeUndefined();
  expect(await verifyCredential(jws, key, room, clock.now() + 3_700_000)).toBeUndefined();
});

test('a given key is the same authority after a restart; any other kind of key is refused', async () => {
  const { options } = await setup();
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const key = await exportJWK(pair.privateKey);
  const rootSeed = new Uint8Array(32).fill(7);
  const before = await createAuthority({ ...options, key, rootSeed });
  const after = await createAuthority({ ...options, key, rootSeed });
  expect(after.publicKey()).toEqual(before.publicKey());
  const token = await before.issueToken({ room, sub, role: 'host' });
  expect(await after.verifyToken(token)).toMatchObject({ room });
  await expect(createAuthority({ ...options, key: await exportJWK(pair.publicKey) })).rejects.toThrow();
});
