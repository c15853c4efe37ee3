/** Counts what was sealed, opened and refused, and tells it on at most four times a second. */
import type { Clock } from '@veilcast/protocol';
import type { OpenRefusal, SealRefusal } from '@veilcast/sframe';
import type { FrameCounts } from './messages.ts';

export const TELL_INTERVAL_MS = 250;

export class FrameTally {
  #sealed = 0;
  #opened = 0;
  /** By reason: as many entries as there are refusals. */
  readonly #failures = new Map<SealRefusal | OpenRefusal, number>();
  #changed = false;
  readonly stop: () => void;

  constructor(clock: Clock, tell: (counts: FrameCounts) => void) {
    this.stop = clock.every(TELL_INTERVAL_MS, () => {
      if (!this.#changed) return;
      this.#changed = false;
      tell({ sealed: this.#sealed, opened: this.#opened, failures: Object.fromEntries(this.#failures) });
    });
  }

  sealed(): void {
    this.#sealed += 1;
    this.#changed = true;
  }

  opened(): void {
    this.#opened += 1;
    this.#changed = true;
  }

  failed(reason: SealRefusal | OpenRefusal): void {
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
    this.#changed = true;
  }
}
