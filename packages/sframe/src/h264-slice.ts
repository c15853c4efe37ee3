/**
 * The front of a slice header (ITU-T H.264 §7.3.3): first_mb_in_slice, slice_type, pic_parameter_set_id, all ue(v). Emulation
 * prevention never reaches into it: it takes 22 zero bits in a row, and values within these bounds have 20 at most.
 */

/** Macroblocks of a picture at level 6.2. */
const FIRST_MB_MAX = 139_264;
const SLICE_TYPE_MAX = 9;
const PPS_ID_MAX = 255;
/** Leading zeros of the largest ue(v) among them. */
const ZEROS_MAX = 17;

/** Bytes after the NAL header that these three fields reach into; undefined when they make no sense. */
export function sliceFrontLength(bytes: Uint8Array): number | undefined {
  const bits = new BitReader(bytes);
  for (const most of [FIRST_MB_MAX, SLICE_TYPE_MAX, PPS_ID_MAX]) {
    const value = bits.exponentialGolomb();
    if (value === undefined || value > most) return undefined;
  }
  return bits.bytesRead;
}

class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #byte = 0;
  #left = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get bytesRead(): number {
    return this.#at;
  }

  /** ue(v), §9.1. Undefined at the end of the bytes and for what is larger than any of our fields. */
  exponentialGolomb(): number | undefined {
    let zeros = 0;
    for (;;) {
      const bit = this.#bit();
      if (bit === undefined || zeros > ZEROS_MAX) return undefined;
      if (bit === 1) break;
      zeros += 1;
    }
    let value = 1;
    for (let count = 0; count < zeros; count++) {
      const bit = this.#bit();
      if (bit === undefined) return undefined;
      value = value * 2 + bit;
    }
    return value - 1;
  }

  #bit(): number | undefined {
    if (this.#left === 0) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) return undefined;
      this.#at += 1;
      this.#byte = byte;
      this.#left = 8;
    }
    this.#left -= 1;
    return (this.#byte >> this.#left) & 1;
  }
}
