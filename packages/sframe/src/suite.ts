/**
 * The two AES-GCM suites of RFC 9605 (§4.4.2, §4.5) and the sender-key ratchet (§5.1), on WebCrypto alone.
 * Base keys live as non-extractable HKDF keys, frame keys as non-extractable AES-GCM keys: once imported, no key can
 * be read back by script, ours included.
 */
import { decodeHeader, encodeHeader } from './header.ts';

export interface Suite {
  /** As registered: 4 AES_128_GCM_SHA256_128, 5 AES_256_GCM_SHA512_128. */
  readonly id: number;
  readonly hash: 'SHA-256' | 'SHA-512';
  /** Length of the frame key, bits. */
  readonly keyBits: 128 | 256;
  /** Length of a ratcheted base key, bytes. */
  readonly hashBytes: 32 | 64;
}

export const SUITE_4: Suite = { id: 4, hash: 'SHA-256', keyBits: 128, hashBytes: 32 };
/** The one that frames of a call use. */
export const SUITE_5: Suite = { id: 5, hash: 'SHA-512', keyBits: 256, hashBytes: 64 };

export const TAG_BYTES = 16;
const NONCE_BYTES = 12;
const NO_SALT = new Uint8Array(0);
const text = new TextEncoder();
const KEY_LABEL = text.encode('SFrame 1.0 Secret key ');
const SALT_LABEL = text.encode('SFrame 1.0 Secret salt ');
const RATCHET_LABEL = text.encode('SFrame 1.0 Ratchet');

/** What one KID seals and opens with. */
export interface FrameKey {
  readonly key: CryptoKey;
  readonly salt: Uint8Array;
}

export function importBaseKey(baseKey: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', buffer(baseKey), 'HKDF', false, ['deriveKey', 'deriveBits']);
}

/** The base key of the next step. The one before it cannot be found from it. */
export async function ratchet(suite: Suite, baseKey: CryptoKey): Promise<CryptoKey> {
  const next = new Uint8Array(await crypto.subtle.deriveBits(hkdf(suite, RATCHET_LABEL), baseKey, suite.hashBytes * 8));
  try {
    return await importBaseKey(next);
  } finally {
    next.fill(0);
  }
}

/** Key and salt of one KID (RFC 9605 §4.4.2). */
export async function deriveFrameKey(
  suite: Suite,
  baseKey: CryptoKey,
  kid: bigint,
  usage: 'encrypt' | 'decrypt',
): Promise<FrameKey> {
  const aes = { name: 'AES-GCM', length: suite.keyBits };
  const [key, salt] = await Promise.all([
    crypto.subtle.deriveKey(hkdf(suite, label(KEY_LABEL, suite, kid)), baseKey, aes, false, [usage]),
    crypto.subtle.deriveBits(hkdf(suite, label(SALT_LABEL, suite, kid)), baseKey, NONCE_BYTES * 8),
  ]);
  return { key, salt: new Uint8Array(salt) };
}

/** A plain RFC frame: header, ciphertext, tag. `ctr` must be new for this key. */
export async function sealPlain(
  frameKey: FrameKey,
  kid: bigint,
  ctr: bigint,
  metadata: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = encodeHeader(kid, ctr);
  return concat(header, await encrypt(frameKey, ctr, concat(header, metadata), plaintext));
}

/** The plaintext of a plain RFC frame; undefined when it is not one, or not under this key and metadata. */
export async function openPlain(
  frameKey: FrameKey,
  metadata: Uint8Array,
  frame: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const header = decodeHeader(frame);
  if (header === undefined || frame.length < header.length + TAG_BYTES) return undefined;
  const additional = concat(frame.subarray(0, header.length), metadata);
  return decrypt(frameKey, header.ctr, additional, frame.subarray(header.length));
}

/** AES-GCM under nonce = salt XOR CTR: ciphertext and tag. */
export async function encrypt(
  frameKey: FrameKey,
  ctr: bigint,
  additional: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const params = gcm(frameKey, ctr, additional);
  return new Uint8Array(await crypto.subtle.encrypt(params, frameKey.key, buffer(plaintext)));
}

/** Undefined when the tag is wrong. */
export async function decrypt(
  frameKey: FrameKey,
  ctr: bigint,
  additional: Uint8Array,
  sealed: Uint8Array,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const params = gcm(frameKey, ctr, additional);
    return new Uint8Array(await crypto.subtle.decrypt(params, frameKey.key, buffer(sealed)));
  } catch {
    return undefined;
  }
}

export function frameNonce(salt: Uint8Array, ctr: bigint): Uint8Array<ArrayBuffer> {
  const nonce = new Uint8Array(salt);
  const view = new DataView(nonce.buffer);
  view.setBigUint64(4, view.getBigUint64(4) ^ ctr);
  return nonce;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function gcm(frameKey: FrameKey, ctr: bigint, additional: Uint8Array): AesGcmParams {
  return { name: 'AES-GCM', iv: frameNonce(frameKey.salt, ctr), additionalData: buffer(additional) };
}

function hkdf(suite: Suite, info: Uint8Array): HkdfParams {
  return { name: 'HKDF', hash: suite.hash, salt: NO_SALT, info: buffer(info) };
}

function label(prefix: Uint8Array, suite: Suite, kid: bigint): Uint8Array {
  const info = new Uint8Array(prefix.length + 10);
  info.set(prefix);
  const view = new DataView(info.buffer);
  view.setBigUint64(prefix.length, kid);
  view.setUint16(prefix.length + 8, suite.id);
  return info;
}

/** WebCrypto takes no view of shared memory; nobody here makes one. */
function buffer(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
