/**
 * One stream as it is heard: frames come out in the order of their numbers and each once, whatever order and however
 * often they came in. What is missing is waited for, then asked for, then passed over; a frame that was passed over and
 * comes after all is delivered late, and says so. Pure: `now` in ms is an argument.
 */
import type { SaidFrame } from './frame.ts';
import { ASK_MAX } from './kinds/repair.ts';

/** A message sealed again after a lost race is late by about this much: not worth a question. */
export const GAP_PATIENCE_MS = 200;
/** Between two questions for the same gap. */
export const ASK_AGAIN_MS = 1_500;
/** Questions for one gap. The last goes to the member that answers newcomers. */
export const ASKS_MAX = 3;
/** Frames that wait behind a gap, and their bytes. */
const HELD_MAX = 256;
const HELD_BYTES_MAX = 1_048_576;
/** Numbers passed over that are remembered, should they come after all. */
const PASSED_MAX = 256;

export interface Delivered {
  readonly frame: SaidFrame;
  readonly late: boolean;
}

export interface Missing {
  readonly from: number;
  readonly count: number;
  /** 1 for the first question. */
  readonly tries: number;
}

export interface Taken {
  readonly delivered: readonly Delivered[];
  /** Frames that were passed over for good. */
  readonly passed: number;
  readonly duplicate: boolean;
}

interface Gap {
  tries: number;
  nextAt: number;
  readonly from: number;
}

export class Incoming {
  #next: number;
  readonly #spreadMs: number;
  readonly #held = new Map<number, SaidFrame>();
  #heldBytes = 0;
  readonly #passed = new Set<number>();
  /** A number that is known to exist though nothing at or after it came yet. */
  #end = 0;
  #gap: Gap | undefined;

  /**
   * `next` is the first number that is waited for; what came before it is not missed, and taken should it come.
   * `spreadMs` is how much later than others we ask.
   */
  constructor(next: number, spreadMs = 0) {
    this.#next = next;
    this.#spreadMs = spreadMs;
    this.#passOver(1, next);
  }

  get next(): number {
    return this.#next;
  }

  /** When `due` has something to say. */
  get wakeAt(): number | undefined {
    return this.#gap?.nextAt;
  }

  take(frame: SaidFrame, now: number): Taken {
    const { number } = frame;
    if (this.#passed.delete(number)) return { delivered: [{ frame, late: true }], passed: 0, duplicate: false };
    if (number < this.#next || this.#held.has(number)) return { delivered: [], passed: 0, duplicate: true };
    this.#held.set(number, frame);
    this.#heldBytes += frame.payload.length;
    const delivered = this.#drain();
    let passed = 0;
    while (this.#held.size > HELD_MAX || this.#heldBytes > HELD_BYTES_MAX) {
      passed += this.#pass();
      delivered.push(...this.#drain());
    }
    this.#watch(now);
    return { delivered, passed, duplicate: false };
  }

  /** The speaker says that its next number is this: what is below and did not come is missing. */
  ends(next: number, now: number): void {
    if (next <= this.#next || next - this.#next > HELD_MAX) return;
    this.#end = Math.max(this.#end, next);
    this.#watch(now);
  }

  /** A question that is due, or what comes out because nobody could answer. Nothing before `wakeAt`. */
  due(now: number): { readonly ask: Missing | undefined; readonly taken: Taken } {
    const gap = this.#gap;
    if (!gap || now < gap.nextAt) return { ask: undefined, taken: { delivered: [], passed: 0, duplicate: false } };
    if (gap.tries >= ASKS_MAX) return { ask: undefined, taken: this.giveUp(now) };
    gap.tries += 1;
    gap.nextAt = now + ASK_AGAIN_MS;
    const count = Math.min(ASK_MAX, this.#gapEnd() - this.#next);
    return {
      ask: { from: this.#next, count, tries: gap.tries },
      taken: { delivered: [], passed: 0, duplicate: false },
    };
  }

  /** Another member asked for what we miss too: the answer comes without us. */
  askedByAnother(from: number, now: number): void {
    const gap = this.#gap;
    if (!gap || gap.from !== from || gap.tries >= ASKS_MAX) return;
    gap.tries += 1;
    gap.nextAt = now + ASK_AGAIN_MS + this.#spreadMs;
  }

  /** Passes over the first gap. */
  giveUp(now: number): Taken {
    const passed = this.#gap ? this.#pass() : 0;
    const delivered = this.#drain();
    this.#watch(now);
    return { delivered, passed, duplicate: false };
  }

  #drain(): Delivered[] {
    const delivered: Delivered[] = [];
    for (let frame = this.#held.get(this.#next); frame; frame = this.#held.get(this.#next)) {
      this.#held.delete(this.#next);
      this.#heldBytes -= frame.payload.length;
      this.#next += 1;
      delivered.push({ frame, late: false });
    }
    return delivered;
  }

  #pass(): number {
    const end = this.#gapEnd();
    const passed = Math.max(0, end - this.#next);
    this.#passOver(this.#next, end);
    this.#next = Math.max(this.#next, end);
    this.#gap = undefined;
    return passed;
  }

  #passOver(from: number, end: number): void {
    for (let number = Math.max(from, end - PASSED_MAX); number < end; number++) this.#passed.add(number);
    for (const oldest of this.#passed) {
      if (this.#passed.size <= PASSED_MAX) return;
      this.#passed.delete(oldest);
    }
  }

  /** The number after the gap. Held numbers are few, so looking at all of them is cheap. */
  #gapEnd(): number {
    let end = this.#held.size === 0 ? this.#end : Number.POSITIVE_INFINITY;
    for (const number of this.#held.keys()) end = Math.min(end, number);
    return end;
  }

  #watch(now: number): void {
    const missing = this.#held.size > 0 || this.#end > this.#next;
    if (!missing) this.#gap = undefined;
    // Another gap than before has its questions before it.
    else if (this.#gap?.from !== this.#next)
      this.#gap = { from: this.#next, tries: 0, nextAt: now + GAP_PATIENCE_MS + this.#spreadMs };
  }
}
