/** ML-DSA-65 and ML-KEM-768 in script, where the runtime has none: 5 to 20 times slower. Loaded only then (pq.ts). */
import { ml_dsa65 } from '@noble/post-quantum/ml-dsa.js';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
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

const mlKem: MlKem = {
  async fromSeed(seed) {
    const { publicKey, secretKey } = ml_kem768.keygen(seed);
    return { publicKey, decapsulate: async (cipherText) => ml_kem768.decapsulate(cipherText, secretKey) };
  },
  async encapsulate(publicKey) {
    try {
      return ml_kem768.encapsulate(publicKey);
    } catch (cause) {
      throw new RangeError('no ML-KEM-768 public key', { cause });
    }
  },
};

export const nobleKeyEncapsulation: KeyEncapsulation = xWing(mlKem);

async function fromSeed(seed: Uint8Array): Promise<SigningKey> {
  requireLength(seed, SEED_BYTES, 'an ML-DSA-65 seed');
  const { publicKey, secretKey } = ml_dsa65.keygen(seed);
  return {
    publicKey,
    async sign(message, context) {
      return ml_dsa65.sign(message, secretKey, { context: contextBytes(context) });
    },
  };
}

export const nobleSignatures: Signatures = {
  generate: () => fromSeed(crypto.getRandomValues(new Uint8Array(SEED_BYTES))),
  fromSeed,
  async verify(publicKey, message, signature, context) {
    if (publicKey.length !== SIGNATURE_PUBLIC_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    try {
      return ml_dsa65.verify(signature, message, publicKey, { context: contextBytes(context) });
    } catch {
      return false;
    }
  },
};
