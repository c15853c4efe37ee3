/** A customer's own Authentication Service: its bundles are taken from its people and from nobody else, and are what members believe. */
import { memoryCoordination, MemoryStore } from '@veilcast/coordination';
import {
  acceptHead,
  checkAttestation,
  CLOCK_SLACK_MS,
  nameOf,
  newDevice,
  proveDevice,
  signBundle,
  type BundleClaims,
  type Device,
} from '@veilcast/e2ee/identity';
import { signatures, type SigningKey } from '@veilcast/e2ee/pq';
import { ParticipantId, PROTOCOL_VERSION, RoomId, type RequestBody } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { createAuthority, type Authority, type AuthorityDocument } from './authority.ts';
import { base64Url } from './bytes.ts';
import { LoggedIdentities } from './identities.ts';
import { sharedStore } from './kept-list.ts';
import { Fixture, LEAF_KEY } from './testing/fixture.ts';
import type { Issuer } from './tokens.ts';
import { BROUGHT_AHEAD_MS } from './vouching.ts';

const room = RoomId.parse('demo');
const user = ParticipantId.parse('ada');
const leaf = new Uint8Array(32).fill(5);
const HOUR_MS = 3_600_000;
const ISS = 'https://people.example.org';

let clock: ReturnType<typeof virtualClock>;
let theirs: { readonly tokens: CryptoKey; readonly root: SigningKey };
let authority: Authority;
let identities: LoggedIdentities;
let device: Device;
let issuers: Issuer[];

beforeEach(async () => {
  clock = virtualClock();
  const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { x = '' } = await exportJWK(pair.publicKey);
  theirs = { tokens: pair.privateKey, root: await signatures.generate() };
  const root = base64Url(theirs.root.publicKey);
  issuers = [{ iss: ISS, key: { kty: 'OKP', crv: 'Ed25519', x }, root }];
  authority = await createAuthority({ clock, tokenTtlMs: HOUR_MS, credentialTtlMs: HOUR_MS, issuers });
  const shared = memoryCoordination(new MemoryStore(clock));
  identities = await LoggedIdentities.open({
    authority,
    clock,
    leases: shared.leases,
    bundleTtlMs: 24 * HOUR_MS,
    logStore: sharedStore(shared, 'bundles'),
    revocationStore: sharedStore(shared, 'revoked'),
  });
  device = await newDevice();
});

function theirToken(now = clock.now()): Promise<string> {
  return new SignJWT({ room, role: 'speaker', sub: user, iss: ISS, jti: 'one', exp: Math.floor(now / 1_000) + 3_600 })
    .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT' })
    .sign(theirs.tokens);
}

function bundleOf(change: Partial<BundleClaims> = {}, by = theirs.root): Promise<Uint8Array> {
  const times = { issuedAt: clock.now(), expiresAt: clock.now() + HOUR_MS };
  return signBundle({ user, device: device.device, key: device.publicKey, ...times, ...change }, by);
}

async function joining(token: string, bundle?: Uint8Array): Promise<RequestBody<'join'>> {
  const proof = await proveDevice(device, { token, leaf, now: clock.now() });
  const body = { version: PROTOCOL_VERSION, token, leafKey: base64Url(leaf), device: proof, probes: [] } as const;
  return { ...body, probes: [], ...(bundle && { bundle }) };
}

test('what their service signed is logged once, and believed by who believes that service', async () => {
  const token = await theirToken();
  const bundle = await bundleOf();
  const { proven } = await identities.admit(await joining(token, bundle));
  await identities.admit(await joining(token, bundle));
  expect([proven.bundle, identities.log.size]).toEqual([bundle, 1]);
  const shown = await identities.attested(proven);
  const { root, vouchers } = authority.publicKey();
  expect(vouchers).toEqual([base64Url(theirs.root.publicKey)]);
  const own = new Uint8Array(Buffer.from(root, 'base64url'));
  const head = await acceptHead(shown.head, own, signatures);
  if (head === undefined) throw new Error('no head');
  const told = { user, room, leaf, bundle: new Uint8Array(Buffer.from(proven.bundleName, 'base64url')) };
  const by = (...believed: Uint8Array[]) =>
    checkAttestation(shown.attestation, head, told, { vouchers: believed, signatures });
  expect(await by(theirs.root.publicKey)).toMatchObject({ bundle: { user, key: device.publicKey } });
  expect(await by(own, theirs.root.publicKey)).toMatchObject({ bundle: { user } });
  expect(await by(own)).toBe('bad-bundle');
  expect(await by()).toBe('bad-bundle');
});

describe('BAD_DEVICE', () => {
  const cases: [what: string, make: () => Promise<Uint8Array | undefined>][] = [
    ['no bundle', async () => undefined],
    ['a bundle of another root', async () => bundleOf({}, await signatures.generate())],
    ['a bundle of another user', () => bundleOf({ user: ParticipantId.parse('eve') })],
    ['a bundle of another device', () => bundleOf({ device: new Uint8Array(16) })],
    ['a bundle of another key', async () => bundleOf({ key: (await newDevice()).publicKey })],
    ['a bundle that is over', () => bundleOf({ issuedAt: 1, expiresAt: clock.now() })],
    ['a bundle from the future', () => bundleOf({ issuedAt: clock.now() + CLOCK_SLACK_MS + 1 })],
    ['a bundle without end', () => bundleOf({ expiresAt: clock.now() + BROUGHT_AHEAD_MS + 1 })],
    ['a bundle with a changed bit', async () => (await bundleOf()).map((byte, at) => (at === 40 ? byte ^ 1 : byte))],
    ['no bundle at all', async () => new Uint8Array(9)],
  ];
  test.each(cases)('for %s', async (_what, make) => {
    const body = await joining(await theirToken(), await make());
    await expect(identities.admit(body)).rejects.toMatchObject({ code: 'BAD_DEVICE' });
    expect(identities.log.size).toBe(0);
  });

  test('for a bundle of theirs with a token of ours: each vouches for its own people', async () => {
    const token = await authority.issueToken({ room, sub: user, role: 'host' });
    const body = await joining(token, await bundleOf());
    await expect(identities.admit(body)).rejects.toMatchObject({ code: 'BAD_DEVICE' });
    expect((await identities.admit(await joining(token))).proven.bundle).not.toEqual(await bundleOf());
  });
});

test('a device of theirs that was revoked is out, whatever they sign', async () => {
  const token = await theirToken();
  const { proven } = await identities.admit(await joining(token, await bundleOf()));
  await identities.revokeLogged({ user });
  expect(identities.isRevoked(proven.key)).toBe(true);
  await expect(identities.admit(await joining(token, await bundleOf()))).rejects.toMatchObject({ code: 'REVOKED' });
});

test('over the wire: in with its bundle, shown to the others, and believed under that root alone', async () => {
  const fixture = await Fixture.open({ config: { issuers } });
  try {
    const now = Date.now();
    const token = await theirToken(now);
    const proof = await proveDevice(device, { token, leaf: new Uint8Array(32), now });
    const body = { version: PROTOCOL_VERSION, token, leafKey: LEAF_KEY, device: proof, probes: [] } as const;
    const join = { ...body, probes: [] };
    const ada = fixture.client(fixture.main.url, device);
    await expect(ada.request('join', join)).rejects.toMatchObject({ code: 'BAD_DEVICE' });
    const bundle = await bundleOf({ issuedAt: now, expiresAt: now + HOUR_MS });
    const joined = await ada.request('join', { ...join, bundle });
    if (joined.status !== 'admitted') throw new Error('not admitted');
    const bob = await fixture.enter();
    const { head, attestations } = await bob.request('attestations', { peers: [joined.admission.peerId] });
    const told = (await (await fetch(`${fixture.main.url}/api/authority`)).json()) as AuthorityDocument;
    const [root, theirRoot] = [told.root, ...told.vouchers].map((key) => new Uint8Array(Buffer.from(key, 'base64url')));
    if (root === undefined || theirRoot === undefined) throw new Error('not told whose word it is');
    expect(theirRoot).toEqual(theirs.root.publicKey);
    const seen = await acceptHead(head, root, signatures);
    const shown = { user, room, leaf: new Uint8Array(32), bundle: nameOf(bundle) };
    if (seen === undefined || attestations[0] === undefined) throw new Error('nothing is shown');
    const by = (vouchers: readonly Uint8Array[]) =>
      checkAttestation(attestations[0]?.attestation ?? new Uint8Array(), seen, shown, { vouchers, signatures });
    expect(await by([theirRoot])).toMatchObject({ bundle: { user } });
    expect(await by([root])).toBe('bad-bundle');
  } finally {
    await fixture.close();
  }
});
