/**
 * Hears that a path has gone silent long before the browser says so (Chromium waits 5 s), by comparing the silence with the longest
 * pause that this path has lately made. A path that always pauses is never suspected. Pure: told the time and the bytes.
 */
import type { Carried } from './path.ts';

/** Pauses are remembered for so long. Longer: one old hiccup hides a failure. */
const MEMORY_MS = 4_000;
/** Heard for so long before its silence means anything. */
const KNOWN_AFTER_MS = 1_500;
/** Shorter: every lost burst of a bad network restarts ICE. Longer: people hear the gap. */
export const SILENT_MS = 600;
/** Times the longest remembered pause. */
const FACTOR = 3;

interface Pause {
  readonly at: number;
  readonly ms: number;
}

export class Pulse {
  #carried: Carried | undefined;
  #heardAt = 0;
  #firstAt = 0;
  #isAsked = false;
  #suspected = false;
  #pauses: Pause[] = [];

  /** True once for each silence that is too long: others still speak to nobody, or we to them. */
  observe(now: number, carried: Carried): boolean {
    const before = this.#carried;
    this.#carried = carried;
    // Another pair counts from zero.
    if (before === undefined || carried.received < before.received) return this.#begin(now);
    if (carried.received > before.received) return this.#heard(now);
    this.#isAsked ||= carried.sent > before.sent;
    const longest = Math.max(0, ...this.#pauses.map(({ ms }) => ms));
    const isKnown = this.#heardAt - this.#firstAt >= KNOWN_AFTER_MS;
    const isSilent = now - this.#heardAt >= Math.max(SILENT_MS, FACTOR * longest);
    if (!isKnown || !isSilent || !this.#isAsked || this.#suspected) return false;
    this.#suspected = true;
    return true;
  }

  #begin(now: number): boolean {
    this.#firstAt = this.#heardAt = now;
    this.#pauses = [];
    this.#suspected = this.#isAsked = false;
    return false;
  }

  #heard(now: number): boolean {
    if (this.#suspected) return this.#begin(now);
    this.#pauses = [...this.#pauses.filter(({ at }) => now - at < MEMORY_MS), { at: now, ms: now - this.#heardAt }];
    this.#heardAt = now;
    this.#isAsked = false;
    return false;
  }
}
