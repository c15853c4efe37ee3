/** Whether coturn answers: a STUN Binding a second, as any client would send it. */
import type { Clock } from '@veilcast/protocol';
import { TurnClient } from './client/client.ts';
import type { Address } from './client/stun.ts';

/** Shorter: more work for nothing. Longer: clients are sent to one that hangs for longer. */
const EVERY_MS = 500;
/** So many answers missing in a row, of 2 s each at most. Fewer: a busy moment takes it out. */
const MISSED_MAX = 2;

export interface HealthOptions {
  readonly clock: Clock;
  readonly server: Address;
  /** It began to answer, or stopped. */
  readonly changed: (isWell: boolean) => void;
}

export class Health {
  readonly #options: HealthOptions;
  #client: TurnClient | undefined;
  #missed = 0;
  #isWell = false;
  #isAsking = false;
  #isClosed = false;
  readonly #stop: () => void;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#stop = options.clock.every(EVERY_MS, () => void this.look());
  }

  get isWell(): boolean {
    return this.#isWell;
  }

  /** Asks now. */
  async look(): Promise<void> {
    if (this.#isAsking || this.#isClosed) return;
    this.#isAsking = true;
    try {
      this.#client ??= await TurnClient.open('udp', this.#options.server);
      await this.#client.bind();
      this.#missed = 0;
      this.#set(true);
    } catch {
      if ((this.#missed += 1) >= MISSED_MAX) this.#set(false);
    } finally {
      this.#isAsking = false;
      if (this.#isClosed) this.#client?.close();
    }
  }

  /** It is known to be gone. */
  lost(): void {
    this.#missed = MISSED_MAX;
    this.#set(false);
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
    this.#client?.close();
  }

  #set(isWell: boolean): void {
    if (this.#isWell === isWell || this.#isClosed) return;
    this.#isWell = isWell;
    this.#options.changed(isWell);
  }
}
