/**
 * X-Wing (draft-connolly-cfrg-xwing-kem: ML-KEM-768 and X25519) with X25519 done by WebCrypto and ML-KEM by noble:
 * the same keys and ciphertexts as @hpke/hybridkem-x-wing, whose X25519 in script is the larger part of a Commit.
 */
import type { RecipientContextParams, SenderContextParams } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { sha3_256, shake256 } from '@noble/hashes/sha3.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { bytesOf } from './bytes.ts';

const KEM_PUBLIC = 1184;
const KEM_CIPHERTEXT = 1088;
const ENC_BYTES = 1120;
const X_BASE = Uint8Array.of(9, ...new Uint8Array(31));
/** PKCS #8 of an X25519 private key, up to its 32 bytes (RFC 8410 §7): the only raw import that WebCrypto has. */
const X_PKCS8 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);
/** The six characters of the combiner, `\.//^\`. */
const LABEL = Uint8Array.of(92, 46, 47, 47, 94, 92);

export class FastXWing extends XWing {
  override async generateKeyPair(): Promise<CryptoKeyPair> {
    return this.generateKeyPairDerand(crypto.getRandomValues(new Uint8Array(32)));
  }

  override async deriveKeyPair(ikm: ArrayBufferLike | ArrayBufferView): Promise<CryptoKeyPair> {
    return this.generateKeyPairDerand(shake256(bytesOf(ikm), { dkLen: 32 }));
  }

  override async generateKeyPairDerand(seed: Uint8Array): Promise<CryptoKeyPair> {
    const { kemPublic, xPublic } = await expand(seed);
    const [privateKey, publicKey] = await Promise.all([
      this.deserializePrivateKey(seed.slice().buffer),
      this.deserializePublicKey(concat(kemPublic, xPublic).buffer),
    ]);
    return { privateKey, publicKey };
  }

  override async encap(params: SenderContextParams): Promise<{ sharedSecret: ArrayBuffer; enc: ArrayBuffer }> {
    const recipient = new Uint8Array(await this.serializePublicKey(params.recipientPublicKey));
    const xPublic = recipient.subarray(KEM_PUBLIC);
    const xSecret = crypto.getRandomValues(new Uint8Array(32));
    const [xCipher, xShared] = await Promise.all([x25519(xSecret, X_BASE), x25519(xSecret, xPublic)]);
    xSecret.fill(0);
    const kem = ml_kem768.encapsulate(recipient.subarray(0, KEM_PUBLIC));
    const sharedSecret = combine(kem.sharedSecret, xShared, xCipher, xPublic);
    return { sharedSecret: sharedSecret.buffer, enc: concat(kem.cipherText, xCipher).buffer };
  }

  override async decap(params: RecipientContextParams): Promise<ArrayBuffer> {
    const enc = bytesOf(params.enc);
    if (enc.length !== ENC_BYTES) throw new RangeError('X-Wing ciphertext has another length');
    const { recipientKey } = params;
    const key = 'privateKey' in recipientKey ? recipientKey.privateKey : recipientKey;
    const secret = await expand(new Uint8Array(await this.serializePrivateKey(key)));
    const xCipher = enc.subarray(KEM_CIPHERTEXT);
    const xShared = await x25519(secret.xSecret, xCipher);
    const kemShared = ml_kem768.decapsulate(enc.subarray(0, KEM_CIPHERTEXT), secret.kemSecret);
    return combine(kemShared, xShared, xCipher, secret.xPublic).buffer;
  }
}

interface Expanded {
  readonly kemSecret: Uint8Array;
  readonly kemPublic: Uint8Array;
  readonly xSecret: Uint8Array;
  readonly xPublic: Uint8Array;
}

async function expand(seed: Uint8Array): Promise<Expanded> {
  const expanded = shake256(seed, { dkLen: 96 });
  const xSecret = expanded.subarray(64);
  const xPublic = await x25519(xSecret, X_BASE);
  const kem = ml_kem768.keygen(expanded.subarray(0, 64));
  return { kemSecret: kem.secretKey, kemPublic: kem.publicKey, xSecret, xPublic };
}

async function x25519(secret: Uint8Array, point: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = concat(X_PKCS8, secret);
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('pkcs8', pkcs8, 'X25519', false, ['deriveBits']),
    crypto.subtle.importKey('raw', point.slice(), 'X25519', false, []),
  ]);
  pkcs8.fill(0);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'X25519', public: publicKey }, privateKey, 256));
}

function combine(kem: Uint8Array, x: Uint8Array, xCipher: Uint8Array, xPublic: Uint8Array): Uint8Array<ArrayBuffer> {
  return sha3_256(concat(kem, x, xCipher, xPublic, LABEL)).slice();
}

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
