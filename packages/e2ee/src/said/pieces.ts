/** Cutting a thing into frames, and gathering it again within bounds. Pure. */
import { firstNumber, PIECE_BYTES, PIECES_MAX, type SaidFrame } from './frame.ts';

/** Things of one speaker that are being gathered at once. Honest speakers send one ordered and one loose one at a time. */
const OPEN_MAX = 4;
/** Bytes of one speaker that are being gathered. */
const OPEN_BYTES_MAX = 2 * PIECES_MAX * PIECE_BYTES;

/** The payloads of the frames that carry this. @throws RangeError above PIECES_MAX */
export function cut(payload: Uint8Array): Uint8Array[] {
  const pieces = Math.max(1, Math.ceil(payload.length / PIECE_BYTES));
  if (pieces > PIECES_MAX) throw new RangeError('longer than PIECES_MAX pieces');
  return Array.from({ length: pieces }, (_, i) => payload.subarray(i * PIECE_BYTES, (i + 1) * PIECE_BYTES));
}

export type Gathered =
  | { readonly outcome: 'whole'; readonly payload: Uint8Array }
  | { readonly outcome: 'more' }
  /** Its pieces contradict each other, or it is longer than its kind may be. */
  | { readonly outcome: 'refused' };

interface Open {
  readonly kind: string;
  readonly pieces: number;
  readonly parts: Map<number, Uint8Array>;
  bytes: number;
}

/** The unfinished things of one speaker. What has waited longest makes room. */
export class Gathering {
  readonly #open = new Map<string, Open>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** `bytesMax` is the kind's own limit. */
  add(frame: SaidFrame, bytesMax: number): Gathered {
    if (frame.pieces === 1) {
      return frame.payload.length > bytesMax ? { outcome: 'refused' } : { outcome: 'whole', payload: frame.payload };
    }
    if ((frame.pieces - 1) * PIECE_BYTES >= bytesMax) return { outcome: 'refused' };
    const key = `${frame.stream} ${frame.way} ${firstNumber(frame)}`;
    const open = this.#open.get(key) ?? this.#begin(key, frame);
    if (open.kind !== frame.kind || open.pieces !== frame.pieces) {
      this.#drop(key);
      return { outcome: 'refused' };
    }
    if (!open.parts.has(frame.piece)) {
      open.parts.set(frame.piece, frame.payload);
      open.bytes += frame.payload.length;
      this.#bytes += frame.payload.length;
    }
    if (open.parts.size < open.pieces) {
      while (this.#bytes > OPEN_BYTES_MAX) this.#dropOldest();
      return { outcome: 'more' };
    }
    this.#drop(key);
    return open.bytes > bytesMax ? { outcome: 'refused' } : { outcome: 'whole', payload: joined(open) };
  }

  #begin(key: string, { kind, pieces }: SaidFrame): Open {
    if (this.#open.size >= OPEN_MAX) this.#dropOldest();
    const open: Open = { kind, pieces, parts: new Map(), bytes: 0 };
    this.#open.set(key, open);
    return open;
  }

  #dropOldest(): void {
    for (const key of this.#open.keys()) return this.#drop(key);
  }

  #drop(key: string): void {
    this.#bytes -= this.#open.get(key)?.bytes ?? 0;
    this.#open.delete(key);
  }
}

function joined({ pieces, parts, bytes }: Open): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (let i = 0; i < pieces; i++) {
    const part = parts.get(i) ?? new Uint8Array();
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
