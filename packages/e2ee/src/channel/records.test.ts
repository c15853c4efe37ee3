/** The record layer between two ends that shook hands. */
import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes.ts';
import { webCipher } from './aead.ts';
import { BroadcastOpener, BroadcastSealer } from './broadcast.ts';
import { utf8 } from './bytes.ts';
import type { ClientChannel, ServerChannel } from './channel.ts';
import { CONTENT, FRESH_AFTER_MS, KIND, UPDATE_AFTER_MS } from './constants.ts';
import { Opener, Sealer, UPDATE_LIMITS } from './records.ts';
import {
  channels,
  codeOf,
  flipped,
  NOW,
  openWorld,
  shake,
  steadyPorts,
  type Session,
  type World,
} from './session.fixture.ts';

type T = Promise<Uint8Array>;
type End = ClientChannel<T> | ServerChannel<T>;

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

function room() {
  const sealer = new BroadcastSealer(webCipher, random);
  const opener = new BroadcastOpener(webCipher);
  opener.use(sealer.keyMessage());
  return { sealer, opener };
}

let world: World;
let session: Session;
beforeAll(async () => {
  world = await openWorld('records');
});

async function open() {
  session = await shake(world);
  return channels(session);
}

const say = async (end: End, text: string, now = NOW) => Promise.all(end.seal(CONTENT.message, utf8(text), now));
async function hear(end: End, record: Uint8Array): Promise<string> {
  const { kind, bytes } = end.take(await end.begin(record));
  return `${kind} ${new TextDecoder().decode(bytes)}`;
}
async function hearAll(end: End, records: readonly Uint8Array[]): Promise<string[]> {
  const heard: string[] = [];
  for (const record of records) heard.push(await hear(end, record));
  return heard;
}

describe('records', () => {
  it('go both ways, in order, and add 26 bytes', async () => {
    const { client, server } = await open();
    for (const text of ['one', 'two', 'three']) {
      const [record = new Uint8Array()] = await say(client, text);
      expect(record.length).toBe(text.length + 26);
      expect(await hear(server, record)).toBe(`0 ${text}`);
      expect(await hearAll(client, await say(server, text))).toEqual([`0 ${text}`]);
    }
  });

  it('are refused when replayed, reordered, dropped, reflected, forged, cut short, longer or of another kind', async () => {
    const attacks: readonly ((first: Uint8Array, second: Uint8Array, reflected: Uint8Array) => Uint8Array[])[] = [
      (first) => [first, first],
      (_first, second) => [second],
      (_first, _second, reflected) => [reflected],
      (first) => [flipped(first, 0)],
      (first) => [flipped(first, 8)],
      (first) => [flipped(first, 9)],
      (first) => [flipped(first, -1)],
      (first) => [first.slice(0, -1)],
      (first) => [first.slice(0, 25)],
      () => [new Uint8Array()],
      (first) => [concatBytes(first, Uint8Array.of(0))],
      (first) => [first.map((byte, at) => (at === 1 ? 255 : byte))],
      () => [Uint8Array.of(KIND.broadcast, ...new Uint8Array(40))],
    ];
    for (const attack of attacks) {
      const { client, server } = await open();
      const [[first], [second], [reflected]] = [
        await say(client, 'first'),
        await say(client, 'second'),
        await say(server, 'reflected'),
      ];
      const records = attack(first, second, reflected);
      expect(await codeOf(() => hearAll(server, records))).toBe('SEAL_BROKEN');
    }
  });

  it('are refused for good once one was broken', async () => {
    const { client, server } = await open();
    const [first] = await say(client, 'first');
    expect(await codeOf(() => hear(server, flipped(first, -1)))).toBe('SEAL_BROKEN');
    expect(await codeOf(() => hear(server, first))).toBe('SEAL_BROKEN');
  });

  it('of another session are refused', async () => {
    const one = await open();
    const other = await open();
    const [record] = await say(one.client, 'hello');
    expect(await codeOf(() => hear(other.server, record))).toBe('SEAL_BROKEN');
  });

  it('are refused above the limit, and after close', async () => {
    const { client, server } = await open();
    expect(await codeOf(() => server.begin(new Uint8Array(1_100_000)))).toBe('OVERSIZE');
    const [record] = await say(client, 'late');
    server.close();
    expect(await codeOf(() => hear(server, record))).toBe('CLOSED');
    expect(await codeOf(() => server.seal(CONTENT.message, utf8('late'), NOW))).toBe('CLOSED');
  });
});

describe('keys', () => {
  it('step after a minute, and what is sealed under the old ones is not taken any more', async () => {
    const { client, server } = await open();
    const later = NOW + UPDATE_AFTER_MS;
    expect(await hearAll(server, await say(client, 'before', later - 1))).toEqual(['0 before']);
    const records = await say(client, 'after', later);
    expect(await hearAll(server, records)).toEqual(['2 ', '0 after']);
    // The other direction goes on as it was.
    expect(await hearAll(client, await say(server, 'still', later - 1))).toEqual(['0 still']);
    // A dropped step leaves the receiver with keys that fit nothing.
    const [, next] = [...(await say(client, 'x', later)), ...(await say(client, 'y', later + UPDATE_AFTER_MS))];
    expect(await codeOf(() => hear(server, next))).toBe('SEAL_BROKEN');
  });

  it('step after so many records, 2^20 of them by default', async () => {
    expect(UPDATE_LIMITS).toEqual({ ms: 60_000, records: 1_048_576 });
    const limits = { ms: 60_000, records: 3 };
    const sealer = new Sealer(new Uint8Array(64), 'c2s', webCipher, 0, limits);
    const opener = new Opener(new Uint8Array(64), 'c2s', webCipher, 1_000);
    const sealed = [1, 2, 3, 4, 5].map(() => sealer.seal(CONTENT.message, utf8('x'), 0));
    expect(sealed.map((records) => records.length)).toEqual([1, 1, 1, 2, 1]);
    for (const record of sealed.flat()) opener.take(await opener.begin(await record));
  });

  it('are new after a fresh round, which the old ones do not give', async () => {
    const { client, server } = await open();
    const [clientPorts, serverPorts] = [steadyPorts('fresh client'), steadyPorts('fresh server')];
    const due = NOW + FRESH_AFTER_MS;
    expect([client.wantsFresh(due - 1), client.wantsFresh(due)]).toEqual([false, true]);
    const stolen = { id: server.psk.id, key: server.psk.key.slice() };

    const offers = await Promise.all((await client.offerFresh(clientPorts, due))());
    expect(client.wantsFresh(due)).toBe(false);
    expect(await hearAll(server, offers.slice(0, 1))).toEqual(['2 ']);
    const offer = server.take(await server.begin(offers[1]));
    expect(offer.kind).toBe(CONTENT.freshOffer);
    // Words on their way cross the round without harm.
    const crossing = await say(client, 'crossing', due);
    const answers = await Promise.all((await server.answerFresh(serverPorts, offer.bytes, due))());
    const after = await say(server, 'after', due);
    expect(await hearAll(server, crossing)).toEqual(['0 crossing']);
    const heard = [];
    let done: Uint8Array[] = [];
    for (const record of [...answers, ...after]) {
      const content = client.take(await client.begin(record));
      heard.push(content.kind);
      if (content.kind === CONTENT.freshAnswer)
        done = await Promise.all((await client.takeFresh(content.bytes, due))());
    }
    expect(heard).toEqual([CONTENT.update, CONTENT.freshAnswer, CONTENT.message]);
    expect(await hearAll(server, [...done, ...(await say(client, 'new', due))])).toEqual(['5 ', '0 new']);
    expect(client.psk).toEqual(server.psk);
    expect(client.psk.key).not.toEqual(stolen.key);
  });

  it('are not renewed too often, twice at once, or by half a key', async () => {
    const due = NOW + FRESH_AFTER_MS;
    const ports = steadyPorts('often');
    const offer = (await ports.keyEncapsulation.fromSeed(ports.random(32))).publicKey;
    const { client, server } = await open();
    expect(await codeOf(() => server.answerFresh(ports, offer, NOW + 1))).toBe('RATE_LIMITED');
    expect(await codeOf(() => server.answerFresh(ports, offer.slice(1), due))).toBe('SEAL_BROKEN');
    await Promise.all((await server.answerFresh(ports, offer, due))());
    expect(await codeOf(() => server.answerFresh(ports, offer, due))).toBe('SEAL_BROKEN');
    expect(await codeOf(() => client.takeFresh(new Uint8Array(1120), due))).toBe('SEAL_BROKEN');
    // Done with a round that never was.
    const other = await open();
    const [done] = await Promise.all(other.client.seal(CONTENT.freshDone, new Uint8Array(), NOW));
    expect(await codeOf(() => hear(other.server, done))).toBe('SEAL_BROKEN');
  });
});

describe('broadcasts', () => {
  it('are heard in order by whoever has the key, with or without gaps', async () => {
    const { sealer, opener } = room();
    const [one, , three] = await Promise.all(['one', 'two', 'three'].map((text) => sealer.seal(utf8(text))));
    expect(await opener.open(one)).toEqual(utf8('one'));
    expect(await opener.open(three)).toEqual(utf8('three'));
  });

  it('are refused without the key, replayed, late, forged, or under a key that was replaced', async () => {
    const { sealer, opener } = room();
    const [one, two] = await Promise.all([sealer.seal(utf8('one')), sealer.seal(utf8('two'))]);
    expect(await codeOf(() => new BroadcastOpener(webCipher).open(one))).toBe('SEAL_BROKEN');
    expect(await codeOf(() => room().opener.open(one))).toBe('SEAL_BROKEN');
    await opener.open(two);
    for (const record of [two, one, flipped(two, 0), new Uint8Array(), one.slice(0, 20)]) {
      expect(await codeOf(() => opener.open(record))).toBe('SEAL_BROKEN');
    }
    for (const at of [4, 12, 13, -1]) {
      const three = await sealer.seal(utf8('three'));
      expect(await codeOf(() => opener.open(flipped(three, at)))).toBe('SEAL_BROKEN');
    }
    const old = await sealer.seal(utf8('old'));
    sealer.replace();
    const removed = await sealer.seal(utf8('after a leave'));
    // Who left has the old key only.
    expect(await codeOf(() => opener.open(removed))).toBe('SEAL_BROKEN');
    opener.use(sealer.keyMessage());
    expect(await codeOf(() => opener.open(old))).toBe('SEAL_BROKEN');
    expect(await opener.open(await sealer.seal(utf8('new')))).toEqual(utf8('new'));
    for (const message of [sealer.keyMessage(), new Uint8Array(47)]) {
      expect(await codeOf(() => opener.use(message))).toBe('SEAL_BROKEN');
    }
    expect(await codeOf(() => opener.open(new Uint8Array(1_100_000)))).toBe('OVERSIZE');
  });

  it('are not taken for records of the channel, nor those for broadcasts', async () => {
    const { server } = await open();
    const { sealer, opener } = room();
    const sealed = await sealer.seal(utf8('x'));
    expect(await codeOf(() => hear(server, sealed))).toBe('SEAL_BROKEN');
    const [record] = new Sealer(new Uint8Array(64), 's2c', webCipher, 0).seal(0, utf8('x'), 0);
    const bytes = await record;
    expect(await codeOf(() => opener.open(bytes))).toBe('SEAL_BROKEN');
  });
});
