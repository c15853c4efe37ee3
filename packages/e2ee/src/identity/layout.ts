/**
 * The binary layouts of everything that is signed here: fields one after the other, big endian, lengths before what may vary.
 * One value has one encoding: a reader takes nothing that a writer would not have written.
 */
import { bytesOf, decodeText } from '../bytes.ts';

export class Writer {
  readonly #parts: Uint8Array[] = [];

  u8(value: number): this {
    return this.bytes(Uint8Array.of(value));
  }

  u16(value: number): this {
    return this.bytes(Uint8Array.of(value >> 8, value & 0xff));
  }

  u32(value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value);
    return this.bytes(bytes);
  }

  /** A time in milliseconds, or a count. @throws RangeError for anything but a safe natural number */
  u64(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) throw new RangeError('not a natural number');
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
    return this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  /** @throws RangeError for a length other than the layout's */
  fixed(bytes: Uint8Array, length: number): this {
    if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes where ${length} belong`);
    return this.bytes(bytes);
  }

  /** UTF-8 after its length in one byte. @throws RangeError when longer than 255 bytes */
  text(text: string): this {
    const bytes = new TextEncoder().encode(text);
    if (bytes.length > 255) throw new RangeError('text of more than 255 bytes');
    return this.u8(bytes.length).bytes(bytes);
  }

  done(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/** Every method throws RangeError where the bytes end too soon or say what no writer writes. */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // A Buffer's `slice` is a view of a larger one.
    this.#bytes = bytesOf(bytes);
  }

  get at(): number {
    return this.#at;
  }

  u8(): number {
    return this.fixed(1)[0] ?? 0;
  }

  u16(): number {
    return (this.u8() << 8) | this.u8();
  }

  u32(): number {
    const bytes = this.fixed(4);
    return new DataView(bytes.buffer).getUint32(0);
  }

  u64(): number {
    const bytes = this.fixed(8);
    const value = Number(new DataView(bytes.buffer).getBigUint64(0));
    if (!Number.isSafeInteger(value)) throw new RangeError('number too large');
    return value;
  }

  /** A copy: what is kept must not hang on a larger buffer. */
  fixed(length: number): Uint8Array<ArrayBuffer> {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new RangeError('too short');
    const bytes = this.#bytes.slice(this.#at, end);
    this.#at = end;
    return bytes;
  }

  text(): string {
    const text = decodeText(this.fixed(this.u8()));
    if (text === undefined) throw new RangeError('no UTF-8');
    return text;
  }

  version(expected: number): this {
    if (this.u8() !== expected) throw new RangeError('another version');
    return this;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError('too long');
  }
}

/** Undefined instead of an exception: bytes of a stranger are an outcome. `max` is looked at before anything else. */
export function readWhole<T>(bytes: Uint8Array, max: number, read: (reader: Reader) => T): T | undefined {
  if (bytes.length > max) return undefined;
  try {
    const reader = new Reader(bytes);
    const value = read(reader);
    reader.end();
    return value;
  } catch {
    return undefined;
  }
}
