/**
 * What this member says: numbered, sent in order, kept until the delivery service took it, and a while longer for those
 * who missed it. A frame whose fate is unknown (the connection broke) goes out again under its own number, so that it
 * arrives once. Pure: `now` in ms is an argument.
 */
import { encodeFrame, type SaidFrame, type Way } from './frame.ts';
import { cut } from './pieces.ts';
import { PerSecond } from './rate.ts';

/** Frames kept for those who ask, and their bytes. */
const KEPT_MAX = 256;
const KEPT_BYTES_MAX = 1_048_576;
/** Frames that wait to be sent. More: the application talks faster than the Room can hear. */
export const QUEUE_MAX = 512;
/** Frames handed out and not yet answered for. */
const WINDOW = 8;
/** The same frame is not sent again to those who ask more often than this. */
const AGAIN_MS = 1_000;
/** Frames sent again in one second, whoever asks. */
const AGAIN_PER_SECOND = 64;

export interface Sending {
  readonly id: number;
  readonly bytes: Uint8Array;
}

interface Queued {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** The last frame of a thing tells who said it. */
  readonly said: (() => void) | undefined;
}

interface Kept {
  readonly bytes: Uint8Array;
  againAt: number;
}

export class Outgoing {
  readonly #stream: string;
  #nextNumber = 1;
  #nextLoose = 1;
  #lastId = 0;
  #queue: Queued[] = [];
  readonly #flying = new Map<number, Queued>();
  readonly #kept = new Map<number, Kept>();
  /** First numbers of ordered things that are not all taken. */
  readonly #open = new Set<number>();
  #keptBytes = 0;
  readonly #again = new PerSecond(AGAIN_PER_SECOND);

  constructor(stream: string) {
    this.#stream = stream;
  }

  /** The number of the next ordered frame. */
  get next(): number {
    return this.#nextNumber;
  }

  /** Something was said and not everything of it was taken yet. */
  get busy(): boolean {
    return this.#queue.length + this.#flying.size > 0;
  }

  /** Whether some of the thing that begins with this number is not taken yet. */
  isOpen(first: number): boolean {
    return this.#open.has(first);
  }

  /** Room for this many frames more. */
  get room(): number {
    return QUEUE_MAX - this.#queue.length;
  }

  /** Returns the number of its first frame. `said` is called when the delivery service has taken all of it. */
  say(kind: string, payload: Uint8Array, way: Way, clock: number, said?: () => void): number {
    const parts = cut(payload);
    const ordered = way === 'ordered';
    const first = ordered ? this.#nextNumber : this.#nextLoose;
    if (ordered) this.#open.add(first);
    const done = (): void => {
      if (ordered) this.#open.delete(first);
      said?.();
    };
    for (const [piece, part] of parts.entries()) {
      const number = ordered ? first + piece : first;
      const frame: SaidFrame = {
        stream: this.#stream,
        way,
        number,
        clock,
        piece,
        pieces: parts.length,
        kind,
        payload: part,
      };
      const bytes = encodeFrame(frame);
      if (ordered) this.#keep(number, bytes);
      this.#put(bytes, piece === parts.length - 1 ? done : undefined);
    }
    if (ordered) this.#nextNumber += parts.length;
    else this.#nextLoose += 1;
    return first;
  }

  /** The next frame to seal and send, if there is one and not too many are under way. */
  take(): Sending | undefined {
    const queued = this.#flying.size < WINDOW ? this.#queue.shift() : undefined;
    if (queued) this.#flying.set(queued.id, queued);
    return queued;
  }

  /** The delivery service took it. */
  taken(id: number): void {
    const queued = this.#flying.get(id);
    this.#flying.delete(id);
    queued?.said?.();
  }

  /** Nobody knows whether it was taken, or it was not: it goes out again, in its order. */
  untaken(id: number): void {
    const queued = this.#flying.get(id);
    if (!queued) return;
    this.#flying.delete(id);
    this.#queue = [queued, ...this.#queue].sort((a, b) => a.id - b.id);
  }

  /** Somebody missed these. Returns how many go out again. */
  again(from: number, count: number, now: number): number {
    let sent = 0;
    for (let number = from; number < from + count; number++) {
      const kept = this.#kept.get(number);
      if (!kept || now < kept.againAt || this.room <= 0 || !this.#again.take(now)) continue;
      kept.againAt = now + AGAIN_MS;
      this.#put(kept.bytes, undefined);
      sent += 1;
    }
    return sent;
  }

  #put(bytes: Uint8Array, said: (() => void) | undefined): void {
    this.#lastId += 1;
    this.#queue.push({ id: this.#lastId, bytes, said });
  }

  #keep(number: number, bytes: Uint8Array): void {
    this.#kept.set(number, { bytes, againAt: Number.NEGATIVE_INFINITY });
    this.#keptBytes += bytes.length;
    for (const [oldest, kept] of this.#kept) {
      if (this.#kept.size <= KEPT_MAX && this.#keptBytes <= KEPT_BYTES_MAX) return;
      this.#kept.delete(oldest);
      this.#keptBytes -= kept.bytes.length;
    }
  }
}
