/**
 * When a Pipe may be tried again: after a failure a wait that doubles, and some chance, so that not all come at once.
 * Success waits for nothing, unless it comes again and again without the Pipe being as planned.
 */
import type { PipeId, Random } from '@veilcast/protocol';

/** First wait, ms; doubles with each failure. Shorter: a busy Node is hammered. */
const FIRST_MS = 50;
/** Last wait. Longer: a Pipe to a Node that is back is opened later. */
const LAST_MS = 3_000;
/** Rounds of steps in a row that succeed before they are slowed down: more than any Pipe needs. */
const ROUNDS_FREE = 20;

export class Retries {
  readonly #random: Random;
  readonly #waiting = new Map<PipeId, { failures: number; rounds: number; until: number }>();

  constructor(random: Random) {
    this.#random = random;
  }

  failed(pipeId: PipeId, now: number): void {
    const { failures: before = 0, rounds = 0 } = this.#waiting.get(pipeId) ?? {};
    const failures = before + 1;
    const wait = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
    this.#waiting.set(pipeId, { failures, rounds, until: now + wait * (0.5 + this.#random.float() / 2) });
  }

  succeeded(pipeId: PipeId, now: number): void {
    const rounds = (this.#waiting.get(pipeId)?.rounds ?? 0) + 1;
    this.#waiting.set(pipeId, { failures: 0, rounds, until: rounds > ROUNDS_FREE ? now + FIRST_MS : now });
  }

  /** Something is otherwise than when they failed: try all at once. */
  clear(): void {
    this.#waiting.clear();
  }

  /** Forgets Pipes that are as planned. */
  keepOnly(pipeIds: ReadonlySet<PipeId>): void {
    for (const pipeId of this.#waiting.keys()) if (!pipeIds.has(pipeId)) this.#waiting.delete(pipeId);
  }

  mayTry(pipeId: PipeId, now: number): boolean {
    const waiting = this.#waiting.get(pipeId);
    return waiting === undefined || waiting.until <= now;
  }

  /** When the next one may be tried. */
  next(now: number): number | undefined {
    const later = [...this.#waiting.values()].map(({ until }) => until).filter((until) => until > now);
    return later.length === 0 ? undefined : Math.min(...later);
  }
}
