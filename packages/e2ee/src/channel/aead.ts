/** AES-256-GCM as the channel uses it: bound to one key, at once or as a promise, whichever the runtime does better. */
import { ClusterError } from '@veilcast/protocol';
import { concatBytes } from '../bytes.ts';

/** What a seal or an opening comes as. */
export type Sealing = Uint8Array | Promise<Uint8Array>;

export interface Cipher<T extends Sealing> {
  /** `header`, authenticated, and after it the sealed bytes with their tag. */
  seal(nonce: Uint8Array, header: Uint8Array, aad: Uint8Array, plain: Uint8Array): T;
  /** The plaintext. @throws ClusterError SEAL_BROKEN, or rejects with it */
  open(nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): T;
}

/** Takes 32 bytes and keeps no reference to them. */
export type MakeCipher<T extends Sealing> = (key: Uint8Array) => Cipher<T>;

/** WebCrypto's, everywhere. */
export const webCipher: MakeCipher<Promise<Uint8Array>> = (key) => {
  const raw = key.slice();
  const imported = crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']).finally(() => {
    raw.fill(0);
  });
  return {
    async seal(nonce, header, aad, plain) {
      const sealed = await crypto.subtle.encrypt(params(nonce, aad), await imported, plain.slice());
      return concatBytes(header, new Uint8Array(sealed));
    },
    async open(nonce, aad, sealed) {
      const opening = crypto.subtle.decrypt(params(nonce, aad), await imported, sealed.slice());
      return new Uint8Array(await opening.catch(broken));
    },
  };
};

/** What is wrong with a record is nobody's business. */
function broken(): never {
  throw new ClusterError('SEAL_BROKEN');
}

function params(nonce: Uint8Array, aad: Uint8Array): AesGcmParams {
  return { name: 'AES-GCM', iv: nonce.slice(), additionalData: aad.slice() };
}
