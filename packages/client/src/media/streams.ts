/**
 * Which stream numbers of the KID belong to which Source: every simulcast layer is a stream of its own (RFC 9605 §9.3),
 * and since the ranges are fixed a receiver knows that what is shown as a camera was sealed as one.
 */
import type { Source } from '@veilcast/protocol';

/** Four streams for a picture: three layers, and one to spare while a layer changes its SSRC. */
const STREAMS: Readonly<Record<Source, readonly number[]>> = {
  microphone: [0],
  'screen-audio': [1],
  camera: [4, 5, 6, 7],
  screen: [8, 9, 10, 11],
};

export function streamsOf(source: Source): readonly number[] {
  return STREAMS[source];
}

/** SSRCs remembered by one sender; a browser that changes them for ever must not grow us. */
const SSRCS_MAX = 64;

/** Gives each SSRC of one sender a stream number of its Source. Two may share one: the counter is the stream's. */
export class StreamNumbers {
  readonly #streams: readonly number[];
  readonly #bySsrc = new Map<number, number>();
  #next = 0;

  constructor(source: Source) {
    this.#streams = streamsOf(source);
  }

  of(ssrc: number): number {
    const known = this.#bySsrc.get(ssrc);
    if (known !== undefined) return known;
    if (this.#bySsrc.size >= SSRCS_MAX) this.#bySsrc.clear();
    const stream = this.#streams[this.#next % this.#streams.length]!;
    this.#next += 1;
    this.#bySsrc.set(ssrc, stream);
    return stream;
  }
}
