/**
 * A device's identity under a passphrase, for a file that people keep: scrypt (RFC 7914) and AES-256-GCM.
 *
 * `veilcast-device:1:` and base64url of `u8 log2 N | u8 r | u8 p | salt[16] | nonce[12] | sealed(device[16] | seed[32])`; what is before
 * the nonce is authenticated too.
 */
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { fromBase64Url, toBase64Url } from '../base64url.ts';
import { SEED_BYTES } from '../pq/index.ts';
import { DEVICE_ID_BYTES } from './bundle.ts';
import { Reader, Writer } from './layout.ts';

const PREFIX = 'veilcast-device:1:';
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const SEALED_BYTES = DEVICE_ID_BYTES + SEED_BYTES + 16;
/** 128 MiB of memory: OWASP's figures of 2023. Less: a passphrase is guessed faster. */
const COST = { log2N: 17, r: 8, p: 1 } as const;
/** A file that asks for more would stop the page. */
const COST_MAX = { log2N: 20, r: 8, p: 1 } as const;

export interface DeviceSecret {
  readonly device: Uint8Array;
  /** Of the ML-DSA-65 key (FIPS 204 §5.1). */
  readonly seed: Uint8Array;
}

export interface SealOptions {
  /** Lower only in tests. */
  readonly log2N?: number;
  readonly random: (length: number) => Uint8Array;
}

export async function sealDevice(secret: DeviceSecret, passphrase: string, options: SealOptions): Promise<string> {
  const { r, p } = COST;
  const log2N = options.log2N ?? COST.log2N;
  const head = new Writer().u8(log2N).u8(r).u8(p).fixed(options.random(SALT_BYTES), SALT_BYTES).done();
  const iv = options.random(NONCE_BYTES) as Uint8Array<ArrayBuffer>;
  const plain = new Writer().fixed(secret.device, DEVICE_ID_BYTES).fixed(secret.seed, SEED_BYTES).done();
  const key = await keyOf(passphrase, head, { log2N, r, p });
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: head }, key, plain);
  plain.fill(0);
  const whole = new Writer().bytes(head).fixed(iv, NONCE_BYTES).bytes(new Uint8Array(sealed)).done();
  return PREFIX + toBase64Url(whole);
}

/** Undefined for another passphrase, and for anything that is no such file. Never throws. */
export async function openDevice(text: string, passphrase: string): Promise<DeviceSecret | undefined> {
  try {
    if (!text.startsWith(PREFIX)) return undefined;
    const reader = new Reader(fromBase64Url(text.slice(PREFIX.length)));
    const cost = { log2N: reader.u8(), r: reader.u8(), p: reader.u8() };
    if (cost.log2N > COST_MAX.log2N || cost.log2N < 1 || cost.r !== COST_MAX.r || cost.p !== COST_MAX.p)
      return undefined;
    const salt = reader.fixed(SALT_BYTES);
    const head = new Writer().u8(cost.log2N).u8(cost.r).u8(cost.p).bytes(salt).done();
    const iv = reader.fixed(NONCE_BYTES);
    const sealed = reader.fixed(SEALED_BYTES);
    reader.end();
    const key = await keyOf(passphrase, head, cost);
    const plain = new Uint8Array(
      await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: head }, key, sealed),
    );
    const secret = { device: plain.slice(0, DEVICE_ID_BYTES), seed: plain.slice(DEVICE_ID_BYTES) };
    plain.fill(0);
    return secret;
  } catch {
    return undefined;
  }
}

interface Cost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

async function keyOf(passphrase: string, head: Uint8Array, { log2N, r, p }: Cost): Promise<CryptoKey> {
  const words = new TextEncoder().encode(passphrase.normalize('NFKC'));
  const bytes = await scryptAsync(words, head.subarray(3), { N: 2 ** log2N, r, p, dkLen: 32 });
  return crypto.subtle.importKey('raw', bytes as Uint8Array<ArrayBuffer>, 'AES-GCM', false, ['encrypt', 'decrypt']);
}
