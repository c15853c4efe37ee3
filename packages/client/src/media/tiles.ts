/**
 * Tells the server what is shown, at most every 100 ms: resizing a window makes hundreds of sizes, and only the last one
 * counts. The first goes out at once, the last one always goes out, an unchanged picture does not.
 */
import { BATCH_MAX, type Clock } from '@veilcast/protocol';
import type { ShownTile } from '../call.ts';

/** Shorter: more requests for sizes nobody will see. Longer: a picture stays blurred after a click. */
export const TILES_INTERVAL_MS = 100;

const SIZE_MAX = 8_192;

export class TileReports {
  readonly #clock: Clock;
  readonly #send: (tiles: ShownTile[]) => void;
  #lastSent = Number.NEGATIVE_INFINITY;
  #sent = '';
  #waiting: ShownTile[] | undefined;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, send: (tiles: ShownTile[]) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  show(tiles: readonly ShownTile[]): void {
    this.#waiting = tiles.slice(0, BATCH_MAX).map(wholePixels);
    if (this.#cancel) return;
    const wait = Math.max(0, this.#lastSent + TILES_INTERVAL_MS - this.#clock.now());
    if (wait === 0) this.#flush();
    else this.#cancel = this.#clock.after(wait, () => this.#flush());
  }

  /** A new Peer of the same call: the server knows nothing yet, tell it the last picture again. */
  repeat(): void {
    const last = this.#waiting ?? (this.#sent === '' ? undefined : (JSON.parse(this.#sent) as ShownTile[]));
    this.#sent = '';
    if (last) this.show(last);
  }

  close(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#waiting = undefined;
  }

  #flush(): void {
    this.#cancel = undefined;
    const tiles = this.#waiting;
    this.#waiting = undefined;
    if (!tiles) return;
    const text = JSON.stringify(tiles);
    if (text === this.#sent) return;
    this.#sent = text;
    this.#lastSent = this.#clock.now();
    this.#send(tiles);
  }
}

function pixels(size: number): number {
  return Math.min(SIZE_MAX, Math.max(0, Math.round(size) || 0));
}

function wholePixels(tile: ShownTile): ShownTile {
  return { ...tile, width: pixels(tile.width), height: pixels(tile.height) };
}
