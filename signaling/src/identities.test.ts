/** Devices at the door: what one must show, what it is then vouched for, and what becomes of one that is revoked. */
import { memoryCoordination, MemoryStore } from '@veilcast/coordination';
import {
  acceptHead,
  checkAttestation,
  decodeBundle,
  encodeProof,
  hexNameOf,
  nameOf,
  newDevice,
  proveDevice,
  signSelfRevocation,
  signStatement,
  tokenBinding,
  type Device,
  type StatementClaims,
} from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { ParticipantId, PROTOCOL_VERSION, RoomId } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createAuthority, type Authority } from './authority.ts';
import { LoggedIdentities } from './identities.ts';
import { sharedStore } from './kept-list.ts';
import { fileLogStore } from './log-store.ts';
import { fileRevocationStore } from './revocation-store.ts';

const room = RoomId.parse('demo');
const sub = ParticipantId.parse('ada');
const leaf = new Uint8Array(32).fill(5);
const leafKey = Buffer.from(leaf).toString('base64url');
const HOUR_MS = 3_600_000;
const rootSeed = new Uint8Array(32).fill(3);

let clock: ReturnType<typeof virtualClock>;
let authority: Authority;
let identities: LoggedIdentities;
let device: Device;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veilcast-identity-'));
  clock = virtualClock();
  authority = await createAuthority({ clock, tokenTtlMs: HOUR_MS, credentialTtlMs: HOUR_MS, rootSeed });
  identities = await openWith(false);
  device = await newDevice();
});
afterEach(async () => {
  await identities.close();
  await rm(dir, { recursive: true });
});

async function openWith(kept: boolean, store = new MemoryStore(clock)): Promise<LoggedIdentities> {
  const shared = memoryCoordination(store);
  return LoggedIdentities.open({
    authority,
    clock,
    leases: shared.leases,
    bundleTtlMs: 24 * HOUR_MS,
    logStore: kept ? await fileLogStore(join(dir, 'log')) : sharedStore(shared, 'bundles'),
    revocationStore: kept ? fileRevocationStore(join(dir, 'revoked')) : sharedStore(shared, 'revoked'),
  });
}

async function joining(token: string, by = device) {
  const proof = await proveDevice(by, { token, leaf, now: clock.now() });
  return { version: PROTOCOL_VERSION, token, leafKey, device: proof, probes: [] };
}

async function enter(by = device, bound?: Device) {
  const name = bound && Buffer.from(nameOf(bound.publicKey)).toString('base64url');
  const token = await authority.issueToken({ room, sub, role: 'host', ...(name ? { device: name } : {}) });
  return identities.admit(await joining(token, by));
}

test('what a device is given holds for every member: a bundle in the log under a signed head', async () => {
  const { proven } = await enter(device, device);
  const { attestation, head: bytes } = await identities.attested(proven);
  const root = new Uint8Array(Buffer.from(authority.publicKey().root, 'base64url'));
  const head = (await acceptHead(bytes, root, signatures))!;
  const bundle = new Uint8Array(Buffer.from(proven.bundleName, 'base64url'));
  const found = await checkAttestation(
    attestation,
    head,
    { user: sub, room, leaf, bundle },
    { vouchers: [root], signatures },
  );
  expect(found).toMatchObject({ bundle: { user: 'ada', key: device.publicKey, device: device.device } });
});

test('a bundle is given again until half of its life is over, and only to the same user and key', async () => {
  const first = await enter();
  expect((await enter()).proven.bundleName).toBe(first.proven.bundleName);
  expect((await enter(await newDevice())).proven.bundleName).not.toBe(first.proven.bundleName);
  await clock.advance(12 * HOUR_MS + 1);
  const later = await enter();
  expect(later.proven.bundleName).not.toBe(first.proven.bundleName);
  expect(decodeBundle(later.proven.bundle)?.expiresAt).toBe(clock.now() + 24 * HOUR_MS);
  expect(identities.log.size).toBe(3);
});

describe('a device that does not show that it is one', () => {
  const changed: [what: string, change: Partial<StatementClaims>][] = [
    ['another Room', { room: RoomId.parse('other') }],
    ['another leaf key', { leaf: new Uint8Array(32) }],
    ['another token', { binding: tokenBinding('another') }],
    ['an end in the past', { expiresAt: 1 }],
    ['an end next year', { expiresAt: 4e13 }],
  ];

  test.each(changed)('BAD_DEVICE for a statement over %s', async (_what, change) => {
    const token = await authority.issueToken({ room, sub, role: 'host' });
    const expiresAt = clock.now() + HOUR_MS;
    const claims = { guest: true, device: device.device, room, leaf, binding: tokenBinding(token), expiresAt };
    const statement = await signStatement({ ...claims, ...change }, device);
    const body = { ...(await joining(token)), device: encodeProof({ key: device.publicKey, statement }) };
    await expect(identities.admit(body)).rejects.toMatchObject({ code: 'BAD_DEVICE' });
    expect(identities.log.size).toBe(0);
  });

  test("BAD_DEVICE for somebody else's key, a changed statement, and bytes that are none", async () => {
    const token = await authority.issueToken({ room, sub, role: 'host' });
    const body = await joining(token);
    const other = await newDevice();
    const foreign = body.device.slice();
    foreign.set(other.publicKey);
    const spoiled = body.device.slice();
    spoiled[spoiled.length - 1] = (spoiled.at(-1) ?? 0) ^ 1;
    for (const bytes of [foreign, spoiled, body.device.slice(0, 1_960), new Uint8Array(6_000), new Uint8Array(1)]) {
      await expect(identities.admit({ ...body, device: bytes })).rejects.toMatchObject({ code: 'BAD_DEVICE' });
    }
    await expect(identities.admit({ ...body, token: `${token}x` })).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  test('WRONG_DEVICE for a token that names another, or an invitation that another has used', async () => {
    const other = await newDevice();
    await expect(enter(device, other)).rejects.toMatchObject({ code: 'WRONG_DEVICE' });
    const invitation = await authority.issueToken({ room, sub, role: 'speaker' });
    await identities.admit(await joining(invitation));
    await identities.admit(await joining(invitation));
    const stolen = identities.admit(await joining(invitation, other));
    await expect(stolen).rejects.toMatchObject({ code: 'WRONG_DEVICE' });
  });
});

test('a device revokes itself once and for all, and everybody is told with a number that grows', async () => {
  identities = await openWith(true);
  const told: number[] = [];
  identities.revoked.onChange((list) => told.push(list.length));
  await enter();
  await identities.revokeItself(await signSelfRevocation(device, clock.now()));
  await identities.revokeItself(await signSelfRevocation(device, clock.now()));
  expect(told).toHaveLength(1);
  await expect(enter()).rejects.toMatchObject({ code: 'REVOKED' });
  await enter(await newDevice());
  await identities.log.close();
  identities = await openWith(true);
  await expect(enter()).rejects.toMatchObject({ code: 'REVOKED' });
  expect(JSON.parse(await readFile(join(dir, 'revoked'), 'utf8'))).toMatchObject({
    number: 1,
    keys: [hexNameOf(device.publicKey)],
  });
});

test('nobody revokes another, nor with an old word', async () => {
  const other = await newDevice();
  const said = await signSelfRevocation(other, clock.now());
  said.set(device.publicKey, 1);
  const stale = await signSelfRevocation(device, clock.now() - 2 * HOUR_MS);
  for (const bytes of [said, stale, new Uint8Array(10)]) {
    await expect(identities.revokeItself(bytes)).rejects.toMatchObject({ code: 'BAD_DEVICE' });
  }
  await enter();
});

test('the log goes on after a restart where it was, without what a crash cut off', async () => {
  identities = await openWith(true);
  await enter();
  await enter(await newDevice());
  const { size } = identities.log;
  const head = await identities.log.head();
  await identities.log.close();
  await writeFile(join(dir, 'log'), new Uint8Array(50), { flag: 'a' });
  identities = await openWith(true);
  expect(identities.log.size).toBe(size);
  await enter(await newDevice());
  const root = new Uint8Array(Buffer.from(authority.publicKey().root, 'base64url'));
  const [before, after] = [await acceptHead(head, root, signatures), identities.log];
  expect(after.consistency(before!.size, after.size).length).toBeGreaterThan(0);
  expect(() => after.consistency(0, 9)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
  expect(after.entries(1, 3).entries).toHaveLength(192);
});

function add(to: LoggedIdentities, n: number): Promise<number> {
  return to.log.append('ada', Uint8Array.of(n), Uint8Array.of(n));
}

describe('two processes under one root', () => {
  test('give out bundles of one log: each shows what the other took in, and the heads extend each other', async () => {
    const store = new MemoryStore(clock);
    const [a, b] = [await openWith(false, store), await openWith(false, store)];
    const people = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        const token = await authority.issueToken({ room, sub, role: 'speaker' });
        return (i % 2 === 0 ? a : b).admit(await joining(token, await newDevice()));
      }),
    );
    expect(people.map(({ proven }) => proven.index).toSorted((x, y) => x - y)).toEqual([0, 1, 2, 3, 4, 5]);
    await Promise.all([a, b].map((one) => one.attestations(people.map(({ proven }) => proven))));
    expect(a.log.entries(0, 6)).toEqual(b.log.entries(0, 6));
    expect(a.log.inclusion(3, 6)).toEqual(b.log.inclusion(3, 6));
    await Promise.all([a.close(), b.close()]);
  });

  test('revoke for both, once', async () => {
    const store = new MemoryStore(clock);
    const [a, b] = [await openWith(false, store), await openWith(false, store)];
    const said = await signSelfRevocation(device, clock.now());
    await Promise.all([a.revokeItself(said), b.revokeItself(said)]);
    expect([a, b].map((one) => one.isRevoked(device.publicKey))).toEqual([true, true]);
    expect(store.journals.get('revoked')?.entries).toEqual([hexNameOf(device.publicKey)]);
    await Promise.all([a.close(), b.close()]);
  });

  test('tell a store that has forgotten what they showed, before anything new', async () => {
    const store = new MemoryStore(clock);
    const [a, b] = [await openWith(false, store), await openWith(false, store)];
    for (const n of [0, 1, 2]) await add(a, n);
    await b.log.reach(3);
    store.forget();
    expect(await add(b, 3)).toBe(3);
    expect(await add(a, 4)).toBe(4);
    expect(b.log.size).toBeGreaterThanOrEqual(4);
    await b.log.reach(5);
    expect(a.log.entries(0, 5)).toEqual(b.log.entries(0, 5));
    await Promise.all([a.close(), b.close()]);
  });
});
