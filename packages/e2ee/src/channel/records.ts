/**
 * One direction of the record layer: `kind(1) ‖ seq(8) ‖ ciphertext`, AES-256-GCM, nonce = iv XOR seq, the direction and the
 * header authenticated. Records are taken in order; a gap, a repetition or a wrong tag ends the channel. Keys step by
 * HKDF after a time and a count: the sender says so in its last record under the old ones.
 */
import { ClusterError } from '@veilcast/protocol';
import { concatBytes } from '../bytes.ts';
import type { Cipher, MakeCipher, Sealing } from './aead.ts';
import { EMPTY, safeU64, u64 } from './bytes.ts';
import {
  CONTENT,
  HASH_BYTES,
  IV_BYTES,
  KEY_BYTES,
  KIND,
  TAG_BYTES,
  UPDATE_AFTER_MS,
  UPDATE_AFTER_RECORDS,
} from './constants.ts';
import { expandLabel } from './schedule.ts';

export const HEADER_BYTES = 9;
/** What a record adds to a message: header, kind of content, tag. */
export const RECORD_OVERHEAD = HEADER_BYTES + 1 + TAG_BYTES;

export type Direction = 'c2s' | 's2c';
const DIRECTION: Readonly<Record<Direction, number>> = { c2s: 0, s2c: 1 };

/** The keys of one direction, from one secret to the next. */
class Keys<T extends Sealing> {
  readonly #makeCipher: MakeCipher<T>;
  readonly #direction: number;
  #secret: Uint8Array = EMPTY;
  #iv: Uint8Array = EMPTY;
  #cipher: Cipher<T> | undefined;

  constructor(secret: Uint8Array, direction: Direction, makeCipher: MakeCipher<T>) {
    this.#makeCipher = makeCipher;
    this.#direction = DIRECTION[direction];
    this.use(secret);
  }

  use(secret: Uint8Array): void {
    this.#secret.fill(0);
    this.#secret = secret;
    const key = expandLabel(secret, 'key', EMPTY, KEY_BYTES);
    this.#iv = expandLabel(secret, 'iv', EMPTY, IV_BYTES);
    this.#cipher = this.#makeCipher(key);
    key.fill(0);
  }

  step(): void {
    this.use(expandLabel(this.#secret, 'update', EMPTY, HASH_BYTES));
  }

  wipe(): void {
    this.#secret.fill(0);
    this.#iv.fill(0);
    this.#cipher = undefined;
  }

  seal(header: Uint8Array, plain: Uint8Array): T {
    return this.#live.seal(this.#nonce(header), header, this.#aad(header), plain);
  }

  open(header: Uint8Array, sealed: Uint8Array): T {
    return this.#live.open(this.#nonce(header), this.#aad(header), sealed);
  }

  get #live(): Cipher<T> {
    if (!this.#cipher) throw new ClusterError('CLOSED');
    return this.#cipher;
  }

  #aad(header: Uint8Array): Uint8Array {
    return concatBytes(Uint8Array.of(this.#direction), header);
  }

  #nonce(header: Uint8Array): Uint8Array {
    return xorNonce(this.#iv, header.subarray(1));
  }
}

/** `iv` with a big-endian number of 8 bytes XORed into its end. */
export function xorNonce(iv: Uint8Array, number: Uint8Array): Uint8Array {
  const nonce = iv.slice();
  for (let i = 0; i < number.length; i++) {
    const at = IV_BYTES - number.length + i;
    nonce[at] = (nonce[at] ?? 0) ^ (number[i] ?? 0);
  }
  return nonce;
}

export interface Content {
  readonly kind: number;
  readonly bytes: Uint8Array;
}

/** When the keys step. */
export interface UpdateLimits {
  readonly ms: number;
  readonly records: number;
}

export const UPDATE_LIMITS: UpdateLimits = { ms: UPDATE_AFTER_MS, records: UPDATE_AFTER_RECORDS };

export class Sealer<T extends Sealing> {
  readonly #keys: Keys<T>;
  readonly #limits: UpdateLimits;
  #seq = 0;
  #sealed = 0;
  #since: number;

  /** @param now in ms, of any clock. Takes the secret over. */
  constructor(
    secret: Uint8Array,
    direction: Direction,
    makeCipher: MakeCipher<T>,
    now: number,
    limits: UpdateLimits = UPDATE_LIMITS,
  ) {
    this.#keys = new Keys(secret, direction, makeCipher);
    this.#since = now;
    this.#limits = limits;
  }

  /** One record, or two where the keys had to step first. To be sent in this order. @throws ClusterError CLOSED */
  seal(kind: number, bytes: Uint8Array, now: number): T[] {
    const records: T[] = [];
    if (this.#sealed >= this.#limits.records || now - this.#since >= this.#limits.ms) {
      records.push(this.#record(CONTENT.update, EMPTY));
      this.#keys.step();
      this.#sealed = 0;
      this.#since = now;
    }
    records.push(this.#record(kind, bytes));
    return records;
  }

  /** Goes on under the secret of a fresh round. */
  renew(secret: Uint8Array, now: number): void {
    this.#keys.use(secret);
    this.#sealed = 0;
    this.#since = now;
  }

  close(): void {
    this.#keys.wipe();
  }

  #record(kind: number, bytes: Uint8Array): T {
    const header = concatBytes(Uint8Array.of(KIND.record), u64(this.#seq));
    const sealed = this.#keys.seal(header, concatBytes(Uint8Array.of(kind), bytes));
    this.#seq += 1;
    this.#sealed += 1;
    return sealed;
  }
}

/** A record as bytes, before any key is used. @throws ClusterError SEAL_BROKEN, OVERSIZE */
export function readRecord(
  record: Uint8Array,
  max: number,
): { readonly header: Uint8Array; readonly seq: number; readonly sealed: Uint8Array } {
  if (record.length > max) throw new ClusterError('OVERSIZE');
  const header = record.slice(0, HEADER_BYTES);
  const seq = record.length < RECORD_OVERHEAD || header[0] !== KIND.record ? undefined : safeU64(header, 1);
  if (seq === undefined) throw new ClusterError('SEAL_BROKEN');
  return { header, seq, sealed: record.slice(HEADER_BYTES) };
}

export class Opener<T extends Sealing> {
  readonly #keys: Keys<T>;
  readonly #max: number;
  #seq = 0;
  /** A record was begun and not taken: what comes after it cannot be trusted. */
  #pending = false;

  /** @param max bytes of one record. Takes the secret over. */
  constructor(secret: Uint8Array, direction: Direction, makeCipher: MakeCipher<T>, max: number) {
    this.#keys = new Keys(secret, direction, makeCipher);
    this.#max = max;
  }

  /** The plaintext of the next record, for `take`. @throws ClusterError SEAL_BROKEN, OVERSIZE, CLOSED */
  begin(record: Uint8Array): T {
    const { header, seq, sealed } = readRecord(record, this.#max);
    if (this.#pending || seq !== this.#seq) throw new ClusterError('SEAL_BROKEN');
    this.#pending = true;
    return this.#keys.open(header, sealed);
  }

  /** What was opened; the next record may be begun. */
  take(plain: Uint8Array): Content {
    const [kind = -1] = plain;
    this.#pending = false;
    this.#seq += 1;
    if (kind === CONTENT.update) this.#keys.step();
    return { kind, bytes: plain.subarray(1) };
  }

  renew(secret: Uint8Array): void {
    this.#keys.use(secret);
  }

  close(): void {
    this.#keys.wipe();
  }
}
