/** The one event emitter of a call. A listener that throws stops neither the others nor the call. */
import type { CallEvents } from './call.ts';

type Listener<E extends keyof CallEvents> = (...args: CallEvents[E]) => void;

export class CallEmitter {
  readonly #listeners: { readonly [E in keyof CallEvents]: Set<Listener<E>> } = {
    change: new Set(),
    track: new Set(),
    trackEnded: new Set(),
    chat: new Set(),
    keys: new Set(),
    warning: new Set(),
    ended: new Set(),
  };

  /** Returns how to stop listening. */
  on<E extends keyof CallEvents>(event: E, listener: Listener<E>): () => void {
    this.#listeners[event].add(listener);
    return () => void this.#listeners[event].delete(listener);
  }

  emit<E extends keyof CallEvents>(event: E, ...args: CallEvents[E]): void {
    const listeners = Array.from(this.#listeners[event]);
    for (const listener of listeners) {
      try {
        listener(...args);
      } catch (thrown) {
        // The application's own error: shown by the browser as uncaught, as from any event listener.
        reportError(thrown);
      }
    }
  }
}
