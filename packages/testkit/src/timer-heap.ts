/** The timers of a virtual clock, the first of them at hand: a large simulation has tens of thousands, and runs millions. */

export interface Timer {
  due: number;
  /** Of timers that fall due together the one that was set first runs first. */
  order: number;
  readonly everyMs: number | undefined;
  /** False: it ran, or was cancelled. */
  waits: boolean;
  run(): void;
}

/** A binary heap. What is cancelled stays in it until it comes to the top. */
export class TimerHeap {
  readonly #heap: Timer[] = [];
  #size = 0;

  /** Timers that wait. */
  get size(): number {
    return this.#size;
  }

  add(timer: Timer): void {
    timer.waits = true;
    this.#size += 1;
    const heap = this.#heap;
    let at = heap.length;
    for (; at > 0; at = (at - 1) >> 1) {
      const parent = heap[(at - 1) >> 1]!;
      if (isBefore(parent, timer)) break;
      heap[at] = parent;
    }
    heap[at] = timer;
  }

  cancel(timer: Timer): void {
    if (timer.waits) this.#size -= 1;
    timer.waits = false;
  }

  /** Takes the first out if it is due by then. */
  takeDue(until: number): Timer | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (first.waits && first.due > until) return undefined;
      this.#removeFirst();
      if (!first.waits) continue;
      this.cancel(first);
      return first;
    }
    return undefined;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (isBefore(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}
