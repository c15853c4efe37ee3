/** Labels, lengths and limits of `veilcast/1`. Every label is used in one place; a change of any is another protocol. */
import { KEM_CIPHERTEXT_BYTES, KEM_PUBLIC_BYTES, SIGNATURE_BYTES, SIGNATURE_PUBLIC_BYTES } from '../pq/index.ts';

export const PROTOCOL = 'veilcast/1';
export const VERSION = 1;
/** X-Wing, ML-DSA-65, HKDF-SHA512, AES-256-GCM. */
export const SUITE_XWING_AES256GCM_SHA512_MLDSA65 = 1;

/** Signature contexts (FIPS 204 §5.2). */
export const CONTEXT_MANIFEST = `${PROTOCOL} manifest`;
export const CONTEXT_CLIENT = `${PROTOCOL} client`;

/** First byte of everything on the wire. */
export const KIND = { m1: 0x10, m2: 0x11, m3: 0x12, alert: 0x1f, record: 0x20, broadcast: 0x21 } as const;

/** First byte of what a record holds. */
export const CONTENT = {
  /** A message of the application. */
  message: 0,
  /** m4: the server's word on the client's m3. */
  welcome: 1,
  /** The sender's keys step after this record. */
  update: 2,
  /** A client's new X-Wing key, the server's answer to it, and the client's last word under the old keys. */
  freshOffer: 3,
  freshAnswer: 4,
  freshDone: 5,
  /** The key of what a Room says to all of its sockets. */
  broadcastKey: 6,
} as const;

export const HASH_BYTES = 64;
export const KEY_BYTES = 32;
export const IV_BYTES = 12;
export const TAG_BYTES = 16;
export const PSK_BYTES = 32;
export const PSK_ID_BYTES = 16;

/** JSON inside of a handshake message. */
export const M1_PAYLOAD_MAX = 256;
export const M2_PAYLOAD_MAX = 512;

export const M1_MIN = 1 + KEM_PUBLIC_BYTES + KEM_CIPHERTEXT_BYTES + TAG_BYTES;
export const M1_MAX = M1_MIN + M1_PAYLOAD_MAX;
/** Its second byte: whether the pre-shared key is in the keys from here on. */
export const M2_MIN = 2 + KEM_CIPHERTEXT_BYTES + TAG_BYTES;
export const M2_MAX = M2_MIN + M2_PAYLOAD_MAX;
/** Device key and signature; nothing where the session is resumed. */
export const M3_PROOF_BYTES = SIGNATURE_PUBLIC_BYTES + SIGNATURE_BYTES;
export const M3_MIN = 1 + TAG_BYTES;
export const M3_MAX = M3_MIN + M3_PROOF_BYTES;

/** A direction's keys step after so long or so many records, whichever is first. */
export const UPDATE_AFTER_MS = 60_000;
export const UPDATE_AFTER_RECORDS = 2 ** 20;
/** A new X-Wing secret after so long: what was stolen before then is worth nothing after. */
export const FRESH_AFTER_MS = 10 * 60_000;
/** A pre-shared key outlives the round that gives the next one. */
export const PSK_LIFE_MS = 2 * FRESH_AFTER_MS;
