/**
 * One link over one stream of one HTTP/2 session: a queue that waits for the stream, a pump that reads it, and an end that is
 * told once. Knows nothing of sockets; whoever made the session gives it the way to cut it.
 */
import { Code, ConnectError } from '@connectrpc/connect';
import { ClusterError, type Clock } from '@veilcast/protocol';
import type { Link } from '../carrier.ts';
import type { Packet } from '../gen/veilcast/control/v1/carrier_pb.ts';
import type { Identity } from '../identity.ts';
import type { Http2Limits } from './limits.ts';
import { framesOf, LENGTH_BYTES_MAX, packetOf } from './packets.ts';

export interface Http2LinkOptions {
  readonly identity: Identity;
  readonly clock: Clock;
  readonly limits: Http2Limits;
  /** Ends the session at once, with a reason for the other side if there is one. */
  readonly cut: (reason: ClusterError | undefined) => void;
  /** The answering side says so with an empty Packet. */
  readonly answers: boolean;
}

export class Http2Link implements Link {
  readonly identity: Identity;
  readonly #clock: Clock;
  readonly #limits: Http2Limits;
  readonly #cut: (reason: ClusterError | undefined) => void;
  readonly #answers: boolean;
  readonly #closeListeners: ((reason?: ClusterError) => void)[] = [];
  #queue: Uint8Array[] = [];
  /** Bytes queued or being written. */
  #waiting = 0;
  #closed = false;
  #reason: ClusterError | undefined;
  #gone = false;
  #stale: 'no' | 'yes' | 'told' = 'no';
  #staleListener: (() => void) | undefined;
  #listener: ((frame: Uint8Array) => void) | undefined;
  #wakeWriter: (() => void) | undefined;
  #wakeReader: (() => void) | undefined;
  #stopStall: (() => void) | undefined;
  #stopLinger: (() => void) | undefined;
  readonly #goneListeners: (() => void)[] = [];

  constructor(options: Http2LinkOptions) {
    this.identity = options.identity;
    this.#clock = options.clock;
    this.#limits = options.limits;
    this.#cut = options.cut;
    this.#answers = options.answers;
  }

  get queuedBytes(): number {
    return this.#waiting;
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(frame: Uint8Array): boolean {
    const { frameBytes, queueBytes } = this.#limits;
    if (frame.byteLength > frameBytes) throw new ClusterError('OVERSIZE');
    const cost = frame.byteLength + LENGTH_BYTES_MAX;
    if (this.#closed || this.#waiting + cost > queueBytes) return false;
    this.#queue.push(frame);
    this.#waiting += cost;
    this.#watchStall();
    this.#wakeWriter?.();
    return true;
  }

  onFrame(listener: (frame: Uint8Array) => void): void {
    this.#listener = listener;
    this.#wakeReader?.();
  }

  onClose(listener: (reason?: ClusterError) => void): void {
    if (this.#closed) queueMicrotask(() => listener(this.#reason));
    else this.#closeListeners.push(listener);
  }

  onStale(listener: () => void): void {
    this.#staleListener = listener;
    this.#tellStale();
  }

  /** Another link should take this one's place. */
  grewStale(): void {
    if (this.#stale === 'no') this.#stale = 'yes';
    this.#tellStale();
  }

  #tellStale(): void {
    if (this.#stale !== 'yes' || this.#staleListener === undefined || this.#closed) return;
    this.#stale = 'told';
    this.#staleListener();
  }

  close(): void {
    this.end();
  }

  /** Without a reason what is queued still goes, for `lingerMs` at most; with one the session is cut. */
  end(reason?: ClusterError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reason = reason;
    this.#stopStall?.();
    if (reason !== undefined) this.#cutNow(reason);
    else this.#stopLinger = this.#clock.after(this.#limits.lingerMs, () => this.#cutNow(undefined));
    this.#wakeWriter?.();
    this.#wakeReader?.();
    queueMicrotask(() => {
      for (const listener of this.#closeListeners.splice(0)) listener(reason);
    });
  }

  #cutNow(reason: ClusterError | undefined): void {
    this.#queue = [];
    this.#cut(reason);
  }

  /** The session is over. */
  sessionOver(): void {
    this.end(new ClusterError('CHANNEL_CLOSED', 'the connection was lost'));
    this.#gone = true;
    this.#stopLinger?.();
    this.#wakeWriter?.();
    for (const listener of this.#goneListeners.splice(0)) listener();
  }

  /** Resolves when nothing is left of it. */
  async over(): Promise<void> {
    if (!this.#gone) await new Promise<void>((resolve) => this.#goneListeners.push(resolve));
  }

  /** What the stream is given to send. It asks for the next Packet when the last one has left. */
  async *packets(): AsyncGenerator<Packet> {
    if (this.#answers) yield packetOf([]);
    for (;;) {
      const batch = this.#take();
      if (batch.length > 0) {
        yield packetOf(batch);
        for (const frame of batch) this.#waiting -= frame.byteLength + LENGTH_BYTES_MAX;
        this.#progress();
      } else if (this.#closed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wakeWriter = resolve;
        });
    }
  }

  #take(): Uint8Array[] {
    let bytes = 0;
    let count = 0;
    for (const frame of this.#queue) {
      bytes += frame.byteLength + LENGTH_BYTES_MAX;
      if (count > 0 && bytes > this.#limits.packetBytes) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  #watchStall(): void {
    if (this.#closed) return;
    this.#stopStall ??= this.#clock.after(this.#limits.stallMs, () =>
      this.end(new ClusterError('OVERLOADED', 'the other side does not read')),
    );
  }

  #progress(): void {
    this.#stopStall?.();
    this.#stopStall = undefined;
    if (this.#waiting > 0) this.#watchStall();
  }

  /** Reads until the stream ends, and ends the link with it. What is not listened to yet waits in the stream. */
  async pump(packets: AsyncIterable<Packet>): Promise<void> {
    try {
      for await (const packet of packets) {
        for (const frame of framesOf(packet)) {
          while (this.#listener === undefined && !this.#closed)
            await new Promise<void>((resolve) => {
              this.#wakeReader = resolve;
            });
          if (this.#closed) return;
          this.#listener?.(frame);
        }
      }
      this.end();
    } catch (error) {
      this.end(reasonOf(error));
    }
  }
}

/** Why a stream broke, without the words of the other side. */
function reasonOf(cause: unknown): ClusterError {
  if (cause instanceof ClusterError) return cause;
  if (cause instanceof ConnectError && cause.code === Code.ResourceExhausted)
    return cause.rawMessage.includes('readMaxBytes')
      ? new ClusterError('OVERSIZE', undefined, { cause })
      : new ClusterError('OVERLOADED', 'the other side says that we do not read', { cause });
  if (cause instanceof ConnectError && cause.code === Code.InvalidArgument)
    return new ClusterError('MALFORMED', 'not a Packet', { cause });
  return new ClusterError('CHANNEL_CLOSED', 'the stream broke', { cause });
}
