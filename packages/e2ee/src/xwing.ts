/**
 * X-Wing (pq/) as the KEM that @hpke/core wants for MLS: the same keys and ciphertexts as @hpke/hybridkem-x-wing, whose
 * X25519 in script is the larger part of a Commit.
 */
import type { RecipientContextParams, SenderContextParams } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { shake256 } from '@noble/hashes/sha3.js';
import { bytesOf } from './bytes.ts';
import { keyEncapsulation } from './pq/index.ts';

/** DeriveKeyPair of X-Wing: the secret key is a seed, and costs next to nothing without its public key. */
export function secretKeyOf(ikm: Uint8Array): Uint8Array {
  return shake256(ikm, { dkLen: 32 });
}

export async function publicKeyOf(secretKey: Uint8Array): Promise<Uint8Array> {
  return (await keyEncapsulation.fromSeed(secretKey)).publicKey;
}

export class FastXWing extends XWing {
  override async generateKeyPair(): Promise<CryptoKeyPair> {
    return this.generateKeyPairDerand(crypto.getRandomValues(new Uint8Array(32)));
  }

  override async deriveKeyPair(ikm: ArrayBufferLike | ArrayBufferView): Promise<CryptoKeyPair> {
    return this.generateKeyPairDerand(secretKeyOf(bytesOf(ikm)));
  }

  override async generateKeyPairDerand(seed: Uint8Array): Promise<CryptoKeyPair> {
    const key = await keyEncapsulation.fromSeed(seed);
    const [privateKey, publicKey] = await Promise.all([
      this.deserializePrivateKey(seed.slice().buffer),
      this.deserializePublicKey(key.publicKey.slice().buffer),
    ]);
    return { privateKey, publicKey };
  }

  override async encap(params: SenderContextParams): Promise<{ sharedSecret: ArrayBuffer; enc: ArrayBuffer }> {
    const recipient = new Uint8Array(await this.serializePublicKey(params.recipientPublicKey));
    const { cipherText, sharedSecret } = await keyEncapsulation.encapsulate(recipient);
    return { sharedSecret: sharedSecret.slice().buffer, enc: cipherText.slice().buffer };
  }

  override async decap(params: RecipientContextParams): Promise<ArrayBuffer> {
    const { recipientKey } = params;
    const secret = 'privateKey' in recipientKey ? recipientKey.privateKey : recipientKey;
    const key = await keyEncapsulation.fromSeed(new Uint8Array(await this.serializePrivateKey(secret)));
    return (await key.decapsulate(bytesOf(params.enc))).slice().buffer;
  }
}
