/** A device that is revoked while it is in a call: it is out at once, the others hear it, and it does not come back. */
import { decodeRevocations, hexNameOf, newDevice, proveDevice, signSelfRevocation } from '@veilcast/e2ee/identity';
import { PROTOCOL_VERSION } from '@veilcast/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
