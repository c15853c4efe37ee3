/**
 * One client's socket: what comes in is checked step by step before anything looks at it (size, seal, envelope, order,
 * shape, schema, budget, state), what goes out is numbered, sealed and bounded. It knows nothing of Rooms but its seat in
 * one. Nothing here logs: a socket's troubles are counters, by code.
 */
import {
  ClusterError,
  isRequestName,
  parseRequest,
  parseWith,
  RequestEnvelope,
  type Admission,
  type Answer,
  type AnyEvent,
  type AnyRequest,
  type Clock,
  type ErrorCode,
  type Queued,
  type RequestBody,
} from '@veilcast/protocol';
import type { Socket } from 'socket.io';
import type { Resumptions } from '@veilcast/e2ee/channel';
import { Budget } from './budget.ts';
import type { ChannelIdentity } from './channel-identity.ts';
import type { SignalingLimits } from './config.ts';
import type { SignalingMetrics } from './metrics.ts';
import { SealedLine } from './sealed-line.ts';
import type { PeerLink, Seat, Shared } from './seat.ts';
import { checkShape } from './shape.ts';
import type { Traffic } from './traffic.ts';

/** The one socket.io event, both ways: one record, or one message of the handshake. */
const MESSAGE = 'm';
/** Strikes forgiven each second. Higher: an abuser stays longer. Lower: a buggy client is thrown out. */
const STRIKES_FORGIVEN = 1;

const ABUSE: ReadonlySet<ErrorCode> = new Set([
  'MALFORMED',
  'OVERSIZE',
  'UNSUPPORTED',
  'OUT_OF_ORDER',
  'REPLAYED',
  'RATE_LIMITED',
  'CHANNEL_REQUIRED',
]);

/** Of a request that could not be read. */
const NO_ID = 0;

type Ack = (answer: Answer) => void;

export interface SocketOptions {
  readonly traffic: Traffic;
  readonly limits: SignalingLimits;
  readonly clock: Clock;
  readonly metrics: SignalingMetrics;
  readonly identity: ChannelIdentity;
  readonly resumptions: Resumptions;
  /** Where the other signaling processes are, for clients. */
  readonly others: () => readonly string[];
  /** @throws ClusterError RATE_LIMITED */
  readonly mayGreet: () => Promise<void>;
  /** Its channel is open: it may join. */
  readonly fresh: (socket: ClientSocket) => void;
  /** Finds the Room and sits the Peer down, when it is its turn. `devicePublicKey` is the channel's. @throws ClusterError */
  readonly join: (
    link: PeerLink,
    body: RequestBody<'join'>,
    devicePublicKey: Uint8Array,
    queued: (queued: Queued) => void,
  ) => Promise<Seat>;
  /** Finds the Peer of that device that lost its socket. @throws ClusterError NOT_JOINED */
  readonly resume: (link: PeerLink, body: RequestBody<'resume'>, devicePublicKey: Uint8Array) => Promise<Seat>;
  /** A bug: what was thrown was not a ClusterError. */
  readonly bug: (error: unknown) => void;
}

export class ClientSocket implements PeerLink {
  readonly #socket: Socket;
  readonly #options: SocketOptions;
  readonly #requests: Budget;
  readonly #strikes: Budget;
  readonly #line: SealedLine;
  #state: 'sealing' | 'fresh' | 'joining' | 'seated' | 'closed' = 'sealing';
  #devicePublicKey: Uint8Array = new Uint8Array();
  /** Which key of the Room the client was given last. */
  #broadcastKey = 0;
  #seat: Seat | undefined;
  #lastId = 0;
  /** Of a socket that resumed: ids below it are those of requests that are sent again. */
  #resumedAt = 0;
  #lastRepeated = 0;
  #seq = 0;
  #pending = 0;
  #joinAck: { readonly ack: Ack; readonly since: number } | undefined;
  #stopDeadline: (() => void) | undefined;

  constructor(socket: Socket, options: SocketOptions) {
    this.#socket = socket;
    this.#options = options;
    const { clock, limits } = options;
    this.#requests = new Budget(limits.requestsPerSecond, limits.requestsBurst, clock.now());
    this.#strikes = new Budget(STRIKES_FORGIVEN, limits.strikesMax, clock.now());
    options.traffic.onCut((code) => this.#gone(code));
    this.#line = new SealedLine(
      { ...options, emit: (bytes) => socket.emit(MESSAGE, bytes) },
      {
        opened: (devicePublicKey) => this.#opened(devicePublicKey),
        message: (message) => this.#message(message),
        broken: (error, sealed) => this.#broken(error, sealed),
        bug: options.bug,
      },
    );
    this.#await(limits.handshakeWithinMs, 'HANDSHAKE_FAILED');
    socket.onAny((event: string, ...args: unknown[]) => this.#receive(event, args));
    socket.once('disconnect', (reason: string) => {
      // Closed by the client: it has no use for it. Broken: it may come back.
      this.#gone('DISCONNECTED', reason !== 'client namespace disconnect');
      // One that leaves the namespace and comes again would have fresh budgets each time.
      socket.conn.close();
    });
  }

  get open(): boolean {
    return this.#state !== 'closed';
  }

  admitted(admission: Admission): void {
    const { clock, metrics } = this.#options;
    const join = this.#joinAck;
    this.#joinAck = undefined;
    metrics.joined('admitted');
    if (join === undefined) return;
    metrics.joinTook(clock.now() - join.since);
    metrics.request('join', 'ok');
    join.ack({ ok: true, result: { status: 'admitted', admission } });
  }

  waiting(): void {
    const join = this.#joinAck;
    this.#joinAck = undefined;
    this.#options.metrics.joined('waiting');
    this.#options.metrics.request('join', 'ok');
    join?.ack({ ok: true, result: { status: 'waiting' } });
  }

  tell(seq: number, event: AnyEvent): void {
    if (this.#state === 'closed') return;
    this.#seq = seq;
    if (event.name === 'admitted') this.#options.metrics.joined('admitted');
    this.#options.metrics.eventSent();
    this.#line.send({ seq, name: event.name, body: event.body });
  }

  tellShared(seq: number, { record, keyNumber, keyMessage }: Shared): void {
    if (this.#state === 'closed') return;
    if (this.#broadcastKey !== keyNumber) this.#line.sendBroadcastKey(keyMessage());
    this.#broadcastKey = keyNumber;
    this.#seq = seq;
    this.#options.metrics.eventSent();
    this.#line.sendShared(record());
  }

  /** A socket has no Room to look for: its attachment has. */
  orphaned(): void {
    this.end(new ClusterError('CHANNEL_CLOSED'));
  }

  end(error: ClusterError): void {
    if (this.#state === 'closed') return;
    this.#seat = undefined;
    if (this.#joinAck !== undefined) return this.#joinRefused(error);
    if (this.#state !== 'sealing') this.#farewell(error);
    this.#close();
  }

  /** The last event, whatever its Room says meanwhile. */
  #farewell(error: ClusterError): void {
    this.tell(this.#seq + 1, { name: 'ended', body: { error: error.toWire() } });
  }

  /** The last words of a process that stops: everybody is to come back elsewhere. */
  shutDown(): void {
    this.#seat?.away();
    this.#seat = undefined;
    if (this.#joinAck === undefined) return this.end(new ClusterError('CHANNEL_CLOSED'));
    this.#joinRefused(new ClusterError('CHANNEL_CLOSED'));
    this.#close();
  }

  #receive(event: string, args: unknown[]): void {
    if (this.#state === 'closed') return;
    const [record] = args;
    if (event === MESSAGE && args.length === 1 && record instanceof Uint8Array) return this.#line.receive(record);
    // An old client, or none of ours: it is answered as it asked, in the clear.
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (last as Ack) : undefined;
    this.#refuse('unknown', new ClusterError(event === MESSAGE ? 'CHANNEL_REQUIRED' : 'UNSUPPORTED'), ack);
    if (event === MESSAGE) this.#close();
  }

  #opened(devicePublicKey: Uint8Array): void {
    this.#devicePublicKey = devicePublicKey;
    this.#state = 'fresh';
    this.#awaitJoin();
    this.#options.fresh(this);
  }

  #message(raw: unknown): void {
    let name: AnyRequest['name'] | 'unknown' = 'unknown';
    const ack: Ack = (answer) => this.#answer(idOf(raw), answer);
    try {
      const request = this.#admit(raw, (known) => (name = known));
      this.#dispatch(idOf(raw), request, ack);
    } catch (thrown) {
      this.#refuse(name, thrown, ack);
    }
  }

  #answer(re: number, answer: Answer): void {
    if (this.#state !== 'closed') this.#line.send({ re, answer });
  }

  #broken(error: ClusterError, sealed: boolean): void {
    this.#options.metrics.refused(error.code);
    this.#options.metrics.dropped(error.code);
    if (sealed) this.end(error);
    else this.#close();
  }

  /** Every check that needs no Room. An id of the right order is used up whatever becomes of the rest. */
  #admit(raw: unknown, named: (name: AnyRequest['name']) => void): AnyRequest {
    const { clock } = this.#options;
    const envelope = parseWith(RequestEnvelope, raw);
    if (isRequestName(envelope.name)) named(envelope.name);
    this.#take(envelope);
    checkShape(envelope.name, envelope.body);
    const request = parseRequest(raw);
    const retryMs = Math.max(this.#options.traffic.debtMs(), this.#requests.take(1, clock.now()));
    if (retryMs > 0) throw new ClusterError('RATE_LIMITED', undefined, { retryMs });
    return request;
  }

  /** Ids grow by one. Where a Peer goes on, its last socket's requests that had no answer come again before them. */
  #take({ id, name }: RequestEnvelope): void {
    const resumes = name === 'resume' && this.#state === 'fresh' && this.#lastId === 0;
    if (resumes) this.#resumedAt = id;
    else if (id < this.#resumedAt) {
      if (id <= this.#lastRepeated) throw new ClusterError('REPLAYED');
      this.#lastRepeated = id;
      return;
    } else if (id <= this.#lastId) throw new ClusterError('REPLAYED');
    else if (id > this.#lastId + 1) throw new ClusterError('OUT_OF_ORDER');
    this.#lastId = id;
  }

  #dispatch(id: number, request: AnyRequest, ack: Ack): void {
    if (request.name === 'join') return this.#join(id, request.body, ack);
    if (request.name === 'resume') return this.#resume(request.body, ack);
    if (this.#state !== 'seated' || this.#seat === undefined) throw new ClusterError('NOT_JOINED');
    if (this.#pending >= this.#options.limits.pendingMax) throw new ClusterError('OVERLOADED');
    this.#pending += 1;
    void this.#ask(this.#seat, id, request, ack).finally(() => (this.#pending -= 1));
  }

  async #ask(seat: Seat, id: number, request: AnyRequest, ack: Ack): Promise<void> {
    let answered = false;
    try {
      await seat.ask(id, request, (result) => {
        answered = true;
        this.#options.metrics.request(request.name, 'ok');
        ack({ ok: true, result });
      });
      if (request.name === 'leave') this.#close();
    } catch (thrown) {
      if (answered) this.#options.bug(thrown);
      else this.#refuse(request.name, thrown, ack);
    }
  }

  #join(id: number, body: RequestBody<'join'>, ack: Ack): void {
    if (this.#state !== 'fresh') throw new ClusterError('ALREADY_JOINED');
    this.#state = 'joining';
    this.#stopDeadline?.();
    this.#joinAck = { ack, since: this.#options.clock.now() };
    const queued = (place: Queued): void => {
      if (body.queue === true && this.#state === 'joining') this.#line.send({ re: id, queued: place });
    };
    this.#options.join(this, body, this.#devicePublicKey, queued).then(
      (seat) => {
        // Ended or vanished while the Room was being found.
        if (this.#state !== 'joining') return seat.lost('DISCONNECTED');
        this.#state = 'seated';
        this.#seat = seat;
      },
      (thrown: unknown) => this.#joinRefused(this.#known(thrown)),
    );
  }

  #resume(body: RequestBody<'resume'>, ack: Ack): void {
    if (this.#state !== 'fresh') throw new ClusterError('ALREADY_JOINED');
    this.#state = 'joining';
    this.#stopDeadline?.();
    this.#options.resume(this, body, this.#devicePublicKey).then(
      (seat) => {
        if (this.#state !== 'joining') return seat.away();
        this.#state = 'seated';
        this.#seat = seat;
        this.#options.metrics.request('resume', 'ok');
        ack({ ok: true, result: {} });
      },
      (thrown: unknown) => {
        if (this.#state !== 'joining') return;
        this.#state = 'fresh';
        this.#awaitJoin();
        this.#refuse('resume', thrown, ack);
      },
    );
  }

  #joinRefused(error: ClusterError): void {
    const join = this.#joinAck;
    this.#joinAck = undefined;
    if (this.#state === 'closed' || join === undefined) return;
    this.#state = 'fresh';
    this.#options.metrics.joined(error.code);
    this.#awaitJoin();
    this.#refuse('join', error, join.ack);
  }

  #refuse(name: AnyRequest['name'] | 'unknown', thrown: unknown, ack: Ack | undefined): void {
    const error = this.#known(thrown);
    const { clock, metrics } = this.#options;
    metrics.request(name, error.code);
    metrics.refused(error.code);
    ack?.({ ok: false, error: error.toWire() });
    if (ABUSE.has(error.code) && this.#strikes.take(1, clock.now()) > 0) this.#expel();
  }

  #known(thrown: unknown): ClusterError {
    if (thrown instanceof ClusterError) return thrown;
    this.#options.bug(thrown);
    return ClusterError.of(thrown);
  }

  #awaitJoin(): void {
    this.#await(this.#options.limits.joinWithinMs, 'UNAUTHORIZED');
  }

  #await(ms: number, code: ErrorCode): void {
    this.#stopDeadline?.();
    this.#stopDeadline = this.#options.clock.after(ms, () => {
      this.#options.metrics.dropped(code);
      this.end(new ClusterError(code, 'not in time'));
    });
  }

  /** Refused too often: told so, and closed. */
  #expel(): void {
    this.#options.metrics.dropped('RATE_LIMITED');
    if (this.#state === 'sealing') return this.#close();
    this.#farewell(new ClusterError('RATE_LIMITED'));
    this.#close();
  }

  #close(): void {
    this.#gone();
    this.#socket.disconnect(true);
  }

  #gone(code: ErrorCode = 'DISCONNECTED', away = false): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#joinAck = undefined;
    this.#stopDeadline?.();
    this.#line.close();
    const seat = this.#seat;
    this.#seat = undefined;
    if (away) seat?.away();
    else seat?.lost(code);
  }
}

function idOf(raw: unknown): number {
  const { data } = RequestEnvelope.pick({ id: true }).loose().safeParse(raw);
  return data?.id ?? NO_ID;
}
