/**
 * What is shown, told to whoever sends it: to the server without the pictures that come directly, and to the other of the two how
 * large theirs are.
 */
import type { Clock, ProducerId, Source } from '@veilcast/protocol';
import type { ShownTile } from '../call.ts';
import type { Received } from '../media/receiving.ts';

/** Sealing and telling costs more than a request; a layout moves for 180 ms. */
const FITS_AFTER_MS = 300;

export type Fit = Readonly<{ source: Source; width: number; height: number }>;

export interface DirectTilesOutside {
  readonly clock: Clock;
  /** What is shown, by either way. */
  list(): readonly Received[];
  /** What the server need not send. */
  spared(): ReadonlySet<ProducerId>;
  toServer(tiles: readonly ShownTile[]): void;
  toOther(fits: readonly Fit[]): void;
}

export class DirectTiles {
  readonly #outside: DirectTilesOutside;
  /** Undefined until the application says. */
  #tiles: readonly ShownTile[] | undefined;
  #told = '';
  #cancel: (() => void) | undefined;

  constructor(outside: DirectTilesOutside) {
    this.#outside = outside;
  }

  show(tiles: readonly ShownTile[]): void {
    this.#tiles = tiles;
    this.#tell();
  }

  /** What comes by which way changed. `anew`: the other knows nothing yet. */
  again(anew = false): void {
    if (anew) this.#told = '';
    this.#tell();
  }

  close(): void {
    this.#cancel?.();
  }

  #tell(): void {
    const pictures = this.#outside.list().filter(({ track }) => track.kind === 'video');
    const spared = this.#outside.spared();
    const direct = new Set(pictures.flatMap(({ producerId }) => (spared.has(producerId) ? producerId : [])));
    const toServer = serverTiles(this.#tiles, direct);
    if (toServer) this.#outside.toServer(toServer);
    this.#cancel ??= this.#outside.clock.after(FITS_AFTER_MS, () => {
      this.#cancel = undefined;
      this.#tellOther();
    });
  }

  #tellOther(): void {
    if (!this.#tiles) return;
    const fits = this.#outside.list().flatMap(({ producerId, source, track }): Fit[] => {
      const tile = this.#tiles?.find((one) => one.producerId === producerId);
      if (track.kind !== 'video' || !tile) return [];
      const { visible, width, height } = tile;
      const pixels = (size: number): number => (visible ? Math.min(8_192, Math.max(0, Math.round(size) || 0)) : 0);
      return [{ source, width: pixels(width), height: pixels(height) }];
    });
    const told = JSON.stringify(fits);
    if (told === this.#told || fits.length === 0) return;
    this.#told = told;
    this.#outside.toOther(fits);
  }
}

/** Undefined where there is nothing to say: the server then sends something middling of everything. */
function serverTiles(
  tiles: readonly ShownTile[] | undefined,
  direct: ReadonlySet<ProducerId>,
): readonly ShownTile[] | undefined {
  if (!tiles) {
    return Array.from(direct, (producerId) => ({ producerId, width: 0, height: 0, visible: false }));
  }
  return tiles.map((tile) => (direct.has(tile.producerId) ? { ...tile, visible: false } : tile));
}
