/**
 * X-Wing (draft-connolly-cfrg-xwing-kem §5) of whatever ML-KEM-768 there is, WebCrypto's X25519, and SHA-3 by noble. The one
 * X-Wing of this package: the channel, recordings and MLS (../xwing.ts) all use it.
 */
import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '../bytes.ts';
import {
  KEM_CIPHERTEXT_BYTES,
  KEM_PUBLIC_BYTES,
  SEED_BYTES,
  requireLength,
  type KemKey,
  type KeyEncapsulation,
  type MlKem,
} from './model.ts';

const ML_KEM_PUBLIC = 1184;
const ML_KEM_CIPHERTEXT = 1088;
const X_BASE = Uint8Array.of(9, ...new Uint8Array(31));
/** PKCS #8 of an X25519 private key, up to its 32 bytes (RFC 8410 §7): the only raw import that WebCrypto has. */
const X_PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);
/** The six characters of the combiner, `\.//^\`. */
const LABEL = Uint8Array.of(92, 46, 47, 47, 94, 92);

export function xWing(mlKem: MlKem): KeyEncapsulation {
  const fromSeed = async (seed: Uint8Array): Promise<KemKey> => {
    requireLength(seed, SEED_BYTES, 'an X-Wing seed');
    const expanded = shake256(seed, { dkLen: 96 });
    const [kem, xSecret] = await Promise.all([mlKem.fromSeed(expanded.slice(0, 64)), xPrivateKey(expanded.slice(64))]);
    expanded.fill(0);
    const xPublic = await x25519(xSecret, X_BASE);
    return {
      publicKey: concatBytes(kem.publicKey, xPublic),
      async decapsulate(cipherText) {
        requireLength(cipherText, KEM_CIPHERTEXT_BYTES, 'an X-Wing ciphertext');
        const xCipher = cipherText.subarray(ML_KEM_CIPHERTEXT);
        const [kemShared, xShared] = await Promise.all([
          kem.decapsulate(cipherText.slice(0, ML_KEM_CIPHERTEXT)),
          x25519(xSecret, xCipher),
        ]);
        return combine(kemShared, xShared, xCipher, xPublic);
      },
    };
  };
  return {
    generate: () => fromSeed(crypto.getRandomValues(new Uint8Array(SEED_BYTES))),
    fromSeed,
    async encapsulate(publicKey) {
      requireLength(publicKey, KEM_PUBLIC_BYTES, 'an X-Wing public key');
      const xPublic = publicKey.slice(ML_KEM_PUBLIC);
      const xSecret = await xPrivateKey(crypto.getRandomValues(new Uint8Array(32)));
      const [kem, xCipher, xShared] = await Promise.all([
        mlKem.encapsulate(publicKey.slice(0, ML_KEM_PUBLIC)),
        x25519(xSecret, X_BASE),
        x25519(xSecret, xPublic),
      ]);
      const sharedSecret = combine(kem.sharedSecret, xShared, xCipher, xPublic);
      return { cipherText: concatBytes(kem.cipherText, xCipher), sharedSecret };
    },
  };
}

/** Wipes the bytes it was given. */
async function xPrivateKey(secret: Uint8Array): Promise<CryptoKey> {
  const pkcs8 = concatBytes(X_PKCS8, secret);
  secret.fill(0);
  try {
    return await crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits']);
  } finally {
    pkcs8.fill(0);
  }
}

/** All zeros for a point of small order, as RFC 7748 §6.1 computes it: the draft makes no check (WebCrypto would throw). */
async function x25519(secret: CryptoKey, point: Uint8Array): Promise<Uint8Array> {
  const publicKey = await crypto.subtle.importKey('raw', point.slice(), 'X25519', false, []);
  try {
    return new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: publicKey }, secret, 256));
  } catch {
    return new Uint8Array(32);
  }
}

function combine(kem: Uint8Array, x: Uint8Array, xCipher: Uint8Array, xPublic: Uint8Array): Uint8Array<ArrayBuffer> {
  const sharedSecret = sha3_256(concatBytes(kem, x, xCipher, xPublic, LABEL)).slice();
  kem.fill(0);
  x.fill(0);
  return sharedSecret;
}
