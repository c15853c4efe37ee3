/** A device that is revoked while it is in a call: it is out at once, the others hear it, and it does not come back. */
import {
  decodeRevocations,
  fingerprintOf,
  hexNameOf,
  newDevice,
  proveDevice,
  signSelfRevocation,
} from '@veilcast/e2ee/identity';
import { PROTOCOL_VERSION } from '@veilcast/protocol';
import { SignJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fixture, LEAF_KEY, until } from './testing/fixture.ts';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await Fixture.open();
});
afterEach(() => fixture.close());

function post(body: Uint8Array, type = 'application/octet-stream'): Promise<Response> {
  const url = `${fixture.main.url}/api/revocations`;
  return fetch(url, { method: 'POST', headers: { 'content-type': type }, body: body.slice() });
}

async function codeOf(response: Response): Promise<string> {
  return ((await response.json()) as { error: { code: string } }).error.code;
}

test('it is ended with REVOKED, its place is empty, and everybody is told the signed list', async () => {
  const ada = await fixture.enter();
  const device = await newDevice();
  const join = async () => {
    const token = await fixture.token();
    const proof = await proveDevice(device, { token, leaf: new Uint8Array(32), now: Date.now() });
    const client = fixture.client(fixture.main.url, device);
    await client.request('join', { version: PROTOCOL_VERSION, token, leafKey: LEAF_KEY, device: proof, probes: [] });
    return client;
  };
  const bob = await join();
  await ada.event('peerJoined');

  expect((await post(await signSelfRevocation(device, Date.now()))).status).toBe(200);
  await until(() => bob.ended === 'REVOKED');
  await ada.event('peerLeft');
  const { list } = await ada.event('revoked');
  expect(decodeRevocations(list)).toMatchObject({
    number: 1,
    revoked: [{ key: hexNameOf(device.publicKey) }],
  });
  expect(ada.ended).toBeUndefined();
  await expect(join()).rejects.toMatchObject({ code: 'REVOKED' });
});

test('what is no word of a device is refused, and nobody is out', async () => {
  const ada = await fixture.enter();
  expect(await codeOf(await post(new Uint8Array(10)))).toBe('BAD_DEVICE');
  expect(await codeOf(await post(new Uint8Array(20_000)))).toBe('OVERSIZE');
  expect(await codeOf(await post(new TextEncoder().encode('{}'), 'application/json'))).toBe('MALFORMED');
  expect(ada.names()).not.toContain('revoked');
});

test('the log answers with proofs, and refuses what it has not', async () => {
  await fixture.enter();
  const get = async (path: string) => fetch(`${fixture.main.url}/api/log/${path}`);
  expect(await (await get('head')).json()).toMatchObject({ head: expect.stringMatching(/^[\w-]{4478}$/) });
  expect(await (await get('consistency?from=0&to=1')).json()).toEqual({ path: [] });
  expect(await (await get('entries?from=0&to=1')).json()).toMatchObject({
    frontier: [],
    entries: expect.stringMatching(/^[\w-]{128}$/),
  });
  for (const [path, code] of [
    ['consistency?from=0&to=9', 'NOT_FOUND'],
    ['consistency?from=1&to=0', 'NOT_FOUND'],
    ['consistency?from=x&to=1', 'MALFORMED'],
    ['consistency', 'MALFORMED'],
    ['entries?from=0&to=9', 'NOT_FOUND'],
    ['entries?from=0&to=1&more=1', 'MALFORMED'],
    ['entries?from=-1&to=1', 'MALFORMED'],
  ] as const) {
    expect([path, await codeOf(await get(path))]).toEqual([path, code]);
  }
});

const API_KEY = { id: 'backend', secret: 'a secret of the backend with 32 letters and more' };

function issued(): Promise<string> {
  return new SignJWT({ room: 'demo', role: 'speaker' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(API_KEY.id)
    .setSubject('ada')
    .setJti(randomUUID())
    .setExpirationTime('5m')
    .sign(new TextEncoder().encode(API_KEY.secret));
}

const OPERATOR_KEY = 'a key of the operator with 32 letters and more';

function revoke(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${fixture.main.url}/api/operator/revocations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

const withKey = { authorization: `Bearer ${OPERATOR_KEY}` };

/** Another cluster: not in development, with or without a key. */
async function production(operatorKey?: string): Promise<void> {
  await fixture.close();
  const config = { apiKeys: [API_KEY], ...(operatorKey === undefined ? {} : { operatorKey }) };
  fixture = await Fixture.open({ policy: { development: false }, config });
}

async function enter(device: Awaited<ReturnType<typeof newDevice>>) {
  const token = await issued();
  const proof = await proveDevice(device, { token, leaf: new Uint8Array(32), now: Date.now() });
  const client = fixture.client(fixture.main.url, device);
  await client.request('join', { version: PROTOCOL_VERSION, token, leafKey: LEAF_KEY, device: proof, probes: [] });
  return client;
}

describe('an operator', () => {
  test('ends a device by the fingerprint that people see, with the key of the operator', async () => {
    await production(OPERATOR_KEY);
    const [lost, kept] = [await newDevice(), await newDevice()];
    const [ada, bob] = [await enter(lost), await enter(kept)];
    const answer = await revoke({ fingerprint: fingerprintOf(lost.publicKey) }, withKey);
    expect(await answer.json()).toEqual({ revoked: 1 });
    await until(() => ada.ended === 'REVOKED');
    const { list } = await bob.event('revoked');
    expect(decodeRevocations(list)?.revoked).toMatchObject([{ key: hexNameOf(lost.publicKey) }]);
    await expect(enter(lost)).rejects.toMatchObject({ code: 'REVOKED' });
    expect(bob.ended).toBeUndefined();
  });

  test('needs the key: none, a wrong one, and any where none is configured are UNAUTHORIZED', async () => {
    await production(OPERATOR_KEY);
    const body = { fingerprint: 'ab'.repeat(24) };
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { authorization: OPERATOR_KEY }]) {
      const answer = await revoke(body, headers as Record<string, string>);
      expect([answer.status, await codeOf(answer)]).toEqual([401, 'UNAUTHORIZED']);
    }
    await production();
    expect(await codeOf(await revoke(body, withKey))).toBe('UNAUTHORIZED');
  });

  test('in development needs none where the operator page may be opened, but not from elsewhere', async () => {
    expect(await codeOf(await revoke({ user: 'nobody' }))).toBe('NOT_FOUND');
    expect(await codeOf(await revoke({ user: 'nobody' }, { origin: 'https://elsewhere.example' }))).toBe(
      'UNAUTHORIZED',
    );
    expect(await codeOf(await revoke({ user: 'nobody' }, { authorization: 'Bearer wrong' }))).toBe('UNAUTHORIZED');
  });

  test('is told what is no device: MALFORMED, NOT_FOUND, and a flood RATE_LIMITED', async () => {
    for (const body of [{}, { fingerprint: 'ab' }, { user: 'ada', fingerprint: 'ab'.repeat(24) }, { user: 7 }]) {
      expect(await codeOf(await revoke(body))).toBe('MALFORMED');
    }
    expect(await codeOf(await revoke({ fingerprint: 'ab'.repeat(24) }))).toBe('NOT_FOUND');
    const flood = await Promise.all(Array.from({ length: 40 }, () => revoke({ user: 'nobody' })));
    expect(await Promise.all(flood.map(codeOf))).toContain('RATE_LIMITED');
  });
});
