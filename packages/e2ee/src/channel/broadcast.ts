/**
 * What a Room says to many sockets at once is sealed once, under a key that each of them was given through its own channel
 * (docs/adr/0014-broadcast-key.md): `kind(1) ‖ key number(4) ‖ n(8) ‖ ciphertext`. Numbers only grow; not everybody hears everything.
 */
import { ClusterError, MESSAGE_MAX } from '@veilcast/protocol';
import { concatBytes } from '../bytes.ts';
import type { Cipher, MakeCipher, Sealing } from './aead.ts';
import { safeU64, u64 } from './bytes.ts';
import { IV_BYTES, KEY_BYTES, KIND, TAG_BYTES } from './constants.ts';
import { xorNonce } from './records.ts';

const HEADER_BYTES = 13;
const KEY_MESSAGE_BYTES = 4 + KEY_BYTES + IV_BYTES;
const NUMBER_MAX = 2 ** 32 - 1;

export class BroadcastSealer<T extends Sealing> {
  readonly #makeCipher: MakeCipher<T>;
  readonly #random: (length: number) => Uint8Array;
  #number = 0;
  #n = 0;
  #material: Uint8Array = new Uint8Array();
  #cipher: Cipher<T> | undefined;

  /** @param first number of the first key, modulo 2^32; on one socket numbers only grow */
  constructor(makeCipher: MakeCipher<T>, random: (length: number) => Uint8Array, first = 1) {
    this.#makeCipher = makeCipher;
    this.#random = random;
    this.#number = (first - 1) % NUMBER_MAX;
    this.replace();
  }

  /** Which key it is now. */
  get number(): number {
    return this.#number;
  }

  /** Who is not given the new key hears nothing from here on. */
  replace(): void {
    this.#material.fill(0);
    this.#material = this.#random(KEY_BYTES + IV_BYTES);
    this.#cipher = this.#makeCipher(this.#material.slice(0, KEY_BYTES));
    this.#number = (this.#number % NUMBER_MAX) + 1;
    this.#n = 0;
  }

  /** For CONTENT.broadcastKey. */
  keyMessage(): Uint8Array {
    return concatBytes(u32(this.#number), this.#material);
  }

  seal(plain: Uint8Array): T {
    const header = concatBytes(Uint8Array.of(KIND.broadcast), u32(this.#number), u64(this.#n));
    this.#n += 1;
    if (!this.#cipher) throw new ClusterError('CLOSED');
    return this.#cipher.seal(xorNonce(this.#material.subarray(KEY_BYTES), header.subarray(5)), header, header, plain);
  }
}

export class BroadcastOpener<T extends Sealing> {
  readonly #makeCipher: MakeCipher<T>;
  #number = 0;
  #last = -1;
  #iv: Uint8Array = new Uint8Array();
  #cipher: Cipher<T> | undefined;

  constructor(makeCipher: MakeCipher<T>) {
    this.#makeCipher = makeCipher;
  }

  /** From here on nothing opens under the old key. @throws ClusterError SEAL_BROKEN */
  use(keyMessage: Uint8Array): void {
    if (keyMessage.length !== KEY_MESSAGE_BYTES) throw new ClusterError('SEAL_BROKEN');
    const number = readU32(keyMessage, 0);
    if (number <= this.#number) throw new ClusterError('SEAL_BROKEN');
    const key = keyMessage.slice(4, 4 + KEY_BYTES);
    this.#number = number;
    this.#last = -1;
    this.#iv = keyMessage.slice(4 + KEY_BYTES);
    this.#cipher = this.#makeCipher(key);
    key.fill(0);
  }

  /** @throws ClusterError SEAL_BROKEN, OVERSIZE */
  open(record: Uint8Array): T {
    const { header, number, n, sealed } = readBroadcast(record);
    if (!this.#cipher || number !== this.#number || n <= this.#last) throw new ClusterError('SEAL_BROKEN');
    this.#last = n;
    return this.#cipher.open(xorNonce(this.#iv, header.subarray(5)), header, sealed);
  }
}

/** A broadcast as bytes, before any key is used. @throws ClusterError SEAL_BROKEN, OVERSIZE */
export function readBroadcast(record: Uint8Array): {
  readonly header: Uint8Array;
  readonly number: number;
  readonly n: number;
  readonly sealed: Uint8Array;
} {
  if (record.length > MESSAGE_MAX + HEADER_BYTES + TAG_BYTES) throw new ClusterError('OVERSIZE');
  const header = record.slice(0, HEADER_BYTES);
  const framed = record.length >= HEADER_BYTES + TAG_BYTES && header[0] === KIND.broadcast;
  const n = framed ? safeU64(header, 5) : undefined;
  if (n === undefined) throw new ClusterError('SEAL_BROKEN');
  return { header, number: readU32(header, 1), n, sealed: record.slice(HEADER_BYTES) };
}

function u32(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}

function readU32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at);
}
