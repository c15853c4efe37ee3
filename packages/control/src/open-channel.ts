/**
 * Makes a Channel of a Link: Hello both ways, then requests, answers, events, and a pulse.
 * A frame that breaks the protocol closes the link; an error of a listener or of Serve never does.
 */
import { create } from '@bufbuild/protobuf';
import { ClusterError, type Clock } from '@veilcast/protocol';
import { Asking } from './asking.ts';
import type { Link } from './carrier.ts';
import type { Channel, EventKind, Serve, Speaker } from './channel.ts';
import { decodeFrame, encodeFrame, type FrameKind } from './frames.ts';
import { EventSchema, HelloSchema, PingSchema, PongSchema } from './gen/veilcast/control/v1/control_pb.ts';
import { CHANNEL_LIMITS, CONTROL_VERSION, type ChannelLimits } from './limits.ts';
import { Registration } from './registry.ts';
import { Serving } from './serving.ts';

export type { Speaker } from './channel.ts';

const SpeakerSchema = Registration.pick({ kind: true, processId: true, incarnation: true, region: true });
/** Quiet for this long, and what the remote still sent on a retired Channel has come. Longer: old keys live on. */
export const RETIRE_QUIET_MS = 2_000;

export interface ChannelOptions {
  readonly hello: Speaker;
  readonly serve: Serve;
  readonly clock: Clock;
  readonly limits?: Partial<ChannelLimits> | undefined;
  /** Told of the open Channel before any frame after Hello is looked at. */
  readonly onOpen?: ((channel: Channel) => void) | undefined;
  /** Told of errors that nobody waits for: of a listener, of Serve, of an unknown event. For the log. */
  readonly report?: ((error: unknown) => void) | undefined;
}

/**
 * Resolves when the remote has said Hello.
 * @throws ClusterError UNSUPPORTED (another version), MALFORMED, UNAUTHORIZED (not whom the certificate names), DEADLINE,
 * CHANNEL_CLOSED
 */
export async function openChannel(options: ChannelOptions & { readonly link: Link }): Promise<Channel> {
  const limits = { ...CHANNEL_LIMITS, ...options.limits };
  return new Promise<Channel>((resolve, reject) => {
    const channel = new OpenChannel(options.link, options, limits, (outcome) => {
      stopTimer();
      if (outcome instanceof ClusterError) return reject(outcome);
      resolve(channel);
      channel.opened();
    });
    const stopTimer = options.clock.after(limits.helloMs, () =>
      channel.end(new ClusterError('DEADLINE', 'no Hello came')),
    );
    channel.begin();
  });
}

class OpenChannel implements Channel {
  readonly #link: Link;
  readonly #options: ChannelOptions;
  readonly #limits: ChannelLimits;
  readonly #asking: Asking;
  readonly #serving: Serving;
  readonly #eventListeners = new Set<(event: EventKind) => void>();
  readonly #closeListeners = new Set<() => void>();
  readonly #quietListeners = new Set<() => void>();
  readonly #early: EventKind[] = [];
  readonly #opened: (outcome: 'opened' | ClusterError) => void;
  #remote: Speaker | undefined;
  #closed = false;
  #silentTicks = 0;
  #tickedAt = 0;
  #stopPulse: (() => void) | undefined;
  #stopRetiring: (() => void) | undefined;

  constructor(
    link: Link,
    options: ChannelOptions,
    limits: ChannelLimits,
    opened: (outcome: 'opened' | ClusterError) => void,
  ) {
    this.#link = link;
    this.#options = options;
    this.#limits = limits;
    this.#opened = opened;
    const send = (frame: FrameKind): boolean => this.#send(frame);
    this.#asking = new Asking(send, options.clock, limits);
    this.#serving = new Serving(options.serve, { send, report: (error) => this.#report(error) }, options.clock, limits);
  }

  get remote(): Speaker {
    if (this.#remote === undefined) throw new ClusterError('CHANNEL_CLOSED', 'no Hello came');
    return this.#remote;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get silentMs(): number {
    return this.#silentTicks * this.#limits.pingMs;
  }

  begin(): void {
    this.#link.onFrame((bytes) => this.#take(bytes));
    this.#link.onClose((reason) => this.end(reason));
    const { kind, processId, incarnation, region = '' } = this.#options.hello;
    const hello = create(HelloSchema, { kind, processId, incarnation, region, version: CONTROL_VERSION });
    if (!this.#send({ case: 'hello', value: hello })) this.end(new ClusterError('OVERLOADED'));
  }

  request: Channel['request'] = async (name, body, options = {}) => {
    this.#mustBeOpen();
    return (await this.#asking.ask(name, body, options)) as never;
  };

  emit(event: EventKind): void {
    this.#mustBeOpen();
    if (!this.#send({ case: 'event', value: create(EventSchema, { kind: event }) }))
      throw new ClusterError('OVERLOADED');
  }

  onEvent(listener: (event: EventKind) => void): () => void {
    this.#eventListeners.add(listener);
    for (const event of this.#early.splice(0)) this.#tell(listener, event);
    return () => this.#eventListeners.delete(listener);
  }

  onClose(listener: () => void): () => void {
    if (this.#closed) queueMicrotask(() => this.#tell(listener));
    else this.#closeListeners.add(listener);
    return () => this.#closeListeners.delete(listener);
  }

  onQuiet(listener: () => void): void {
    this.#quietListeners.add(listener);
  }

  onStale(listener: () => void): void {
    this.#link.onStale?.(() => this.#tell(listener));
  }

  retire(): void {
    if (this.#closed || this.#stopRetiring !== undefined) return;
    const { clock } = this.#options;
    let quietMs = 0;
    let leftMs = this.#limits.maxDeadlineMs;
    this.#stopRetiring = clock.every(RETIRE_QUIET_MS / 4, () => {
      quietMs = this.#asking.size + this.#serving.size === 0 ? quietMs + RETIRE_QUIET_MS / 4 : 0;
      leftMs -= RETIRE_QUIET_MS / 4;
      if (quietMs >= RETIRE_QUIET_MS || leftMs <= 0) this.end();
    });
  }

  close(): void {
    this.end();
  }

  opened(): void {
    const { onOpen } = this.#options;
    if (onOpen !== undefined) this.#tell(onOpen, this);
  }

  /** Ends everything, once. */
  end(reason: ClusterError = new ClusterError('CHANNEL_CLOSED')): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopPulse?.();
    this.#stopRetiring?.();
    this.#link.close();
    const error = (): ClusterError => new ClusterError('CHANNEL_CLOSED', undefined, { cause: reason });
    this.#asking.failAll(error);
    this.#serving.abortAll(error);
    if (this.#remote === undefined) this.#opened(reason);
    for (const listener of this.#closeListeners) this.#tell(listener);
    this.#closeListeners.clear();
    this.#eventListeners.clear();
    this.#quietListeners.clear();
    this.#early.length = 0;
  }

  #take(bytes: Uint8Array): void {
    if (this.#closed) return;
    this.#silentTicks = 0;
    if (bytes.byteLength > this.#limits.frameBytes) return this.#breach(new ClusterError('OVERSIZE'));
    const frame = decodeFrame(bytes);
    if (frame === undefined) return this.#breach(new ClusterError('MALFORMED', 'not a Frame'));
    if (this.#remote === undefined) return this.#greet(frame);
    switch (frame.case) {
      case 'hello':
        return this.#breach(new ClusterError('MALFORMED', 'a second Hello'));
      case 'request':
        if (!this.#serving.take(frame.value, this))
          this.#breach(new ClusterError('MALFORMED', 'a bad request id or term'));
        return;
      case 'response':
        return this.#asking.take(frame.value);
      case 'event':
        return this.#hear(frame.value.kind);
      case 'cancel':
        return this.#serving.cancel(frame.value.id);
      case 'ping':
        this.#send({ case: 'pong', value: create(PongSchema, { at: frame.value.at }) });
        return;
      case 'pong':
    }
  }

  #greet(frame: FrameKind): void {
    if (frame.case !== 'hello') return this.#breach(new ClusterError('MALFORMED', 'Hello must come first'));
    const { kind, processId, incarnation, version } = frame.value;
    const region = frame.value.region === '' ? undefined : frame.value.region;
    if (version !== CONTROL_VERSION) return this.#breach(new ClusterError('UNSUPPORTED', 'another control version'));
    if (!SpeakerSchema.safeParse({ kind, processId, incarnation, region }).success)
      return this.#breach(new ClusterError('MALFORMED', 'a bad Hello'));
    const { identity } = this.#link;
    const isProved =
      identity === undefined ||
      (identity.kind === kind && identity.processId === processId && (region ?? identity.region) === identity.region);
    if (!isProved) return this.#breach(new ClusterError('UNAUTHORIZED', 'Hello is not what the certificate says'));
    const stands = identity?.region ?? region;
    this.#remote = { kind, processId, incarnation, ...(stands === undefined ? {} : { region: stands }) };
    this.#tickedAt = this.#options.clock.now();
    this.#stopPulse = this.#options.clock.every(this.#limits.pingMs, () => this.#pulse());
    this.#opened('opened');
  }

  /**
   * Counts ticks and not time, and a tick that comes late as half a one: a pause of this process, or a machine that has too much to
   * do, must not condemn the remote (Lifeguard, arXiv 1707.00788: who is slow itself suspects later).
   */
  #pulse(): void {
    const { pingMs, quietPings, suspectMs } = this.#limits;
    const now = this.#options.clock.now();
    const late = now - this.#tickedAt - pingMs;
    this.#tickedAt = now;
    const before = this.#silentTicks;
    this.#silentTicks += late > pingMs / 2 ? 0.5 : 1;
    if (this.silentMs > suspectMs) return this.end();
    this.#send({ case: 'ping', value: create(PingSchema, { at: BigInt(Math.trunc(now)) }) });
    if (before > quietPings || this.#silentTicks <= quietPings) return;
    for (const listener of this.#quietListeners) this.#tell(listener);
  }

  #hear(kind: { case: undefined } | EventKind): void {
    if (kind.case === undefined) return this.#report(new ClusterError('UNSUPPORTED', 'unknown event'));
    if (this.#eventListeners.size === 0) {
      this.#early.push(kind);
      if (this.#early.length > this.#limits.earlyEvents) {
        this.#early.shift();
        this.#report(new ClusterError('OVERLOADED', 'nobody listens to events'));
      }
    }
    for (const listener of this.#eventListeners) this.#tell(listener, kind);
  }

  /** @throws ClusterError OVERSIZE */
  #send(frame: FrameKind): boolean {
    if (this.#closed) return false;
    const bytes = encodeFrame(frame);
    if (bytes.byteLength > this.#limits.frameBytes) throw new ClusterError('OVERSIZE');
    return this.#link.send(bytes);
  }

  #breach(reason: ClusterError): void {
    this.#report(reason);
    this.end(reason);
  }

  #mustBeOpen(): void {
    if (this.#closed || this.#remote === undefined) throw new ClusterError('CHANNEL_CLOSED');
  }

  #tell<A extends unknown[]>(listener: (...args: A) => void, ...args: A): void {
    try {
      listener(...args);
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    try {
      this.#options.report?.(error);
    } catch {
      // A reporter that fails has nobody to report to.
    }
  }
}
