/**
 * The sealed channel: manifest, handshake, records, broadcasts. Signatures and KEM are the real bytes, looked up: `verify` says yes to
 * exactly what was signed, and a ciphertext that nobody made gives a secret of its own (implicit rejection). So the parsers behind
 * the primitives are reached two hundred thousand times; the primitives have their own tests.
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
import { CLAIMS, CONTENT, NOW, Opener, openWorld, Sealer } from '@veilcast/e2ee/fuzzing';
import { same } from './mutate.ts';
import { byCode, sealed, type Target } from './target.ts';

const digest = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};
const key = (...parts: readonly Uint8Array[]): string => Buffer.from(digest(...parts)).toString('hex');
const fill = (length: number, from: Uint8Array): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (from[i % 32] ?? 0) ^ (i & 255));

/** Says yes to what these keys signed, and to nothing else. */
function ideal(signed: Set<string>): Signatures {
  const text = new TextEncoder();
  return {
    verify: async (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array, context: string) =>
      signed.has(key(publicKey, text.encode(context), digest(message), signature)),
  } as unknown as Signatures;
}

function recorded(signed: Set<string>, publicKey: Uint8Array) {
  return {
    publicKey,
    sign: async (message: Uint8Array, context: string) => {
      const signature = fill(3309, digest(publicKey, message, new TextEncoder().encode(context)));
      signed.add(key(publicKey, new TextEncoder().encode(context), digest(message), signature));
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
  const signed = new Set<string>();
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
  const signed = new Set<string>();
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
  return sealed('handshake m1', [await client().start()], (bytes) => byCode(HANDSHAKE, () => server().greet(bytes)));
}

/** One client that asked, and its state again for each input. */
export async function m2Target(): Promise<Target> {
  const { client, server, device } = await handshake();
  const asked = client();
  const m1 = await asked.start();
  const m2 = await server().greet(m1);
  return sealed('handshake m2', [m2], async (bytes) => {
    // The same randomness gives the same m1: a fresh client is where the first one was, but for the server's part of m1.
    const again = client();
    const own = await again.start();
    const answer = same(bytes, m2);
    return byCode(HANDSHAKE, async () => again.receive(answer ? await server().greet(own) : bytes, device));
  });
}

export async function m3Target(): Promise<Target> {
  const { client, server, device } = await handshake();
  const shaker = client();
  const m1 = await shaker.start();
  const made = server();
  const m2 = await made.greet(m1);
  const { m3 } = await shaker.receive(m2, device);
  return sealed('handshake m3', [m3], async (bytes) => {
    const again = client();
    const other = server();
    const exact = same(bytes, m3);
    const own = await again.receive(await other.greet(await again.start()), device);
    return byCode(HANDSHAKE, async () => other.receive(exact ? own.m3 : bytes));
  });
}

export async function recordTarget(): Promise<Target> {
  const sealer = new Sealer(threes(), 'c2s', webCipher, 0);
  const record = async (kind: number, text: string) =>
    Promise.all(sealer.seal(kind, new TextEncoder().encode(text), 0));
  const [first] = await record(CONTENT.message, 'hello');
  const [second] = await record(CONTENT.message, 'a message of some length '.repeat(40));
  const seeds = [first ?? new Uint8Array(), second ?? new Uint8Array()];
  // Only the first is next; the second is what comes too early.
  const [valid] = seeds;
  const target = sealed('record', [valid ?? new Uint8Array()], (bytes) =>
    byCode(['SEAL_BROKEN', 'OVERSIZE'], async () => {
      const opener = new Opener(threes(), 'c2s', webCipher, 1_000_000);
      const begun = opener.begin(bytes);
      opener.take(await begun);
    }),
  );
  return { ...target, seeds };
}

export async function broadcastTarget(): Promise<Target> {
  const sealer = new BroadcastSealer(webCipher, (length) => new Uint8Array(length).fill(5));
  const keyMessage = sealer.keyMessage();
  const seeds = await Promise.all(
    ['one', 'a longer word to all of them '.repeat(30)].map((text) => sealer.seal(new TextEncoder().encode(text))),
  );
  return sealed('broadcast', seeds, (bytes) =>
    byCode(['SEAL_BROKEN', 'OVERSIZE'], async () => {
      const opener = new BroadcastOpener(webCipher);
      opener.use(keyMessage.slice());
      await opener.open(bytes);
    }),
  );
}
