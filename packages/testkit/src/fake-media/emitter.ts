/** Events as mediasoup emits them: a listener that throws breaks nothing, and what it threw is kept for the test to see. */
import { EventEmitter } from 'node:events';

type Listener = (...args: never[]) => void;

export class Emitter {
  readonly #emitter = new EventEmitter().setMaxListeners(Infinity);
  readonly #errors: unknown[];

  constructor(errors: unknown[]) {
    this.#errors = errors;
  }

  on(event: string, listener: Listener): this {
    this.#emitter.on(event, listener as (...args: unknown[]) => void);
    return this;
  }

  once(event: string, listener: Listener): this {
    this.#emitter.once(event, listener as (...args: unknown[]) => void);
    return this;
  }

  off(event: string, listener: Listener): this {
    this.#emitter.off(event, listener as (...args: unknown[]) => void);
    return this;
  }

  protected safeEmit(event: string, ...args: unknown[]): void {
    for (const listener of this.#emitter.rawListeners(event)) {
      try {
        (listener as (...given: unknown[]) => void)(...args);
      } catch (error) {
        this.#errors.push(error);
      }
    }
  }
}
