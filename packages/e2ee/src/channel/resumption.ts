/** The pre-shared keys that a server remembers: each is taken once, and forgotten when it expires or is one too many. */
import { hex } from './bytes.ts';

export interface Resumable {
  readonly key: Uint8Array;
  /** Whose it is: the device that signed the handshake it came from. */
  readonly devicePublicKey: Uint8Array;
}

export class Resumptions {
  readonly #max: number;
  readonly #kept = new Map<string, Resumable & { readonly expiresAt: number }>();

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#kept.size;
  }

  /** Times are in ms, of one clock. */
  put(id: Uint8Array, resumable: Resumable, expiresAt: number, now: number): void {
    for (const [key, { expiresAt: end }] of this.#kept) {
      // The oldest come first, and all live equally long.
      if (end > now && this.#kept.size < this.#max) break;
      this.#forget(key);
    }
    this.#kept.set(hex(id), { ...resumable, expiresAt });
  }

  take(id: Uint8Array, now: number): Resumable | undefined {
    const key = hex(id);
    const found = this.#kept.get(key);
    this.#kept.delete(key);
    if (found && found.expiresAt > now) return found;
    found?.key.fill(0);
    return undefined;
  }

  drop(id: Uint8Array): void {
    this.#forget(hex(id));
  }

  #forget(key: string): void {
    this.#kept.get(key)?.key.fill(0);
    this.#kept.delete(key);
  }
}
