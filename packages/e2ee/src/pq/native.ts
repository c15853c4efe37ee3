/**
 * ML-DSA-65 and ML-KEM-768 of WebCrypto (the draft "Modern Algorithms in the Web Cryptography API"; Node 24, Chromium). Experimental
 * everywhere, so a runtime is believed only after a round trip and a value that is known.
 */
import { equalBytes } from '../bytes.ts';
import {
  contextBytes,
  requireLength,
  SEED_BYTES,
  SIGNATURE_BYTES,
  SIGNATURE_PUBLIC_BYTES,
  type KeyEncapsulation,
  type MlKem,
  type SigningKey,
  type Signatures,
} from './model.ts';
import { xWing } from './xwing.ts';

const DSA = 'ML-DSA-65';
const KEM = 'ML-KEM-768';

/** What TypeScript's library does not know of `SubtleCrypto` yet; formats and algorithms are checked by the probe. */
interface ModernSubtle {
  importKey(
    format: string,
    key: BufferSource,
    algorithm: string,
    extractable: boolean,
    usages: string[],
  ): Promise<CryptoKey>;
  exportKey(format: 'raw-public', key: CryptoKey): Promise<ArrayBuffer>;
  generateKey(algorithm: string, extractable: boolean, usages: string[]): Promise<CryptoKeyPair>;
  getPublicKey(key: CryptoKey, usages: string[]): Promise<CryptoKey>;
  sign(algorithm: DsaParams, key: CryptoKey, message: BufferSource): Promise<ArrayBuffer>;
  verify(algorithm: DsaParams, key: CryptoKey, signature: BufferSource, message: BufferSource): Promise<boolean>;
  encapsulateBits(algorithm: string, key: CryptoKey): Promise<{ ciphertext: ArrayBuffer; sharedKey: ArrayBuffer }>;
  decapsulateBits(algorithm: string, key: CryptoKey, ciphertext: BufferSource): Promise<ArrayBuffer>;
}

interface DsaParams {
  readonly name: string;
  readonly context: BufferSource;
}

function modern(subtle: SubtleCrypto): ModernSubtle {
  return subtle as unknown as ModernSubtle;
}

/** A key of WebCrypto's own, whether or not it can be taken out. @throws RangeError, DOMException */
export async function nativeSigningKey(privateKey: CryptoKey, subtle = crypto.subtle): Promise<SigningKey> {
  const publicKey = await modern(subtle).getPublicKey(privateKey, ['verify']);
  const raw = new Uint8Array(await modern(subtle).exportKey('raw-public', publicKey));
  requireLength(raw, SIGNATURE_PUBLIC_BYTES, 'an ML-DSA-65 public key');
  return {
    publicKey: raw,
    async sign(message, context) {
      const params = { name: DSA, context: contextBytes(context) };
      return new Uint8Array(await modern(subtle).sign(params, privateKey, message.slice()));
    },
  };
}

export function nativeSignatures(subtle = crypto.subtle): Signatures {
  const dsa = modern(subtle);
  return {
    async generate() {
      const { privateKey } = await dsa.generateKey(DSA, false, ['sign', 'verify']);
      return nativeSigningKey(privateKey, subtle);
    },
    async fromSeed(seed) {
      requireLength(seed, SEED_BYTES, 'an ML-DSA-65 seed');
      return nativeSigningKey(await dsa.importKey('raw-seed', seed.slice(), DSA, false, ['sign']), subtle);
    },
    async verify(publicKey, message, signature, context) {
      if (publicKey.length !== SIGNATURE_PUBLIC_BYTES || signature.length !== SIGNATURE_BYTES) return false;
      try {
        const params = { name: DSA, context: contextBytes(context) };
        const key = await dsa.importKey('raw-public', publicKey.slice(), DSA, false, ['verify']);
        return await dsa.verify(params, key, signature.slice(), message.slice());
      } catch {
        return false;
      }
    },
  };
}

export function nativeKeyEncapsulation(subtle = crypto.subtle): KeyEncapsulation {
  return xWing(nativeMlKem(modern(subtle)));
}

function nativeMlKem(kem: ModernSubtle): MlKem {
  return {
    async fromSeed(seed) {
      const privateKey = await kem.importKey('raw-seed', seed.slice(), KEM, false, ['decapsulateBits']);
      seed.fill(0);
      const publicKey = await kem.getPublicKey(privateKey, ['encapsulateBits']);
      return {
        publicKey: new Uint8Array(await kem.exportKey('raw-public', publicKey)),
        async decapsulate(cipherText) {
          return new Uint8Array(await kem.decapsulateBits(KEM, privateKey, cipherText.slice()));
        },
      };
    },
    async encapsulate(publicKey) {
      const { ciphertext, sharedKey } = await encapsulated(publicKey);
      return { cipherText: new Uint8Array(ciphertext), sharedSecret: new Uint8Array(sharedKey) };
    },
  };

  async function encapsulated(publicKey: Uint8Array): Promise<{ ciphertext: ArrayBuffer; sharedKey: ArrayBuffer }> {
    try {
      const key = await kem.importKey('raw-public', publicKey.slice(), KEM, false, ['encapsulateBits']);
      return await kem.encapsulateBits(KEM, key);
    } catch (cause) {
      throw new RangeError('no ML-KEM-768 public key', { cause });
    }
  }
}

/** First bytes of the ML-DSA-65 and X-Wing public keys of the seed of 32 zeros. */
const KNOWN_DSA = Uint8Array.of(0x42, 0x4b, 0x2f, 0x26, 0x7e, 0x58, 0xd5, 0xb3);
const KNOWN_KEM = Uint8Array.of(0x3d, 0x20, 0x9f, 0x71, 0x67, 0x52, 0xf6, 0x40);
const PROBE = new Uint8Array(SEED_BYTES);

/** Whether this WebCrypto signs, contexts included, and makes the keys that it should. Never throws. */
export async function hasNativeSignatures(subtle: SubtleCrypto): Promise<boolean> {
  try {
    const signatures = nativeSignatures(subtle);
    const key = await signatures.fromSeed(PROBE);
    if (!startsWith(key.publicKey, KNOWN_DSA)) return false;
    const signature = await key.sign(PROBE, 'probe');
    const holds = await signatures.verify(key.publicKey, PROBE, signature, 'probe');
    // A runtime that ignores the context would take every signature for every purpose.
    return holds && !(await signatures.verify(key.publicKey, PROBE, signature, 'other'));
  } catch {
    return false;
  }
}

/** Whether this WebCrypto encapsulates, and makes the keys that it should. Never throws. */
export async function hasNativeKeyEncapsulation(subtle: SubtleCrypto): Promise<boolean> {
  try {
    const kem = nativeKeyEncapsulation(subtle);
    const key = await kem.fromSeed(PROBE);
    if (!startsWith(key.publicKey, KNOWN_KEM)) return false;
    const { cipherText, sharedSecret } = await kem.encapsulate(key.publicKey);
    return equalBytes(await key.decapsulate(cipherText), sharedSecret);
  } catch {
    return false;
  }
}

function startsWith(bytes: Uint8Array, known: Uint8Array): boolean {
  return equalBytes(bytes.subarray(0, known.length), known);
}
