/** Tokens of every issuer, and every way in which one is none: all are refused alike. */
import { RoomId } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT, type JWTPayload, type JWK } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { tokenVerifier } from './tokens.ts';

const SECRET = 'a secret of the customer, long enough';
const clock = virtualClock();
const exp = Math.floor(clock.now() / 1_000) + 600;
const claims = { room: 'demo', role: 'host', sub: 'ada', jti: 'one', exp };

type Signer = Parameters<SignJWT['sign']>[0];
let own: Signer;
let ownPublic: JWK;
let theirs: Signer;
let stranger: Signer;
let verify: Awaited<ReturnType<typeof tokenVerifier>>;
const shared = new TextEncoder().encode(SECRET);

async function pair() {
  const { privateKey, publicKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  return { privateKey, jwk: await exportJWK(publicKey) };
}

beforeAll(async () => {
  const [us, them, other] = await Promise.all([pair(), pair(), pair()]);
  [own, theirs, stranger, ownPublic] = [us.privateKey, them.privateKey, other.privateKey, us.jwk];
  const issuers = [
    { iss: 'their-service', key: { kty: 'OKP' as const, crv: 'Ed25519' as const, x: them.jwk.x ?? '' } },
  ];
  const apiKeys = [{ id: 'backend', secret: SECRET }];
  verify = await tokenVerifier({ own: (await importJWK(us.jwk, 'EdDSA')) as never, apiKeys, issuers }, clock);
});

function token(key: Signer, alg: string, payload: JWTPayload, header: object = { typ: 'JWT' }): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg, ...header }).sign(key);
}

test('ours, a backend’s with an API key, and another service’s are taken, each by its own key', async () => {
  expect(await verify(await token(own, 'EdDSA', claims))).toEqual({
    room: RoomId.parse('demo'),
    sub: 'ada',
    role: 'host',
    tokenId: 'one',
    expiresAt: exp * 1_000,
  });
  const backend = await token(shared, 'HS256', { ...claims, iss: 'backend' });
  expect(await verify(backend)).toMatchObject({ tokenId: 'backend/one' });
  const jkt = 'k'.repeat(43);
  const service = await token(theirs, 'EdDSA', { ...claims, iss: 'their-service', cnf: { jkt } });
  expect(await verify(service)).toMatchObject({ tokenId: 'their-service/one', device: jkt });
});

test('regions come out each once and in order, so that one list is one list', async () => {
  const regions = ['us', 'eu', 'us'];
  expect(await verify(await token(own, 'EdDSA', { ...claims, regions }))).toMatchObject({ regions: ['eu', 'us'] });
});

const bad: [what: string, make: () => Promise<string> | string][] = [
  ['nothing', () => ''],
  ['garbage', () => 'a.b.c'],
  ["a stranger's key", () => token(stranger, 'EdDSA', claims)],
  ["a stranger's key in another's name", () => token(stranger, 'EdDSA', { ...claims, iss: 'their-service' })],
  ['another secret', () => token(new TextEncoder().encode(`${SECRET}!`), 'HS256', { ...claims, iss: 'backend' })],
  ['an unknown issuer', () => token(theirs, 'EdDSA', { ...claims, iss: 'nobody' })],
  ['an unknown API key', () => token(shared, 'HS256', { ...claims, iss: 'nobody' })],
  ['a shared secret without a name', () => token(shared, 'HS256', claims)],
  ['another service in our name', () => token(theirs, 'EdDSA', claims)],
  ['our key in the name of a backend', () => token(own, 'EdDSA', { ...claims, iss: 'backend' })],
  ['no algorithm', () => unsigned({ alg: 'none', typ: 'JWT' }, claims)],
  ['no algorithm in the name of a backend', () => unsigned({ alg: 'none', typ: 'JWT' }, { ...claims, iss: 'backend' })],
  ['HS512 with the right secret', () => token(shared, 'HS512', { ...claims, iss: 'backend' })],
  [
    'HS256 with our public key for a secret, as JWK',
    () => token(new TextEncoder().encode(JSON.stringify(ownPublic)), 'HS256', claims),
  ],
  [
    'HS256 with our public key for a secret, as PEM',
    async () => token(new TextEncoder().encode(await pem()), 'HS256', { ...claims, iss: 'their-service' }),
  ],
  ['an expired one', () => token(own, 'EdDSA', { ...claims, exp: exp - 1_000 })],
  ['an expired one of a backend', () => token(shared, 'HS256', { ...claims, iss: 'backend', exp: exp - 1_000 })],
  ['one without an end', () => token(own, 'EdDSA', { ...claims, exp: undefined })],
  ['one of others that ends next year', () => token(shared, 'HS256', { ...claims, iss: 'backend', exp: exp + 3e7 })],
  ['one without a number', () => token(own, 'EdDSA', { ...claims, jti: undefined })],
  ['a number that is too long', () => token(own, 'EdDSA', { ...claims, jti: 'x'.repeat(65) })],
  ['no Room', () => token(own, 'EdDSA', { ...claims, room: undefined })],
  ['a Room that is no id', () => token(own, 'EdDSA', { ...claims, room: '../etc' })],
  ['a role that there is not', () => token(own, 'EdDSA', { ...claims, role: 'owner' })],
  ['a device that is no hash', () => token(own, 'EdDSA', { ...claims, cnf: { jkt: 'short' } })],
  ['a Room that may be nowhere', () => token(own, 'EdDSA', { ...claims, regions: [] })],
  ['a region that is no name', () => token(own, 'EdDSA', { ...claims, regions: ['eu', 'E U'] })],
  ['regions that are no list', () => token(own, 'EdDSA', { ...claims, regions: 'eu' })],
  ['more regions than there can be', () => token(own, 'EdDSA', { ...claims, regions: Array(65).fill('eu') })],
  ['another type', () => token(own, 'EdDSA', claims, { typ: 'veilcast-leaf' })],
  ['no type', () => token(own, 'EdDSA', claims, {})],
  ['a huge one', () => token(own, 'EdDSA', { ...claims, more: 'x'.repeat(9_000) })],
];

test.each(bad)('%s is refused', async (_what, make) => {
  const refusal: unknown = await verify(await make()).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'UNAUTHORIZED' });
  expect((refusal as Error).cause).toBeUndefined();
  expect(String(refusal)).not.toMatch(/ada|demo/);
});

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function unsigned(header: object, payload: object): string {
  return `${part(header)}.${part(payload)}.`;
}

async function pem(): Promise<string> {
  return exportSPKI((await importJWK({ ...ownPublic, ext: true }, 'EdDSA', { extractable: true })) as never);
}
