/**
 * Tells the call which videos are on the screen and how large, so that the server sends the layer that fits and nothing
 * that nobody sees. Sizes in device pixels; a video without a tile, scrolled away or in a hidden window is not visible.
 */
import type { ShownTile } from '@veilcast/client';
import type { ProducerId } from '@veilcast/protocol';

/** Layout moves for 180 ms; telling faster only makes the server change its mind. */
const SETTLE_MS = 120;

interface Watched {
  readonly producerId: ProducerId;
  readonly pinned: boolean;
  visible: boolean;
}

export class TileWatch {
  readonly #tell: (tiles: readonly ShownTile[]) => void;
  readonly #watched = new Map<Element, Watched>();
  #producers: readonly ProducerId[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #told = '';
  readonly #changed = (): void => {
    this.#timer ??= setTimeout(() => this.#report(), SETTLE_MS);
  };
  readonly #resize = new ResizeObserver(this.#changed);
  readonly #intersect = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const watched = this.#watched.get(target);
      if (watched) watched.visible = isIntersecting;
    }
    this.#changed();
  });

  constructor(tell: (tiles: readonly ShownTile[]) => void) {
    this.#tell = tell;
    document.addEventListener('visibilitychange', this.#changed);
  }

  /** Every video there is, shown or not. */
  setProducers(producers: readonly ProducerId[]): void {
    this.#producers = producers;
    this.#changed();
  }

  /** Follows one element until the returned function is called. `pinned`: its video comes however full the Room is. */
  watch(element: Element, producerId: ProducerId, pinned: boolean): () => void {
    this.#watched.set(element, { producerId, pinned, visible: true });
    this.#resize.observe(element);
    this.#intersect.observe(element);
    this.#changed();
    return () => {
      this.#watched.delete(element);
      this.#resize.unobserve(element);
      this.#intersect.unobserve(element);
      this.#changed();
    };
  }

  close(): void {
    clearTimeout(this.#timer);
    document.removeEventListener('visibilitychange', this.#changed);
    this.#resize.disconnect();
    this.#intersect.disconnect();
    this.#watched.clear();
  }

  #report(): void {
    this.#timer = undefined;
    const shown = new Map<ProducerId, ShownTile>();
    for (const [element, { producerId, pinned, visible }] of this.#watched) {
      const width = Math.round(element.clientWidth * devicePixelRatio);
      const height = Math.round(element.clientHeight * devicePixelRatio);
      const seen = visible && width > 0 && height > 0 && document.visibilityState === 'visible';
      shown.set(producerId, { producerId, width, height, visible: seen, ...(pinned ? { pinned } : {}) });
    }
    const tiles = this.#producers.map(
      (producerId) => shown.get(producerId) ?? { producerId, width: 0, height: 0, visible: false },
    );
    const told = JSON.stringify(tiles);
    if (told === this.#told) return;
    this.#told = told;
    this.#tell(tiles);
  }
}
