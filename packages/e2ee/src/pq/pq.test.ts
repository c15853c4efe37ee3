/** What this runtime has and what noble has: against published values, and against each other. */
import { describe, expect, it } from 'vitest';
import { shake128 } from '@noble/hashes/sha3.js';
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768_x25519 } from '@noble/post-quantum/hybrid.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { chooseKeyEncapsulation, chooseSignatures, nativeSigningKey } from './index.ts';
import { KEM_PUBLIC_BYTES, type KeyEncapsulation, type Signatures } from './model.ts';
import { nativeKeyEncapsulation, nativeSignatures } from './native.ts';
import { nobleKeyEncapsulation, nobleSignatures } from './noble.ts';

const kems: readonly [string, KeyEncapsulation][] = [
  ['native', nativeKeyEncapsulation()],
  ['noble', nobleKeyEncapsulation],
];
const signers: readonly [string, Signatures][] = [
  ['native', nativeSignatures()],
  ['noble', nobleSignatures],
];
const pairs = <T>(all: readonly [string, T][]) =>
  all.flatMap(([a, first]) => all.map(([b, second]) => [a, b, first, second] as const));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const message = new TextEncoder().encode('what is signed');

/** This runtime's WebCrypto with some of it replaced. */
const changed = (change: Record<string, unknown>): SubtleCrypto =>
  new Proxy(crypto.subtle, {
    get: (subtle, name) => {
      if (name in change) return change[name as string];
      const own: unknown = Reflect.get(subtle, name);
      return typeof own === 'function' ? (own.bind(subtle) as unknown) : own;
    },
  });
const lying = async () => true;

describe('published values', () => {
  // draft-connolly-cfrg-xwing-kem, appendix C, vector 1. Key and ciphertext by their ends.
  const seed = Buffer.from('7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26', 'hex');
  const eseed = Buffer.from(
    '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e235b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2',
    'hex',
  );
  const shared = 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384';

  it.each(kems)('X-Wing vector 1, %s', async (_name, kem) => {
    const key = await kem.fromSeed(seed);
    expect(hex(key.publicKey)).toMatch(/^e2236b35a8c24b39b10aa1323a96a919.*ba32d9abac8cd049040ef6534$/);
    const { cipherText, sharedSecret } = ml_kem768_x25519.encapsulate(key.publicKey, eseed);
    expect(hex(cipherText)).toMatch(/^b83aa828d4d62b9a83ceffe1d3d3bb1e.*d354274a079d3e6fb2e15$/);
    expect(hex(sharedSecret)).toBe(shared);
    expect(hex(await key.decapsulate(cipherText))).toBe(shared);
  });

  // 100 keys, messages and ciphertexts drawn from SHAKE-128 of nothing, and the SHAKE-128 of all results: C2SP CCTV's accumulated
  // vectors, which the Go standard library's tests carry too.
  it('ML-KEM-768, accumulated', () => {
    const drawn = shake128.create();
    const results = shake128.create();
    for (let i = 0; i < 100; i++) {
      const { publicKey, secretKey } = ml_kem768.keygen(drawn.xof(64));
      const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, drawn.xof(32));
      results.update(publicKey).update(cipherText).update(sharedSecret);
      results.update(ml_kem768.decapsulate(drawn.xof(1088), secretKey));
    }
    expect(hex(results.xof(32))).toBe('1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415');
  });

  it('ML-DSA-65, accumulated', async () => {
    const drawn = shake128.create();
    const results = shake128.create();
    const nothing = new Uint8Array();
    for (let i = 0; i < 100; i++) {
      const secret = drawn.xof(32);
      const { publicKey, secretKey } = ml_dsa65.keygen(secret);
      const signature = ml_dsa65.sign(nothing, secretKey, { extraEntropy: false });
      results.update(publicKey).update(signature);
      if (i % 10 > 0) continue;
      expect(hex((await nativeSignatures().fromSeed(secret)).publicKey)).toBe(hex(publicKey));
      expect(await nativeSignatures().verify(publicKey, nothing, signature, '')).toBe(true);
    }
    expect(hex(results.xof(32))).toBe('8358a1843220194417cadbc2651295cd8fc65125b5a5c1a239a16dc8b57ca199');
  });
});

describe('X-Wing', () => {
  it.each(pairs(kems))('%s seals what %s opens, and both make the same key of a seed', async (_a, _b, seals, opens) => {
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const key = await opens.fromSeed(seed);
    expect(hex((await seals.fromSeed(seed)).publicKey)).toBe(hex(key.publicKey));
    const { cipherText, sharedSecret } = await seals.encapsulate(key.publicKey);
    expect([cipherText.length, sharedSecret.length]).toEqual([1120, 32]);
    expect(hex(await key.decapsulate(cipherText))).toBe(hex(sharedSecret));
    for (const at of [0, 1087, 1088, 1119]) {
      const changed = cipherText.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      const native = await key.decapsulate(changed);
      expect(hex(native)).not.toBe(hex(sharedSecret));
      expect(hex(await (await seals.fromSeed(seed)).decapsulate(changed))).toBe(hex(native));
    }
  });

  it.each(kems)('%s refuses other lengths and keys that are none', async (_name, kem) => {
    const key = await kem.generate();
    expect(key.publicKey.length).toBe(KEM_PUBLIC_BYTES);
    await expect(kem.fromSeed(new Uint8Array(31))).rejects.toThrow(RangeError);
    await expect(key.decapsulate(new Uint8Array(1119))).rejects.toThrow(RangeError);
    await expect(key.decapsulate(new Uint8Array(1121))).rejects.toThrow(RangeError);
    await expect(kem.encapsulate(key.publicKey.subarray(1))).rejects.toThrow(RangeError);
    // A number above the modulus: FIPS 203 §7.2.
    await expect(kem.encapsulate(key.publicKey.slice().fill(255, 0, 3))).rejects.toThrow(RangeError);
  });

  it.each(kems)(
    '%s takes a point of small order as the draft does: its secret is ML-KEM’s alone',
    async (_name, kem) => {
      const key = await kem.generate();
      const { cipherText } = await kem.encapsulate(key.publicKey);
      expect(hex(await key.decapsulate(cipherText.fill(0, 1088)))).toMatch(/^[0-9a-f]{64}$/);
    },
  );
});

describe('ML-DSA-65', () => {
  it.each(pairs(signers))('%s signs what %s takes, for its context alone', async (_a, _b, signs, takes) => {
    const seed = crypto.getRandomValues(new Uint8Array(32));
    const key = await signs.fromSeed(seed);
    expect(hex((await takes.fromSeed(seed)).publicKey)).toBe(hex(key.publicKey));
    const signature = await key.sign(message, 'one purpose');
    expect([key.publicKey.length, signature.length]).toEqual([1952, 3309]);
    expect(await takes.verify(key.publicKey, message, signature, 'one purpose')).toBe(true);
    expect(await takes.verify(key.publicKey, message, signature, 'another')).toBe(false);
    expect(await takes.verify(key.publicKey, message.slice(1), signature, 'one purpose')).toBe(false);
    for (const at of [0, 40, 2000, 3308]) {
      const changed = signature.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await takes.verify(key.publicKey, message, changed, 'one purpose')).toBe(false);
    }
  });

  it.each(signers)('%s refuses other lengths, another key and impossible contexts', async (_name, signer) => {
    const key = await signer.generate();
    const signature = await key.sign(message, '');
    expect(await signer.verify(key.publicKey, message, signature, '')).toBe(true);
    expect(await signer.verify((await signer.generate()).publicKey, message, signature, '')).toBe(false);
    expect(await signer.verify(key.publicKey.subarray(1), message, signature, '')).toBe(false);
    expect(await signer.verify(key.publicKey, message, signature.subarray(1), '')).toBe(false);
    expect(await signer.verify(key.publicKey, message, signature, 'x'.repeat(256))).toBe(false);
    await expect(key.sign(message, 'x'.repeat(256))).rejects.toThrow(RangeError);
    await expect(key.sign(message, 'ü')).rejects.toThrow(RangeError);
    await expect(signer.fromSeed(new Uint8Array(33))).rejects.toThrow(RangeError);
  });

  it('signs with a key that WebCrypto made and keeps', async () => {
    const subtle = crypto.subtle as unknown as { generateKey(...args: unknown[]): Promise<CryptoKeyPair> };
    const { privateKey } = await subtle.generateKey('ML-DSA-65', false, ['sign', 'verify']);
    const key = await nativeSigningKey(privateKey);
    expect(await nobleSignatures.verify(key.publicKey, message, await key.sign(message, 'a'), 'a')).toBe(true);
  });
});

describe('the choice', () => {
  it('is the runtime’s own here', async () => {
    expect(await chooseSignatures(crypto.subtle)).not.toBe(nobleSignatures);
    expect(await chooseKeyEncapsulation(crypto.subtle)).not.toBe(nobleKeyEncapsulation);
  });

  it.each([
    ['without these algorithms', { importKey: async () => Promise.reject(new DOMException('', 'NotSupportedError')) }],
    ['without getPublicKey', { getPublicKey: undefined }],
    ['with other methods missing', { sign: undefined, encapsulateBits: undefined }],
    [
      'whose signatures always hold and whose secrets are zeros',
      { verify: lying, decapsulateBits: async () => new ArrayBuffer(32) },
    ],
    ['whose keys are others', { exportKey: async () => new ArrayBuffer(1952) }],
  ])('is noble %s', async (_how, change) => {
    expect(await chooseSignatures(changed(change))).toBe(nobleSignatures);
    expect(await chooseKeyEncapsulation(changed(change))).toBe(nobleKeyEncapsulation);
  });
});
