import { verifyCredential } from '@veilcast/e2ee';
import { Admission, type RoomId } from '@veilcast/protocol';
import { afterEach, expect, test } from 'vitest';
import { Fixture } from './testing/fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

const post = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${fixture.main.url}/api/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
const get = async (path: string): Promise<unknown> => (await fetch(`${fixture.main.url}${path}`)).json();

test('the public key that it shows verifies the credentials that it gives', async () => {
  fixture = await Fixture.open();
  const joined = await fixture.client().join(await fixture.token());
  if (joined.status !== 'admitted') throw new Error('not admitted');
  const { credential, peerId } = Admission.parse(joined.admission);
  const key = (await get('/api/authority')) as Record<string, string>;
  expect(key).not.toHaveProperty('d');
  expect(await verifyCredential(credential, key, 'demo' as RoomId, Date.now())).toMatchObject({ peerId });
});

test('regions are those of the Nodes that can be reached, with where to measure them', async () => {
  fixture = await Fixture.open();
  expect(await get('/api/regions')).toEqual([
    { region: 'eu', probeUrl: 'http://eu.example/probe' },
    { region: 'us', probeUrl: 'http://us.example/probe' },
  ]);
  await fixture.us.close();
  expect(await get('/api/regions')).toMatchObject([{ region: 'eu' }]);
});

test('the token of a load test is shown where the operator set one, and nowhere else', async () => {
  fixture = await Fixture.open();
  expect((await fetch(`${fixture.main.url}/api/load`)).status).toBe(404);
  await fixture.close();
  fixture = await Fixture.open({ config: { loadToken: 'storm-of-tuesday' } });
  expect(await get('/api/load')).toEqual({ token: 'storm-of-tuesday' });
});

test.each([
  [{ room: 'Not A Room' }, 400, 'MALFORMED'],
  [{ room: 'demo', role: 'king' }, 400, 'MALFORMED'],
  [{ room: 'demo', more: 1 }, 400, 'MALFORMED'],
  [{}, 400, 'MALFORMED'],
  [[], 400, 'MALFORMED'],
])('%j is answered %i %s', async (body, status, code) => {
  fixture = await Fixture.open();
  const response = await post(body);
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error: { code } });
});

test('a page of an allowed site may ask, one of another may not read the answer', async () => {
  fixture = await Fixture.open({ policy: { origins: ['https://call.example.org'] } });
  const ask = (origin: string) =>
    fetch(`${fixture.main.url}/api/token`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  const allowed = await ask('https://call.example.org');
  expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
    204,
    'https://call.example.org',
  ]);
  expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
  // A cache must not give one site's answer to another.
  expect((await fetch(`${fixture.main.url}/api/authority`)).headers.get('vary')).toContain('origin');
});

test('a token is for development, from our own pages, and not too many of them', async () => {
  fixture = await Fixture.open({ limits: { tokensPerMinute: 2 } });
  expect((await post({ room: 'demo' })).status).toBe(200);
  expect((await post({ room: 'demo' }, { origin: 'https://evil.example' })).status).toBe(403);
  expect((await post({ room: 'demo', role: 'viewer' })).status).toBe(200);
  const third = await post({ room: 'demo' });
  expect(third.status).toBe(429);
  expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await post('x'.repeat(5_000))).status).toBe(413);
  expect((await post('{"room":')).status).toBe(400);
  await fixture.close();
  fixture = await Fixture.open({ policy: { development: false } });
  expect((await post({ room: 'demo' })).status).toBe(403);
});

test('a token may name whom it is for, and only with what can be an id', async () => {
  fixture = await Fixture.open();
  const { token } = (await (await post({ room: 'demo', participant: 'ada' })).json()) as { token: string };
  const joined = await fixture.client().join(token);
  expect(joined).toMatchObject({ status: 'admitted', admission: { participantId: 'ada' } });
  expect((await post({ room: 'demo', participant: 'no id' })).status).toBe(400);
});
