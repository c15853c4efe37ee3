/** What happened in one history, in order and with its virtual time; and which laws were broken on the way. */
import type { Clock } from '@veilcast/protocol';

/** Broken laws that are kept: the first says most. */
const BROKEN_MAX = 20;

export class Chronicle {
  readonly lines: string[] = [];
  readonly broken: string[] = [];
  readonly #clock: Clock;
  readonly #begun: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#begun = clock.now();
  }

  get ms(): number {
    return this.#clock.now() - this.#begun;
  }

  note(what: string): void {
    this.lines.push(`${this.ms.toFixed(3).padStart(11)} ${what}`);
  }

  /** A law does not hold. The history goes on, so that its trace shows what follows. */
  broke(law: string): void {
    this.note(`BROKEN ${law}`);
    if (this.broken.length < BROKEN_MAX) this.broken.push(law);
  }
}
