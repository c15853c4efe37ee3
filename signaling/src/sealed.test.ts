/** The sealed channel on a real socket: what the server takes, and what ends it. */
import { lineOver, openWire, type ChannelMemory, type Line } from '@veilcast/client/wire';
import { KIND } from '@veilcast/e2ee/channel';
import { newDevice } from '@veilcast/e2ee/identity';
import { signatures } from '@veilcast/e2ee/pq';
import { systemClock } from '@veilcast/node-kit';
import { afterEach, expect, test } from 'vitest';
import { Fixture, until, type Client, type FixtureOptions } from './testing/fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.close());

const device = signatures.generate();
const refusals = (code: string) => fixture.metric(`veilcast_signaling_refusals_total{code="${code}"}`);
const dropped = (code: string) => fixture.metric(`veilcast_signaling_dropped_total{code="${code}"}`);

async function open(limits: FixtureOptions['limits'] = {}): Promise<void> {
  fixture = await Fixture.open({ limits });
}

async function dial(memory?: ChannelMemory) {
  return openWire({ url: fixture.main.url, device: await device, clock: systemClock, ...(memory ? { memory } : {}) });
}

/** What a client is told in the clear, by its code. */
async function alert(client: Client, sent: Uint8Array): Promise<unknown> {
  const heard = new Promise<Uint8Array>((resolve) => {
    client.socket.on('m', resolve);
  });
  client.socket.emit('m', sent);
  const bytes = await heard;
  expect(bytes[0]).toBe(KIND.alert);
  await until(() => !client.socket.connected);
  return (JSON.parse(new TextDecoder().decode(bytes.subarray(1))) as { code: string }).code;
}

test('what is no m1 is refused in the clear, counted, and ends the connection', async () => {
  await open();
  expect(await alert(fixture.client(), new Uint8Array(10))).toBe('HANDSHAKE_FAILED');
  expect(await alert(fixture.client(), new Uint8Array(2_400).fill(KIND.m1))).toBe('HANDSHAKE_FAILED');
  expect(await alert(fixture.client(), new Uint8Array(10_000))).toBe('OVERSIZE');
  expect(await refusals('HANDSHAKE_FAILED')).toBe(2);
});

test('handshakes from one address have a budget, which is asked before anything is decapsulated', async () => {
  await open({ handshakesPerMinute: 1 });
  await (await dial()).send({ id: 1, name: 'leave', body: {} }, 5_000);
  await expect(dial()).rejects.toMatchObject({ code: 'RATE_LIMITED' });
  expect(await alert(fixture.client(), new Uint8Array(2_400).fill(KIND.m1))).toBe('RATE_LIMITED');
});

test('who does not shake hands in time is dropped', async () => {
  await open({ handshakeWithinMs: 300 });
  const client = fixture.client();
  await until(() => client.socket.connected);
  await until(() => !client.socket.connected);
  expect(await dropped('HANDSHAKE_FAILED')).toBe(1);
});

test('of those that wait to join the oldest makes room', async () => {
  await open({ freshMax: 2 });
  const [first, second] = [await dial(), await dial()];
  await until(async () => (await fixture.metric('veilcast_signaling_sockets')) === 2);
  await dial();
  await until(() => !first.open);
  expect(second.open).toBe(true);
});

test('a channel of one device is not good for the join of another', async () => {
  await open();
  const stranger = fixture.client(fixture.main.url, await newDevice());
  await expect(stranger.join(await fixture.token())).rejects.toMatchObject({ code: 'WRONG_DEVICE' });
});

test('a second connection resumes the first, with a shorter m3; each has a key of its own', async () => {
  await open();
  const memory: ChannelMemory = {};
  const lengths: number[] = [];
  for (let times = 0; times < 3; times++) {
    const former = memory.psk?.id;
    const sent: number[] = [];
    const line = counted(lineOver(fixture.client().socket), sent);
    const wire = await openWire({ url: fixture.main.url, device: await device, clock: systemClock, memory, line });
    await until(() => memory.psk !== undefined);
    expect(memory.psk?.id).not.toEqual(former);
    lengths.push(sent[1] ?? 0);
    wire.close();
  }
  expect(lengths).toEqual([5_278, 17, 17]);
});

/** The line, and how long each message on it was. */
async function counted(line: Promise<Line>, sent: number[]): Promise<Line> {
  const real = await line;
  return {
    get open() {
      return real.open;
    },
    send: (bytes) => {
      sent.push(bytes.length);
      real.send(bytes);
    },
    onBytes: (listener) => real.onBytes(listener),
    onLost: (listener) => real.onLost(listener),
    close: () => real.close(),
  };
}

test('a record that was changed, repeated or left out on the way ends the connection, and is never taken', async () => {
  for (const tamper of [
    (bytes: Uint8Array) => [bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte))],
    (bytes: Uint8Array) => [bytes, bytes],
    () => [],
  ]) {
    await open();
    const client = fixture.client();
    await client.wire();
    const emit = client.socket.emit.bind(client.socket);
    let first = true;
    client.socket.emit = ((event: string, bytes: Uint8Array) => {
      for (const each of first ? tamper(bytes) : [bytes]) emit(event, each);
      first = false;
      return client.socket;
    }) as never;
    const asked = [client.raw({ id: 1, name: 'leave', body: {} }), client.raw({ id: 2, name: 'leave', body: {} })];
    for (const each of asked) each.catch(() => undefined);
    await until(() => client.ended === 'SEAL_BROKEN' && !client.socket.connected);
    expect(await dropped('SEAL_BROKEN')).toBe(1);
    await fixture.close();
  }
  await open();
});
