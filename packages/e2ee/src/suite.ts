/**
 * The one cipher suite of our groups, X-Wing with Ed25519 signatures (ADR 0006), made of fast parts: hashing and HKDF by
 * noble, since a Commit needs hundreds of small ones and a WebCrypto call costs more than they do; AES-GCM and
 * Ed25519 by WebCrypto; the KEM of xwing.ts.
 *
 * The library is imported by file, not by its index: that pulls in providers for packages that are not installed.
 */
import { Aes256Gcm, CipherSuite, HkdfSha512 } from '@hpke/core';
import { expand, extract } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import type { Aead } from 'ts-mls/crypto/aead.js';
import { type CiphersuiteImpl, getCiphersuiteFromName } from 'ts-mls/crypto/ciphersuite.js';
import type { Hash } from 'ts-mls/crypto/hash.js';
import { makeGenericHpke } from 'ts-mls/crypto/implementation/hpke.js';
import type { Kdf } from 'ts-mls/crypto/kdf.js';
import type { Signature } from 'ts-mls/crypto/signature.js';
import { bytesOf, equalBytes } from './bytes.ts';
import { FastXWing } from './xwing.ts';

export const SUITE = 'MLS_256_XWING_AES256GCM_SHA512_Ed25519';

const hash: Hash = {
  digest: async (bytes) => sha512(bytes),
  mac: async (key, bytes) => hmac(sha512, key, bytes),
  verifyMac: async (key, mac, bytes) => equalBytes(mac, hmac(sha512, key, bytes)),
};

const kdf: Kdf = {
  extract: async (salt, ikm) => extract(sha512, ikm, salt),
  expand: async (prk, info, length) => expand(sha512, prk, info, length),
  size: 64,
};

type BufferLike = ArrayBufferLike | ArrayBufferView;

/** HPKE's own HKDF, seven small HMACs a seal: by noble too. */
class NobleHkdf extends HkdfSha512 {
  override async extract(salt: BufferLike, ikm: BufferLike): Promise<ArrayBuffer> {
    return extract(sha512, bytesOf(ikm), bytesOf(salt)).slice().buffer;
  }

  override async expand(prk: BufferLike, info: BufferLike, length: number): Promise<ArrayBuffer> {
    return expand(sha512, bytesOf(prk), bytesOf(info), length).slice().buffer;
  }

  override async extractAndExpand(
    salt: BufferLike,
    ikm: BufferLike,
    info: BufferLike,
    length: number,
  ): Promise<ArrayBuffer> {
    return this.expand(await this.extract(salt, ikm), info, length);
  }
}

const aead: Aead = {
  async encrypt(key, nonce, aad, plaintext) {
    const aes = await crypto.subtle.importKey('raw', own(key), 'AES-GCM', false, ['encrypt']);
    return new Uint8Array(await crypto.subtle.encrypt(gcm(nonce, aad), aes, own(plaintext)));
  },
  async decrypt(key, nonce, aad, sealed) {
    const aes = await crypto.subtle.importKey('raw', own(key), 'AES-GCM', false, ['decrypt']);
    return new Uint8Array(await crypto.subtle.decrypt(gcm(nonce, aad), aes, own(sealed)));
  },
};

/** Secret keys are PKCS #8, public keys their 32 bytes. */
const signature: Signature = {
  async sign(secretKey, message) {
    const key = await crypto.subtle.importKey('pkcs8', own(secretKey), 'Ed25519', false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign('Ed25519', key, own(message)));
  },
  async verify(publicKey, message, signed) {
    const key = await crypto.subtle.importKey('raw', own(publicKey), 'Ed25519', false, ['verify']);
    return crypto.subtle.verify('Ed25519', key, own(signed), own(message));
  },
  async keygen() {
    const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
    const [publicKey, signKey] = await Promise.all([
      crypto.subtle.exportKey('raw', pair.publicKey),
      crypto.subtle.exportKey('pkcs8', pair.privateKey),
    ]);
    return { publicKey: new Uint8Array(publicKey), signKey: new Uint8Array(signKey) };
  },
};

let loaded: Promise<CiphersuiteImpl> | undefined;

/** Made once and kept: it holds no key. */
export function suiteImpl(): Promise<CiphersuiteImpl> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<CiphersuiteImpl> {
  const parts = new CipherSuite({ kem: new FastXWing(), kdf: new NobleHkdf(), aead: new Aes256Gcm() });
  return {
    name: SUITE,
    hash,
    kdf,
    hpke: await makeGenericHpke(getCiphersuiteFromName(SUITE).hpke, aead, parts),
    signature,
    rng: { randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)) },
  };
}

function gcm(nonce: Uint8Array, aad: Uint8Array): AesGcmParams {
  return { name: 'AES-GCM', iv: own(nonce), additionalData: own(aad) };
}

/** WebCrypto takes no view of shared memory; nobody here makes one. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
