/**
 * The one way to the store: keeps a connection, makes a new one when it is lost or does not answer, bounds what is under way,
 * and answers every question within its deadline. Nothing waits for a connection: who asks while there is none is refused at once.
 */
import { ClusterError, type Clock, type Random } from '@veilcast/protocol';
import { coded, isDemoted, RETRY_MS } from './errors.ts';
import type { Script } from './scripts.ts';

export type Arg = string | Buffer;

/** Connected clients of whatever topology. After `lost` was told, or `end`, it is not used again. */
export interface Wire {
  /** Sends a command to whoever has this key. */
  command(key: string, args: readonly Arg[]): Promise<unknown>;
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  end(): void;
}

/** Connects, or fails, at the latest when the signal says so; nothing is left then. */
export type Dial = (lost: (error: unknown) => void, signal: AbortSignal) => Promise<Wire>;

export interface LinkLimits {
  /** Longest wait for an answer, ms. */
  readonly deadlineMs: number;
  /** An answer that is still missing so long after its deadline shows a dead connection, ms. */
  readonly silenceMs: number;
  /** Longest that connecting may take, with all subscriptions, ms. */
  readonly dialMs: number;
  /** Questions without an answer. */
  readonly inFlight: number;
  /** First and last wait before dialling again, ms. */
  readonly redialMs: readonly [min: number, max: number];
}

export interface LinkOptions {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits: LinkLimits;
  /** Connected, again or for the first time: all channels are subscribed. */
  readonly onConnected: (again: boolean) => void;
  readonly report: (error: ClusterError) => void;
}

function nothing(): void {}

export class Link {
  readonly #options: LinkOptions;
  readonly #channels = new Map<string, (message: Buffer) => void>();
  #wire: Wire | undefined;
  #connects = 0;
  #failures = 0;
  #inFlight = 0;
  #stopRedial: () => void = nothing;
  #stopDial: () => void = nothing;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    void this.#dial();
  }

  get connected(): boolean {
    return this.#wire !== undefined;
  }

  /** Runs a script on the slot of its first key. @throws ClusterError CLOSED, STORE_UNAVAILABLE, DEADLINE, OVERLOADED, INTERNAL */
  run({ text, sha1 }: Script, keys: readonly string[], args: readonly Arg[]): Promise<unknown> {
    const key = keys[0] ?? '';
    const rest = [String(keys.length), ...keys, ...args];
    return this.#ask(async (wire) => {
      try {
        return await wire.command(key, ['EVALSHA', sha1, ...rest]);
      } catch (thrown) {
        if (!(thrown instanceof Error) || !thrown.message.startsWith('NOSCRIPT')) throw thrown;
        // It knows the script from now on, until it restarts or fails over.
        return wire.command(key, ['EVAL', text, ...rest]);
      }
    });
  }

  /** @throws ClusterError as `run` does */
  async publish(channel: string, message: Buffer): Promise<void> {
    await this.#ask((wire) => wire.command(channel, ['SPUBLISH', channel, message]));
  }

  /** One listener a channel. What is published while there is no connection is not heard. */
  subscribe(channel: string, listener: (message: Buffer) => void): void {
    this.#channels.set(channel, listener);
    const wire = this.#wire;
    // When it fails, so does the connection; all channels are subscribed again with the next.
    if (wire !== undefined) wire.subscribe(channel, listener).catch((error: unknown) => this.#lost(wire, error));
  }

  unsubscribe(channel: string): void {
    this.#channels.delete(channel);
    const wire = this.#wire;
    if (wire !== undefined) wire.unsubscribe(channel).catch((error: unknown) => this.#lost(wire, error));
  }

  close(): void {
    this.#closed = true;
    this.#stopRedial();
    this.#stopDial();
    this.#channels.clear();
    const wire = this.#wire;
    this.#wire = undefined;
    wire?.end();
  }

  async #ask<R>(ask: (wire: Wire) => Promise<R>): Promise<R> {
    const wire = this.#wire;
    const { clock, limits } = this.#options;
    if (this.#closed) throw new ClusterError('CLOSED', 'this view of the store is closed');
    if (wire === undefined)
      throw new ClusterError('STORE_UNAVAILABLE', 'there is no connection to the store', { retryMs: RETRY_MS });
    if (this.#inFlight >= limits.inFlight)
      throw new ClusterError('OVERLOADED', 'too many questions to the store', { retryMs: RETRY_MS });
    this.#inFlight += 1;
    let stop = nothing;
    const late = new Promise<never>((_, reject) => {
      stop = clock.after(limits.deadlineMs, () => {
        stop = clock.after(limits.silenceMs, () => this.#lost(wire, new Error('silence')));
        reject(new ClusterError('DEADLINE', 'the store did not answer in time', { retryMs: RETRY_MS }));
      });
    });
    const answer = ask(wire).finally(() => {
      stop();
      this.#inFlight -= 1;
    });
    try {
      return await Promise.race([answer, late]);
    } catch (thrown) {
      if (isDemoted(thrown)) this.#lost(wire, thrown);
      throw this.#isClosed() ? new ClusterError('CLOSED', 'this view of the store is closed') : coded(thrown);
    }
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  #lost(wire: Wire, error: unknown): void {
    if (this.#wire !== wire) return;
    this.#wire = undefined;
    wire.end();
    this.#options.report(coded(error));
    this.#redial();
  }

  #redial(): void {
    if (this.#closed) return;
    const { clock, random, limits } = this.#options;
    const [min, max] = limits.redialMs;
    const wait = Math.min(max, min * 2 ** Math.min(this.#failures, 16));
    this.#failures += 1;
    this.#stopRedial = clock.after(wait * (0.5 + random.float() / 2), () => void this.#dial());
  }

  async #dial(): Promise<void> {
    const abort = new AbortController();
    const stop = this.#options.clock.after(this.#options.limits.dialMs, () => abort.abort(new Error('silence')));
    this.#stopDial = () => abort.abort();
    try {
      const wire = await this.#connect(abort.signal);
      if (this.#closed) return wire.end();
      this.#wire = wire;
    } catch (thrown) {
      abort.abort();
      if (this.#failures === 0 && !this.#closed) this.#options.report(coded(thrown));
      return this.#redial();
    } finally {
      stop();
      this.#stopDial = nothing;
    }
    this.#failures = 0;
    this.#connects += 1;
    this.#options.onConnected(this.#connects > 1);
  }

  /** With all channels subscribed. */
  async #connect(signal: AbortSignal): Promise<Wire> {
    let failure: unknown;
    let isEarly = true;
    const wire: Wire = await this.#options.dial((error) => {
      if (isEarly) failure ??= error;
      else this.#lost(wire, error);
    }, signal);
    signal.addEventListener('abort', () => wire.end());
    // Grows while it is gone through, by whoever subscribes meanwhile.
    for (const [channel, listener] of this.#channels) await wire.subscribe(channel, listener);
    isEarly = false;
    if (failure !== undefined) throw failure;
    return wire;
  }
}
