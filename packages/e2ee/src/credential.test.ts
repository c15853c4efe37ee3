/** Only what the Authentication Service signed, for this Room, this key and now. */
import type { RoomId } from '@veilcast/protocol';
import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { credentialValidator, verifyCredential } from './credential.ts';
import { type Authority, base64Url, claimsOf, library, newAuthority, NOW, ROOM } from './fixture.ts';

let authority: Authority;
let leaf: Uint8Array;
beforeAll(async () => {
  authority = await newAuthority();
  leaf = (await library.generateLeafKey()).publicKey;
});

const verify = (jws: string, now = NOW) => verifyCredential(jws, authority.jwk, ROOM, now);

describe('a good credential', () => {
  it('says who sits there', async () => {
    expect(await verify(await authority.sign(claimsOf('ada', leaf)))).toEqual({
      peerId: 'ada',
      participantId: 'of-ada',
      role: 'speaker',
      leafPublicKey: leaf,
      expiresAt: NOW + 3_600_000,
      bundle: new Uint8Array(32),
    });
  });

  it('holds until it expires and not a millisecond longer', async () => {
    const jws = await authority.sign(claimsOf('ada', leaf));
    expect(await verify(jws, NOW + 3_599_999)).toBeDefined();
    expect(await verify(jws, NOW + 3_600_000)).toBeUndefined();
  });

  it('may say which key signed, and nothing else of keys', async () => {
    const kid = { alg: 'EdDSA', typ: 'veilcast-leaf', kid: 'authority-1' };
    expect(await verify(await authority.sign(claimsOf('ada', leaf), kid))).toBeDefined();
  });
});

describe('refused', () => {
  it.each([
    ['another room', { room: 'other' }],
    ['another version', { v: 1 }],
    ['no peer', { peer: undefined }],
    ['a peer that is no id', { peer: 'a b' }],
    ['a role that does not exist', { role: 'admin' }],
    ['a leaf key of another length', { leaf: base64Url(new Uint8Array(31)) }],
    ['an expiry that is no number', { exp: '9999999999' }],
    ['no expiry', { exp: undefined }],
    ['a claim too many', { admin: true }],
  ])('%s', async (_case, change) => {
    expect(await verify(await authority.sign(claimsOf('ada', leaf, change)))).toBeUndefined();
  });

  it.each([
    ['no algorithm', { alg: 'none', typ: 'veilcast-leaf' }],
    ['a symmetric algorithm', { alg: 'HS256', typ: 'veilcast-leaf' }],
    ['another token of the same authority', { alg: 'EdDSA', typ: 'JWT' }],
    ['no type', { alg: 'EdDSA' }],
    [
      'a key of the sender',
      { alg: 'EdDSA', typ: 'veilcast-leaf', jwk: { kty: 'OKP', crv: 'Ed25519', x: base64Url(new Uint8Array(32)) } },
    ],
    ['critical extensions', { alg: 'EdDSA', typ: 'veilcast-leaf', crit: ['b64'], b64: false }],
  ])('%s', async (_case, header) => {
    expect(await verify(await authority.sign(claimsOf('ada', leaf), header))).toBeUndefined();
  });

  it('another authority, and a key that is not Ed25519', async () => {
    const other = await newAuthority();
    const jws = await other.sign(claimsOf('ada', leaf));
    expect(await verify(jws)).toBeUndefined();
    expect(await verifyCredential(jws, { ...other.jwk, crv: 'X25519' }, ROOM, NOW)).toBeUndefined();
    expect(await verifyCredential(jws, { kty: 'OKP', crv: 'Ed25519' }, ROOM, NOW)).toBeUndefined();
  });

  it('any change of a character', async () => {
    const jws = await authority.sign(claimsOf('ada', leaf));
    for (let at = 0; at < jws.length; at += 3) {
      if (at === jws.length - 1) continue;
      const changed = jws.slice(0, at) + (jws[at] === 'A' ? 'B' : 'A') + jws.slice(at + 1);
      expect(await verify(changed)).toBeUndefined();
    }
  });

  it('parts too few or too many, other alphabets, and any length above the limit', async () => {
    const jws = await authority.sign(claimsOf('ada', leaf));
    const [header = '', payload = '', signature = ''] = jws.split('.');
    for (const text of ['', '.', '..', `${header}.${payload}`, `${jws}.${signature}`, `${jws}=`, ` ${jws}`]) {
      expect(await verify(text)).toBeUndefined();
    }
    expect(
      await verify(
        await authority.sign(claimsOf('ada', leaf), { alg: 'EdDSA', typ: 'veilcast-leaf', kid: 'k'.repeat(1900) }),
      ),
    ).toBeUndefined();
  });

  it('random text, without ever throwing', async () => {
    const part = fc.stringMatching(/^[A-Za-z0-9_-]{0,60}$/);
    const text = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.tuple(part, part, part).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (jws) => {
        expect(await verify(jws)).toBeUndefined();
      }),
      { numRuns: 500 },
    );
  });
});

describe('the validator of a group', () => {
  it('wants the very leaf key of the credential', async () => {
    const validate = credentialValidator(authority.jwk, ROOM, () => NOW);
    const jws = await authority.sign(claimsOf('ada', leaf));
    expect((await validate(jws, leaf))?.peerId).toBe('ada');
    expect(await validate(jws, new Uint8Array(32))).toBeUndefined();
    expect(await validate(jws, leaf.subarray(1))).toBeUndefined();
    const elsewhere = credentialValidator(authority.jwk, 'other' as RoomId, () => NOW);
    expect(await elsewhere(jws, leaf)).toBeUndefined();
  });
});
