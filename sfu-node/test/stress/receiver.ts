/**
 * What one destination gets of some streams, compared with what was sent while it was there. Every packet carries its number in the
 * RTP timestamp, which a Router keeps, as it does not the sequence number.
 */

export interface Tally {
  delivered: number;
  lost: number;
  repeated: number;
  misplaced: number;
  garbled: number;
}

/** Writes the payload of a packet of this stream with this number. */
export function fill(payload: Buffer, stream: number, number: number): void {
  for (let at = 0; at < payload.length; at++) payload[at] = (number * 31 + stream * 7 + at * 13) & 0xff;
}

export class Receiver {
  readonly tally: Tally = { delivered: 0, lost: 0, repeated: 0, misplaced: 0, garbled: 0 };
  readonly #streams = new Map<number, { stream: number; left: Map<number, number>; got: Set<number> }>();
  readonly #last = new Map<unknown, Map<number, number>>();
  readonly #sealed: boolean;
  #waiting: (() => void) | undefined;
  #left = 0;
  #leaving = false;

  /** @param sealed whether payloads are encrypted, so that only headers can be compared */
  constructor(sealed: boolean) {
    this.#sealed = sealed;
  }

  /** The SSRC under which a stream comes. */
  follow(ssrc: number, stream: number): void {
    this.#streams.set(ssrc, { stream, left: new Map(), got: new Set() });
  }

  /** A packet of so many bytes is about to be sent on a stream. */
  expect(stream: number, number: number, bytes: number): void {
    if (this.#leaving) return;
    for (const each of this.#streams.values())
      if (each.stream === stream) {
        each.left.set(number, bytes);
        this.#left++;
      }
  }

  /** It is about to be closed: what still comes must be right, and nothing more has to come. */
  leave(): void {
    this.#leaving = true;
    for (const { left } of this.#streams.values()) left.clear();
    this.#left = 0;
    this.#waiting?.();
  }

  take(packet: Buffer, socket: unknown): void {
    const type = (packet[1] ?? 0) & 0x7f;
    // RTCP is told by its types (RFC 5761).
    if (packet.length < 12 || (type >= 64 && type < 96)) return;
    const ssrc = packet.readUInt32BE(8);
    const of = this.#streams.get(ssrc);
    if (!of) return;
    const number = packet.readUInt32BE(4);
    if (of.got.has(number)) {
      this.tally.repeated++;
      return;
    }
    of.got.add(number);
    const bytes = of.left.get(number);
    if (bytes !== undefined) {
      of.left.delete(number);
      this.tally.delivered++;
      if (!this.#whole(packet, of.stream, number, bytes)) this.tally.garbled++;
    }
    const last = this.#last.get(socket) ?? new Map<number, number>();
    this.#last.set(socket, last);
    if (number < (last.get(ssrc) ?? -1)) this.tally.misplaced++;
    else last.set(ssrc, number);
    if (bytes !== undefined && --this.#left === 0) this.#waiting?.();
  }

  /** Resolves when everything came, or nothing more is awaited. What did not come in time is lost. */
  async settled(ms: number): Promise<void> {
    if (this.#left > 0) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      this.#waiting = undefined;
    }
    this.tally.lost += this.#left;
    this.#left = 0;
    for (const each of this.#streams.values()) {
      each.left.clear();
      // What came is known by its number; a packet that came twice would come soon after.
      if (each.got.size > 20_000) each.got.clear();
    }
  }

  /** Whether it is what was sent. The Router may have added header extensions (RFC 3550, §5.3.1). */
  #whole(packet: Buffer, stream: number, number: number, bytes: number): boolean {
    if (this.#sealed) return packet.length > bytes;
    const extensions = (packet[0]! & 0x10) === 0 ? 0 : 4 + 4 * packet.readUInt16BE(14);
    const payload = packet.subarray(12 + extensions);
    const wanted = Buffer.alloc(bytes - 12);
    fill(wanted, stream, number);
    return payload.equals(wanted);
  }
}
