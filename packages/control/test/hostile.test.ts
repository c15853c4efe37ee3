/** Bytes of those who were let in, or try to be: garbage, other protocols, slowness, size, and streams without number. */
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { listeners, overTls, PREFACE } from './listening.ts';
import { carrierOf, credentials, NEAR } from './processes.ts';

const { ends, listening } = listeners();
const PATH = '/veilcast.control.v1.Carriage/Carry';

/** A process with a good certificate and a mind of its own. */
async function rogue(port: number, settings = {}): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    ...(await credentials(NEAR)),
    checkServerIdentity: () => undefined,
    settings,
  });
  session.on('error', () => undefined);
  ends.push(() => session.destroy());
  await once(session, 'connect');
  return session;
}

function carry(session: ClientHttp2Session, path = PATH, method = 'POST'): ClientHttp2Stream {
  const stream = session.request(
    { ':method': method, ':path': path, 'content-type': 'application/connect+proto' },
    { endStream: false },
  );
  stream.on('error', () => undefined);
  return stream;
}

/** Connect's envelope: flags, length, bytes. */
function envelope(length: number, bytes: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

const closed = (session: ClientHttp2Session): Promise<unknown> =>
  session.destroyed ? Promise.resolve() : new Promise((resolve) => session.once('close', resolve));

test('bytes that are not TLS end their connection, and nobody else’s', async () => {
  const { port, address, refused, links } = await listening();
  const near = await carrierOf(NEAR);
  const good = await near.dial(address);
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', PREFACE, '\u0016\u0003\u0001\u0002\u0000', '\u0000'.repeat(4096)]) {
    const socket = connectTcp(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'close');
  }
  expect(refused).toEqual(['tls', 'tls', 'tls', 'tls']);
  expect(links).toHaveLength(1);
  expect(good.send(Uint8Array.of(1))).toBe(true);
  near.close();
});

test.each([
  ['HTTP/1.1', { ALPNProtocols: ['http/1.1'] }],
  ['no protocol at all', {}],
])('%s is not spoken, even with a certificate', async (_what, alpn) => {
  const { port, links, refused } = await listening();
  const { cert, key } = await credentials(NEAR);
  const { answer } = await overTls(port, 'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n', { cert, key, ...alpn });
  expect(answer).toBe('');
  expect(refused).toHaveLength(1);
  expect(links).toEqual([]);
});

test('who says nothing is cut: before TLS, after it, and within HTTP/2', async () => {
  const { port, refused, links } = await listening();
  const silent = connectTcp(port, '127.0.0.1');
  silent.on('error', () => undefined).resume();
  const { cert, key } = await credentials(NEAR);
  const proved = connectTls({
    port,
    host: '127.0.0.1',
    cert,
    key,
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
    ecdhCurve: 'X25519MLKEM768',
  });
  proved.on('error', () => undefined).resume();
  const idle = await rogue(port);
  await Promise.all([once(silent, 'close'), once(proved, 'close'), closed(idle)]);
  expect(refused.toSorted()).toEqual(['slow', 'slow', 'tls']);
  expect(links).toEqual([]);
});

test.each([
  ['another path', '/healthz', 'GET'],
  ['another service', '/grpc.health.v1.Health/Check', 'POST'],
  ['another method of HTTP', PATH, 'GET'],
])('%s is not served, and ends the session', async (_what, path, method) => {
  const { port, links } = await listening();
  const session = await rogue(port);
  const stream = carry(session, path, method);
  const told: unknown[] = [];
  stream.on('data', (bytes) => told.push(bytes));
  await closed(session);
  expect(told).toEqual([]);
  expect(links).toEqual([]);
});

test('a message is refused by its announced length, before any of it is kept', async () => {
  const { port, links } = await listening();
  const session = await rogue(port);
  const stream = carry(session);
  stream.write(envelope(0));
  await expect.poll(() => links.length).toBe(1);
  const reasons: unknown[] = [];
  links[0]?.onClose((reason) => reasons.push(reason?.code));
  stream.write(envelope(0xffff_ffff, new Uint8Array(100)));
  await expect.poll(() => reasons).toEqual(['OVERSIZE']);
  await closed(session);
});

test('a Packet that holds no Frames ends its link', async () => {
  const { port, links } = await listening();
  const session = await rogue(port);
  const stream = carry(session);
  // Packet{frames: [a length that leads beyond the end]}
  stream.write(envelope(4, Uint8Array.of(0x0a, 2, 0x7f, 1)));
  await expect.poll(() => links.length).toBe(1);
  const reasons: unknown[] = [];
  links[0]?.onClose((reason) => reasons.push(reason?.code));
  links[0]?.onFrame(() => reasons.push('a frame'));
  await expect.poll(() => reasons).toEqual(['MALFORMED']);
});

test('a Frame too large is refused where it is sent', async () => {
  const { address } = await listening();
  const near = await carrierOf(NEAR, { limits: { frameBytes: 1_000 } });
  ends.push(() => near.close());
  const link = await near.dial(address);
  expect(() => link.send(new Uint8Array(1_001))).toThrow(expect.objectContaining({ code: 'OVERSIZE' }));
  expect(link.send(new Uint8Array(1_000))).toBe(true);
});

/** A frame of HTTP/2 (RFC 9113, 4.1). */
function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.byteLength, 0, 3);
  head.set([type, flags], 3);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

const text = (word: string): Buffer => Buffer.concat([Buffer.of(word.length), Buffer.from(word)]);

/** A POST of this path by literal fields without indexing (RFC 7541, 6.2.2). */
function headers(stream: number): Buffer {
  const fields = {
    ':method': 'POST',
    ':scheme': 'https',
    ':authority': 'a',
    ':path': PATH,
    'content-type': 'application/connect+proto',
  };
  const block = Object.entries(fields).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]);
  return frame(1, 4, stream, Buffer.concat(block));
}

test('one stream a session: whoever opens more loses all of them', async () => {
  const { port, links } = await listening();
  const { cert, key } = await credentials(NEAR);
  const socket = connectTls({ port, host: '127.0.0.1', cert, key, ALPNProtocols: ['h2'], rejectUnauthorized: false });
  socket.resume();
  socket.on('error', () => undefined);
  ends.push(() => socket.destroy());
  await once(socket, 'secureConnect');
  // Preface, SETTINGS and its ACK, and one stream, which is taken.
  socket.write(
    Buffer.concat([Buffer.from(PREFACE), frame(4, 0, 0, Buffer.alloc(0)), frame(4, 1, 0, Buffer.alloc(0)), headers(1)]),
  );
  await expect.poll(() => links.length).toBe(1);
  const frames: number[] = [];
  links[0]?.onFrame((one) => frames.push(one[0] ?? -1));
  socket.write(frame(0, 0, 1, envelope(4, Uint8Array.of(0x0a, 2, 1, 7))));
  await expect.poll(() => frames).toEqual([7]);
  const reasons: unknown[] = [];
  links[0]?.onClose((reason) => reasons.push(reason?.code));
  socket.write(Buffer.concat([headers(3), headers(5)]));
  await once(socket, 'close');
  await expect.poll(() => reasons).toEqual(['CHANNEL_CLOSED']);
  expect(links).toHaveLength(1);
});

test('who does not read is cut with a code, and costs the queue and no more', async () => {
  const { port, links, carrier } = await listening({ limits: { queueBytes: 1024 * 1024 } });
  const session = await rogue(port, { initialWindowSize: 1_000 });
  const stream = carry(session);
  stream.pause();
  await expect.poll(() => links.length).toBe(1);
  const [link] = links;
  const reasons: unknown[] = [];
  link?.onClose((reason) => reasons.push(reason?.code));
  let taken = 0;
  while (link?.send(new Uint8Array(100_000)) === true) taken += 1;
  expect(taken).toBe(10);
  expect(carrier.links()[0]?.queuedBytes).toBeLessThanOrEqual(1024 * 1024);
  await expect.poll(() => reasons).toEqual(['OVERLOADED']);
  await closed(session);
  // The far side's socket may end before this side's stream has.
  await expect.poll(() => carrier.links()).toEqual([]);
});

test('who reads slowly is not cut as long as it reads', async () => {
  const { address, links, carrier } = await listening({ limits: { stallMs: 200, packetBytes: 50_000 } });
  const near = await carrierOf(NEAR);
  ends.push(() => near.close());
  const link = await near.dial(address);
  const [far] = links;
  const seen: number[] = [];
  let reading = Promise.resolve();
  // Eight Frames of a whole window each, with a pause after each.
  for (let at = 0; at < 8; at += 1) expect(far?.send(new Uint8Array(900_000).fill(at))).toBe(true);
  link.onFrame((frame) => {
    seen.push(frame[0] ?? -1);
    reading = reading.then(() => new Promise((resolve) => setTimeout(resolve, 60)));
  });
  await expect.poll(() => seen, { timeout: 5_000 }).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(carrier.links()).toHaveLength(1);
});

test('sockets beyond the bound are not taken', async () => {
  const { port, address } = await listening({ limits: { sockets: 2, handshakeMs: 2_000 } });
  const silent = [1, 2].map(() => connectTcp(port, '127.0.0.1'));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  const near = await carrierOf(NEAR, { limits: { dialMs: 1_000 } });
  await expect(near.dial(address)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  for (const socket of silent) socket.destroy();
  await expect
    .poll(() =>
      near.dial(address).then(
        (link) => (link.close(), 'linked'),
        () => 'refused',
      ),
    )
    .toBe('linked');
});

test('an address that is none is MALFORMED and is not repeated', async () => {
  const near = await carrierOf(NEAR);
  for (const address of ['', 'host', 'host:0', 'host:65536', 'http://host:1', '1.2.3.4:80/x', '[::1:80', 'a b:1'])
    await expect(near.dial(address)).rejects.toMatchObject({ code: 'MALFORMED', message: 'an address is host:port' });
});
