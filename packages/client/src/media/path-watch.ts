/**
 * Watches the path of one transport and repairs it once between two times that it was well: an ICE restart helps when
 * the network changed, and is no use when the Node is gone.
 */
import type { Clock } from '@veilcast/protocol';

/** After an ICE restart the path has this long to come back. */
export const REPAIR_LIMIT_MS = 2_500;
/** `disconnected` comes after seconds of silence and may heal by itself at once; `failed` never does. */
export const DISCONNECTED_GRACE_MS = 500;

export type PathState = 'new' | 'connecting' | 'connected' | 'failed' | 'disconnected' | 'closed';

export interface PathOutside {
  readonly clock: Clock;
  /** Restarts ICE. What it throws is not looked at: signaling may be away for a moment too, and the limit ends it. */
  restart(): Promise<void>;
  /** The path is gone and a restart did not bring it back. Once. */
  failed(): void;
}

export class PathWatch {
  readonly #outside: PathOutside;
  #cancel: (() => void) | undefined;
  #repairing = false;
  #state: PathState = 'new';
  #over = false;

  constructor(outside: PathOutside) {
    this.#outside = outside;
  }

  follow(state: PathState): void {
    if (this.#over) return;
    this.#state = state;
    if (state === 'connected') {
      this.#stopWaiting();
      this.#repairing = false;
    } else if (state === 'failed') {
      this.#stopWaiting();
      if (this.#repairing) this.#giveUp();
      else this.#repair();
    } else if (state === 'disconnected' && !this.#repairing && !this.#cancel) {
      this.#cancel = this.#outside.clock.after(DISCONNECTED_GRACE_MS, () => this.#repair());
    }
  }

  /** Something speaks against this path, or there may be a better one: ICE is restarted while it still counts as connected. */
  suspect(): void {
    if (this.#over || this.#repairing || this.#state !== 'connected') return;
    this.#stopWaiting();
    this.#repair();
  }

  close(): void {
    this.#over = true;
    this.#stopWaiting();
  }

  #repair(): void {
    this.#repairing = true;
    this.#cancel = this.#outside.clock.after(REPAIR_LIMIT_MS, () => {
      this.#repairing = false;
      if (this.#state !== 'connected') this.#giveUp();
    });
    this.#outside.restart().catch(() => undefined);
  }

  #giveUp(): void {
    this.close();
    this.#outside.failed();
  }

  #stopWaiting(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
