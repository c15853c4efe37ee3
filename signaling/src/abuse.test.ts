/** What strangers send: each gets its code, is counted, and changes nothing; nothing about them is logged. */
import { MESSAGE_MAX, PROTOCOL_VERSION, SEALED_MAX } from '@veilcast/protocol';
import { afterEach, expect, test } from 'vitest';
import { createAuthority } from './authority.ts';
import { Client, Fixture, until } from './testing/fixture.ts';
import { systemClock } from '@veilcast/node-kit';

let fixture: Fixture;
afterEach(() => fixture.close());

const refusals = (code: string) => fixture.metric(`veilcast_signaling_refusals_total{code="${code}"}`);
const join = (token: string) => ({
  version: PROTOCOL_VERSION,
  token,
  leafKey: 'A'.repeat(43),
  device: Uint8Array.of(1),
  probes: [],
});

async function codeOf(answer: ReturnType<Client['raw']>): Promise<string> {
  const got = await answer;
  return got.ok ? 'ok' : got.error.code;
}

function deep(levels: number): unknown {
  return JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`);
}

test('every kind of bad message gets its code, is counted, and the socket goes on', async () => {
  fixture = await Fixture.open();
  const client = await fixture.enter();
  const name = 'showTiles';
  const cases: [message: unknown, code: string][] = [
    ['text', 'MALFORMED'],
    [null, 'MALFORMED'],
    [[1, 2], 'MALFORMED'],
    [Buffer.from([1, 2, 3]), 'MALFORMED'],
    [{ id: 2 }, 'MALFORMED'],
    [{ id: '2', name, body: {} }, 'MALFORMED'],
    [{ id: 2.5, name, body: {} }, 'MALFORMED'],
    [{ id: 2, name: 'x'.repeat(40), body: {} }, 'MALFORMED'],
    [{ id: 2, name, body: {}, more: 1 }, 'MALFORMED'],
    [JSON.parse('{"id":2,"name":"leave","body":{},"__proto__":{"a":1}}'), 'MALFORMED'],
    [{ id: 1, name, body: { tiles: [] } }, 'REPLAYED'],
    [{ id: 3, name, body: { tiles: [] } }, 'OUT_OF_ORDER'],
    [{ id: 2, name, body: {} }, 'MALFORMED'],
    [{ id: 2, name, body: { tiles: [] } }, 'REPLAYED'],
    [{ id: 3, name: 'toString', body: {} }, 'UNSUPPORTED'],
    [{ id: 4, name: '__proto__', body: {} }, 'UNSUPPORTED'],
    [{ id: 5, name, body: { tiles: deep(1_000) } }, 'MALFORMED'],
    [{ id: 6, name: 'produce', body: { rtpParameters: deep(50) } }, 'MALFORMED'],
    [{ id: 7, name: 'setLocked', body: JSON.parse('{"locked":true,"__proto__":{"locked":false}}') }, 'MALFORMED'],
    [{ id: 8, name: 'groupMessage', body: { epoch: 0, sealed: Buffer.alloc(SEALED_MAX * 2) } }, 'OVERSIZE'],
    [{ id: 9, name: 'knock', body: { name: 'x'.repeat(20_000) } }, 'OVERSIZE'],
    [{ id: 10, name: 'join', body: join('again') }, 'ALREADY_JOINED'],
    [{ id: 11, name: 'closeProducer', body: { producerId: 'prod_x' } }, 'NOT_FOUND'],
    [{ id: 12, name: 'consume', body: { producerIds: ['../../etc'], rtpCapabilities: {} } }, 'MALFORMED'],
    [{ id: 13, name, body: { tiles: [] } }, 'ok'],
  ];
  for (const [message, code] of cases) expect([message, await codeOf(client.raw(message))]).toEqual([message, code]);
  const expected = Map.groupBy(cases, ([, code]) => code);
  for (const [code, of] of expected) if (code !== 'ok') expect([code, await refusals(code)]).toEqual([code, of.length]);
  expect(({} as { locked?: unknown }).locked).toBeUndefined();
  expect(client.socket.connected).toBe(true);
});

test('an event of another name is refused', async () => {
  fixture = await Fixture.open();
  const client = fixture.client();
  const strange: unknown = await client.socket.emitWithAck('admin', { id: 1 });
  expect(strange).toMatchObject({ ok: false, error: { code: 'UNSUPPORTED' } });
});

test('who speaks in the clear is told what is wanted, and that is all, before a handshake and after it', async () => {
  fixture = await Fixture.open();
  const leave = { id: 1, name: 'leave', body: {} };
  const [early, late] = [fixture.client(), await fixture.enter()];
  for (const client of [early, late]) {
    expect(await client.socket.emitWithAck('m', leave)).toMatchObject({
      ok: false,
      error: { code: 'CHANNEL_REQUIRED' },
    });
    await until(() => !client.socket.connected);
  }
  // Without a callback there is nobody to answer, but it counts.
  fixture.client().socket.emit('m', leave);
  await until(async () => (await refusals('CHANNEL_REQUIRED')) === 3);
  await until(() => fixture.eu.holds + fixture.us.holds === 0);
});

test('before it has joined a socket can only join', async () => {
  fixture = await Fixture.open();
  const client = fixture.client();
  await expect(client.request('leave', {})).rejects.toMatchObject({ code: 'NOT_JOINED' });
  await expect(client.request('kick', { peerId: 'peer_x' })).rejects.toMatchObject({ code: 'NOT_JOINED' });
  expect(await client.join(await fixture.token())).toMatchObject({ status: 'admitted' });
});

test("a stranger's, an expired and a forged token are all the same to us", async () => {
  fixture = await Fixture.open({ config: { tokenTtlMs: 1_000 } });
  const options = { clock: systemClock, tokenTtlMs: 60_000, credentialTtlMs: 60_000 };
  const stranger = await createAuthority(options);
  const claims = { room: 'demo' as never, sub: 'part_x' as never, role: 'host' } as const;
  const expired = await fixture.token();
  await new Promise((resolve) => setTimeout(resolve, 2_100));
  for (const token of [expired, await stranger.issueToken(claims), 'garbage', `${expired}x`]) {
    await expect(fixture.client().join(token)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  }
  expect(await fixture.metric('veilcast_signaling_joins_total{result="UNAUTHORIZED"}')).toBe(4);
  expect(await fixture.metric('veilcast_signaling_rooms')).toBe(0);
});

test('a token opens the Room that it names and no other', async () => {
  fixture = await Fixture.open();
  const there = await fixture.enter({ room: 'other' });
  const here = await fixture.enter({ room: 'demo' });
  await expect(here.request('kick', { peerId: there.peerId })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(there.names()).not.toContain('peerJoined');
});

test('a flood is slowed down with a wait that holds, and then thrown out', async () => {
  fixture = await Fixture.open({ limits: { requestsPerSecond: 20, requestsBurst: 10, strikesMax: 20 } });
  const client = await fixture.enter();
  let id = 1;
  const send = () => client.raw({ id: ++id, name: 'showTiles', body: { tiles: [] } });
  const answers = await Promise.all(Array.from({ length: 20 }, send));
  const refused = answers.flatMap((answer) => (answer.ok ? [] : [answer.error]));
  expect(refused.length).toBeGreaterThan(5);
  expect(new Set(refused.map(({ code }) => code))).toEqual(new Set(['RATE_LIMITED']));
  await new Promise((resolve) => setTimeout(resolve, Math.max(...refused.map(({ retryMs }) => retryMs ?? 0)) + 20));
  expect((await send()).ok).toBe(true);
  for (let more = 0; more < 40; more++) void send().catch(() => undefined);
  await until(() => client.ended === 'RATE_LIMITED' && !client.socket.connected);
  await until(() => fixture.eu.holds + fixture.us.holds === 0);
});

test('a flood of bytes or packets below the messages is cut off', async () => {
  fixture = await Fixture.open({ limits: { bytesPerSecond: 1_000, bytesBurst: 100_000 } });
  const client = await fixture.enter();
  for (let more = 0; more < 30; more++) void client.raw('x'.repeat(10_000)).catch(() => undefined);
  await until(() => !client.socket.connected);
  expect(await refusals('RATE_LIMITED')).toBeGreaterThanOrEqual(1);
  await until(() => fixture.eu.holds + fixture.us.holds === 0);
});

test('who leaves the namespace and comes again on the same connection is not given new budgets', async () => {
  fixture = await Fixture.open();
  const socket = new WebSocket(`${fixture.main.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  let heard = 0;
  let closed = false;
  socket.addEventListener('message', () => (heard += 1));
  socket.addEventListener('close', () => (closed = true));
  await until(() => heard === 1);
  socket.send('40');
  await until(() => heard === 2);
  socket.send('41');
  socket.send('40');
  await until(() => closed);
});

test('a flood on the operator namespace is cut off too', async () => {
  fixture = await Fixture.open({ limits: { requestsPerSecond: 1, requestsBurst: 10 } });
  const watcher = new Client(`${fixture.main.url}/operator`);
  fixture.clients.push(watcher);
  await until(() => watcher.socket.connected);
  for (let more = 0; more < 200; more++) watcher.socket.emit('anything', more);
  await until(() => !watcher.socket.connected);
});

test('joins from one address have a budget', async () => {
  fixture = await Fixture.open({ limits: { joinsPerMinute: 2 } });
  const token = await fixture.token();
  await fixture.client().join(token);
  await fixture.client().join(token);
  const refused = fixture.client().join(token);
  await expect(refused).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  expect(await refusals('RATE_LIMITED')).toBe(1);
});

test('who does not join in time is dropped with a reason', async () => {
  fixture = await Fixture.open({ limits: { joinWithinMs: 700 } });
  const client = fixture.client();
  await client.wire();
  await until(() => client.ended === 'UNAUTHORIZED' && !client.socket.connected);
  expect(await fixture.metric('veilcast_signaling_dropped_total{code="UNAUTHORIZED"}')).toBe(1);
});

test('bytes that are no socket.io at all, and a message above the limit, end their connection only', async () => {
  fixture = await Fixture.open();
  const witness = await fixture.enter();
  const url = `${fixture.main.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
  const garbage: (string | Buffer)[] = [
    Buffer.from([0xff, 0x00, 0x13]),
    'hello',
    '4',
    '42["m"',
    '451-["m",{"_placeholder":true,"num":9}]',
    `45${'9'.repeat(9)}-["m"]`,
    '40/nowhere,',
    '4'.repeat(5_000),
    `42${'['.repeat(200_000)}`,
    'x'.repeat(MESSAGE_MAX + 1),
  ];
  const closes = garbage.map(async (bytes) => {
    const socket = new WebSocket(url);
    await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }));
    const next = () =>
      new Promise<number>((resolve) => {
        socket.addEventListener('close', ({ code }) => resolve(code), { once: true });
        socket.addEventListener('message', () => resolve(0), { once: true });
      });
    if (typeof bytes === 'string' && bytes.startsWith('42')) {
      const connected = next();
      socket.send('40');
      await connected;
    }
    const answer = next();
    socket.send(bytes);
    const code = await answer;
    socket.close();
    return code;
  });
  const codes = await Promise.all(closes);
  expect(codes.at(-1)).toBe(1009);
  expect(await refusals('OVERSIZE')).toBe(1);
  expect(await refusals('MALFORMED')).toBeGreaterThanOrEqual(4);
  expect(await witness.request('showTiles', { tiles: [] })).toEqual({});
});

test('a body of 100,000 brackets is refused with a code and not by a stack overflow', async () => {
  fixture = await Fixture.open();
  const socket = new WebSocket(`${fixture.main.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`);
  const heard: string[] = [];
  socket.addEventListener('message', ({ data }) => heard.push(String(data)));
  await until(() => heard.length === 1);
  socket.send('40');
  await until(() => heard.length === 2);
  socket.send(`420["m",{"id":1,"name":"join","body":${'['.repeat(100_000)}${']'.repeat(100_000)}}]`);
  await until(() => heard.length > 2);
  expect(heard[2]).toMatch(/^430.*CHANNEL_REQUIRED/);
  socket.close();
  const sealed = await fixture.enter();
  const message = { id: 2, name: 'leave', body: deep(2_000) };
  expect(await codeOf(sealed.raw(message))).toBe('MALFORMED');
});

test('nothing that names a person, and no token or address, is logged', async () => {
  fixture = await Fixture.open();
  const token = await fixture.token('demo');
  const host = fixture.client();
  await host.join(token);
  await host.request('setLocked', { locked: true });
  const guest = fixture.client();
  await guest.join(await fixture.token('demo'));
  await guest.request('knock', { name: 'Grace Hopper' });
  await guest.raw({ id: 3, name: 'knock', body: { name: 7, Grace: 'Hopper' } });
  await guest.raw('Grace Hopper');
  await fixture
    .client()
    .join(`${token}x`)
    .catch(() => undefined);
  await fixture.us.close();
  await fixture.eu.close();
  await fixture.main.signaling.close();
  const logged = fixture.world.log.join('\n');
  for (const secret of ['Grace', 'Hopper', token.slice(-20), token.slice(0, 20), '127.0.0.1', '::1', host.peerId]) {
    expect(logged).not.toContain(secret);
  }
});
