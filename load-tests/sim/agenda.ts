/** What will happen, in order of time: a binary heap. Of two at one time, who was entered first comes first. Pure. */

export interface Entry {
  /** Virtual ms. */
  readonly at: number;
  readonly run: () => void;
}

export class Agenda {
  readonly #heap: (Entry & { readonly order: number })[] = [];
  #order = 0;
  /** Virtual ms since the scenario began. */
  now = 0;

  add(at: number, run: () => void): void {
    const heap = this.#heap;
    heap.push({ at: Math.max(at, this.now), run, order: this.#order++ });
    for (let child = heap.length - 1; child > 0;) {
      const parent = (child - 1) >> 1;
      if (!this.#isBefore(child, parent)) break;
      this.#swap(child, parent);
      child = parent;
    }
  }

  after(ms: number, run: () => void): void {
    this.add(this.now + ms, run);
  }

  /** Runs the next one. False: there is none before `until`. */
  step(until: number): boolean {
    const heap = this.#heap;
    const [first] = heap;
    if (first === undefined || first.at > until) return false;
    const last = heap.pop();
    if (heap.length > 0 && last) {
      heap[0] = last;
      this.#sink();
    }
    this.now = first.at;
    first.run();
    return true;
  }

  #sink(): void {
    for (let parent = 0; ;) {
      let least = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < this.#heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === parent) return;
      this.#swap(parent, least);
      parent = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (!one || !other) return false;
    return one.at < other.at || (one.at === other.at && one.order < other.order);
  }

  #swap(a: number, b: number): void {
    const [one, other] = [this.#heap[a], this.#heap[b]];
    if (one && other) [this.#heap[a], this.#heap[b]] = [other, one];
  }
}
