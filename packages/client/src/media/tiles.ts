/**
 * Tells the server what is shown, at most every 100 ms: resizing a window makes hundreds of sizes, and only the last one
 * counts. The first goes out at once, the last one always goes out, an unchanged picture does not.
 */
import { BATCH_MAX, type Clock } from '@veilcast/protocol';
import { tilesUnder } from '../adaptation/ceiling.ts';
import type { ShownTile } from '../call.ts';

/** Shorter: more requests for sizes nobody will see. Longer: a picture stays blurred after a click. */
export const TILES_INTERVAL_MS = 100;

const SIZE_MAX = 8_192;
/** Above any layer there is. */
const EVERY_LAYER = 7;

export class TileReports {
  readonly #clock: Clock;
  readonly #send: (tiles: ShownTile[]) => void;
  #lastSent = Number.NEGATIVE_INFINITY;
  #sent = '';
  #waiting: ShownTile[] | undefined;
  #shown: ShownTile[] | undefined;
  /** By the application. */
  #isSaid = false;
  #layersMax: number | null = EVERY_LAYER;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, send: (tiles: ShownTile[]) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  show(tiles: readonly ShownTile[]): void {
    this.#isSaid = true;
    this.#lay(tiles);
  }

  #lay(tiles: readonly ShownTile[]): void {
    this.#shown = tiles.slice(0, BATCH_MAX);
    this.#waiting = tilesUnder(this.#shown, this.#layersMax).map(wholePixels);
    if (this.#cancel) return;
    const wait = Math.max(0, this.#lastSent + TILES_INTERVAL_MS - this.#clock.now());
    if (wait === 0) this.#flush();
    else this.#cancel = this.#clock.after(wait, () => this.#flush());
  }

  /** No layer above this one is asked for; null: no picture. `unsaid`: what counts as shown where the application has not said. */
  limit(layersMax: number | null, unsaid: () => readonly ShownTile[]): void {
    const isNew = layersMax !== this.#layersMax;
    this.#layersMax = layersMax;
    if (this.#isSaid && this.#shown) {
      if (isNew) this.#lay(this.#shown);
    } else if (isNew || layersMax !== EVERY_LAYER) this.#lay(unsaid());
  }

  /** A new Peer of the same call: the server knows nothing yet, tell it the last picture again. */
  repeat(): void {
    this.#sent = '';
    if (this.#shown) this.#lay(this.#shown);
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
