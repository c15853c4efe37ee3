/**
 * The sealed channel: manifest, handshake, records, broadcasts. Signatures and KEM are the real bytes, looked up: `verify` says yes to
 * exactly what was signed, and a ciphertext that nobody made gives a secret of its own (implicit rejection). So the parsers behind
 * the primitives are reached often; the primitives have their own tests. What is inside of a sealed message is read by who could seal it, and is fuzzed
 * as it is when it was opened.
 */
import { createHash } from 'node:crypto';
import {
  BroadcastOpener,
  BroadcastSealer,
  ClientHandshake,
  openManifest,
  ServerHandshake,
  signManifest,
  webCipher,
} from '@veilcast/e2ee/channel';
import type { KeyEncapsulation, Signatures } from '@veilcast/e2ee/pq';
import {
  CLAIMS,
  CONTENT,
  decodeContent,
  encodeContent,
  M1Payload,
  M2Payload,
  NOW,
  Opener,
  openWorld,
  readBroadcast,
  readJson,
  readM1,
  readM2,
  readM3,
  readRecord,
  Sealer,
  Welcome,
} from '@veilcast/e2ee/fuzzing';
import { same } from './mutate.ts';
import { byCode, NONE, readsBy, sealed, type Target, unlessRefused } from './target.ts';

const encoder = new TextEncoder();
const digest = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};
const key = (...parts: readonly Uint8Array[]): string => Buffer.from(digest(...parts)).toString('hex');
const fill = (length: number, from: Uint8Array): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (from[i % 32] ?? 0) ^ (i & 255));

interface Signed {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly context: string;
  readonly signature: Uint8Array;
}

/** Says yes to what these keys signed, and to nothing else. */
function ideal(signed: readonly Signed[]): Signatures {
  return {
    verify: async (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, context: string) =>
      signed.some(
        (each) =>
          each.context === context &&
          same(each.signature, signature) &&
          same(each.message, message) &&
          same(each.publicKey, publicKey),
      ),
  } as unknown as Signatures;
}

function recorded(signed: Signed[], publicKey: Uint8Array) {
  return {
    publicKey,
    sign: async (message: Uint8Array, context: string) => {
      const signature = fill(3309, digest(publicKey, message, encoder.encode(context)));
      signed.push({ publicKey, message: message.slice(), context, signature });
      // A client signs again for each input; the last few are enough.
      if (signed.length > 16) signed.shift();
      return signature;
    },
  };
}

/** Public key: a hash of the seed. A ciphertext opens to what was sealed in it, a strange one to a hash of itself. */
function idealKem(): KeyEncapsulation {
  const made = new Map<string, Uint8Array>();
  let count = 0;
  const decapsulate = (publicKey: Uint8Array) => async (cipherText: Uint8Array) =>
    (made.get(key(publicKey, cipherText)) ?? digest(publicKey, cipherText)).slice();
  const fromSeed = async (seed: Uint8Array) => {
    const publicKey = fill(1216, digest(seed));
    return { publicKey, decapsulate: decapsulate(publicKey) };
  };
  return {
    generate: async () => fromSeed(Uint8Array.of(++count & 255, count >> 8)),
    fromSeed,
    encapsulate: async (publicKey: Uint8Array) => {
      if (publicKey.length !== 1216) throw new RangeError('no key');
      count += 1;
      const cipherText = fill(1120, digest(publicKey, Uint8Array.of(count & 255, (count >> 8) & 255, count >> 16)));
      const sharedSecret = digest(cipherText, Uint8Array.of(7));
      // The last few are enough: more would be growth of the test's own.
      if (made.size > 64) made.delete(made.keys().next().value ?? '');
      made.set(key(publicKey, cipherText), sharedSecret);
      return { cipherText, sharedSecret: sharedSecret.slice() };
    },
  };
}

export async function manifestTarget(): Promise<Target> {
  const world = await openWorld('fuzz');
  const signed: Signed[] = [];
  const root = recorded(signed, world.root.publicKey);
  const seeds = [
    await signManifest(root, world.manifest.kemPublicKey, CLAIMS),
    await signManifest(root, world.manifest.kemPublicKey, { ...CLAIMS, id: 'another', regions: [] }),
  ];
  return sealed('manifest', seeds, (bytes) =>
    byCode(['MANIFEST_INVALID', 'OVERSIZE'], () => openManifest(bytes, world.pin, NOW, ideal(signed))),
  );
}

const nines = (length: number): Uint8Array => new Uint8Array(length).fill(9);
/** A copy each time: it is taken over and wiped. */
const threes = (): Uint8Array => new Uint8Array(64).fill(3);

async function handshake() {
  const world = await openWorld('fuzz handshake');
  const signed: Signed[] = [];
  const keyEncapsulation = idealKem();
  const kemKey = await keyEncapsulation.fromSeed(Uint8Array.of(1));
  const manifest = { ...world.manifest, kemPublicKey: kemKey.publicKey };
  const ports = { keyEncapsulation, signatures: ideal(signed), random: nines };
  return {
    device: recorded(signed, world.device.publicKey),
    client: () => new ClientHandshake({ ...ports, manifest }),
    server: () =>
      new ServerHandshake({ ...ports, kemKey, signed: [manifest.signed], takePsk: () => undefined, now: () => NOW }),
  };
}

const HANDSHAKE = ['HANDSHAKE_FAILED', 'UNSUPPORTED', 'OVERSIZE'];

export async function m1Target(): Promise<Target> {
  const { client, server } = await handshake();
  const greet = (bytes: Uint8Array) => byCode(HANDSHAKE, () => server().greet(bytes));
  return sealed('handshake m1', [await client().start()], greet, readsBy(readM1));
}

/** One client that asked, and its state again for each input. */
export async function m2Target(): Promise<Target> {
  const { client, server, device } = await handshake();
  const asked = client();
  const m1 = await asked.start();
  const m2 = await server().greet(m1);
  const receive = async (bytes: Uint8Array) => {
    // The same randomness gives the same m1: a fresh client is where the first one was, but for the server's part of m1.
    const again = client();
    const own = await again.start();
    const answer = same(bytes, m2);
    return byCode(HANDSHAKE, async () => again.receive(answer ? await server().greet(own) : bytes, device));
  };
  return sealed('handshake m2', [m2], receive, readsBy(readM2));
}

export async function m3Target(): Promise<Target> {
  const { client, server, device } = await handshake();
  const shaker = client();
  const m1 = await shaker.start();
  const made = server();
  const m2 = await made.greet(m1);
  const { m3 } = await shaker.receive(m2, device);
  const receive = async (bytes: Uint8Array) => {
    const again = client();
    const other = server();
    const exact = same(bytes, m3);
    const own = await again.receive(await other.greet(await again.start()), device);
    return byCode(HANDSHAKE, async () => other.receive(exact ? own.m3 : bytes));
  };
  return sealed('handshake m3', [m3], receive, readsBy(readM3));
}

/** What m1, m2 and m4 hold: whoever has the manifest can seal any m1. */
export function payloadTarget(): Target {
  const nonce = '0f'.repeat(16);
  const values = [
    { versions: [1], suites: [1], nonce },
    { versions: [1, 2], suites: [1], nonce, psk: nonce },
    { version: 1, suite: 1, nonce, time: NOW },
    { pskMs: 1_000 },
  ];
  return {
    name: 'handshake payload',
    accepts: 'a value of its schema that says the same again',
    seeds: values.map((value) => encoder.encode(JSON.stringify(value))),
    take(input) {
      const texts = payloadsIn(input);
      if (texts.length === 0) return NONE;
      const lost = texts.some((text) => !payloadsIn(encoder.encode(text)).includes(text));
      return lost ? { wrong: 'says something else again' } : 'taken';
    },
  };
}

/** By every schema that it fits. */
function payloadsIn(bytes: Uint8Array): string[] {
  return [M1Payload, M2Payload, Welcome].flatMap((schema) => {
    const value = unlessRefused(() => readJson(schema, bytes, 'HANDSHAKE_FAILED'));
    return value === undefined ? [] : [JSON.stringify(value)];
  });
}

/** What a record holds: JSON with bytes beside it. One value has several encodings; what was read must come back. */
export function contentTarget(): Target {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => i & 255);
  const values = [
    { id: 1, name: 'groupMessage', body: { epoch: 3, sealed: bytes } },
    { seq: 7, name: 'groupCommit', body: { epoch: 3, commit: bytes, groupInfo: bytes, removes: ['peer-1'] } },
    { re: 1, answer: { ok: true } },
  ];
  return {
    name: 'record content',
    accepts: 'a value that says the same again',
    seeds: values.map((value) => encodeContent(value)),
    take(input) {
      const once = recoded(input);
      if (once === undefined) return NONE;
      const twice = recoded(once);
      return twice !== undefined && same(twice, once) ? 'taken' : { wrong: 'says something else again' };
    },
  };
}

function recoded(bytes: Uint8Array): Uint8Array | undefined {
  return unlessRefused(() => encodeContent(decodeContent(bytes)));
}

/** Of one record. */
const RECORD_MAX = 1_000_000;

export async function recordTarget(): Promise<Target> {
  const sealer = new Sealer(threes(), 'c2s', webCipher, 0);
  const record = async (kind: number, text: string) => Promise.all(sealer.seal(kind, encoder.encode(text), 0));
  const [first] = await record(CONTENT.message, 'hello');
  const [second] = await record(CONTENT.message, 'a message of some length '.repeat(40));
  const seeds = [first ?? new Uint8Array(), second ?? new Uint8Array()];
  // Only the first is next; the second is what comes too early.
  const [valid] = seeds;
  const open = (bytes: Uint8Array) =>
    byCode(['SEAL_BROKEN', 'OVERSIZE'], async () => {
      const opener = new Opener(threes(), 'c2s', webCipher, RECORD_MAX);
      const begun = opener.begin(bytes);
      opener.take(await begun);
    });
  const reads = readsBy((bytes) => readRecord(bytes, RECORD_MAX));
  const target = sealed('record', [valid ?? new Uint8Array()], open, reads);
  return { ...target, seeds };
}

export async function broadcastTarget(): Promise<Target> {
  const sealer = new BroadcastSealer(webCipher, (length) => new Uint8Array(length).fill(5));
  const keyMessage = sealer.keyMessage();
  const seeds = await Promise.all(
    ['one', 'a longer word to all of them '.repeat(30)].map((text) => sealer.seal(encoder.encode(text))),
  );
  const open = (bytes: Uint8Array) =>
    byCode(['SEAL_BROKEN', 'OVERSIZE'], async () => {
      const opener = new BroadcastOpener(webCipher);
      opener.use(keyMessage.slice());
      await opener.open(bytes);
    });
  return sealed('broadcast', seeds, open, readsBy(readBroadcast));
}
