/** AES-256-GCM by OpenSSL, at once: a socket's records keep their order without waiting for each other. */
import type { MakeCipher } from '@veilcast/e2ee/channel';
import { ClusterError } from '@veilcast/protocol';
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
const TAG_BYTES = 16;

export const nodeCipher: MakeCipher<Uint8Array> = (raw) => {
  const key = createSecretKey(raw);
  return {
    seal(nonce, header, aad, plain) {
      const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES }).setAAD(aad);
      const sealed = cipher.update(plain);
      cipher.final();
      return Buffer.concat([header, sealed, cipher.getAuthTag()]);
    },
    open(nonce, aad, sealed) {
      const end = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
      try {
        decipher.setAAD(aad).setAuthTag(sealed.subarray(end));
        const plain = decipher.update(sealed.subarray(0, end));
        decipher.final();
        return plain;
      } catch {
        throw new ClusterError('SEAL_BROKEN');
      }
    },
  };
};
