/**
 * One client's socket: what comes in is checked step by step before anything looks at it (size, envelope, order, shape,
 * schema, budget, state), what goes out is numbered and bounded. It knows nothing of Rooms but its seat in one.
 * Nothing here logs: a socket's troubles are counters, by code.
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
  type RequestBody,
} from '@veilcast/protocol';
import type { Socket } from 'socket.io';
import { Budget } from './budget.ts';
import type { SignalingLimits } from './config.ts';
import type { SignalingMetrics } from './metrics.ts';
import type { PeerLink, Seat } from './seat.ts';
import { checkShape } from './shape.ts';
import type { Traffic } from './traffic.ts';

/** The one event name, both ways. */
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
]);

type Ack = (answer: Answer) => void;

export interface SocketOptions {
  readonly traffic: Traffic;
  readonly limits: SignalingLimits;
  readonly clock: Clock;
  readonly metrics: SignalingMetrics;
  /** Finds the Room and sits the Peer down. @throws ClusterError */
  readonly join: (link: PeerLink, body: RequestBody<'join'>) => Promise<Seat>;
  /** A bug: what was thrown was not a ClusterError. */
  readonly bug: (error: unknown) => void;
}

export class ClientSocket implements PeerLink {
  readonly #socket: Socket;
  readonly #options: SocketOptions;
  readonly #requests: Budget;
  readonly #strikes: Budget;
  #state: 'fresh' | 'joining' | 'seated' | 'closed' = 'fresh';
  #seat: Seat | undefined;
  #lastId = 0;
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
    this.#awaitJoin();
    socket.onAny((event: string, ...args: unknown[]) => this.#receive(event, args));
    socket.once('disconnect', () => {
      this.#gone();
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
    if (join === undefined) return this.tell({ name: 'admitted', body: { admission } });
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

  tell(event: AnyEvent): void {
    if (this.#state === 'closed') return;
    this.#seq += 1;
    this.#options.metrics.eventSent();
    this.#socket.emit(MESSAGE, { seq: this.#seq, name: event.name, body: event.body });
  }

  end(error: ClusterError): void {
    if (this.#state === 'closed') return;
    this.#seat = undefined;
    if (this.#joinAck !== undefined) return this.#joinRefused(error);
    this.tell({ name: 'ended', body: { error: error.toWire() } });
    this.#close();
  }

  /** The last words of a process that stops: everybody is to come back elsewhere. */
  shutDown(): void {
    this.#seat = undefined;
    if (this.#joinAck === undefined) return this.end(new ClusterError('CHANNEL_CLOSED'));
    this.#joinRefused(new ClusterError('CHANNEL_CLOSED'));
    this.#close();
  }

  #receive(event: string, args: unknown[]): void {
    if (this.#state === 'closed') return;
    const last = args.at(-1);
    const ack: Ack | undefined = typeof last === 'function' ? (last as Ack) : undefined;
    let name: AnyRequest['name'] | 'unknown' = 'unknown';
    try {
      if (event !== MESSAGE) throw new ClusterError('UNSUPPORTED', 'no such event');
      if (ack === undefined || args.length !== 2) throw new ClusterError('MALFORMED', 'one message and one callback');
      const request = this.#admit(args[0], (known) => (name = known));
      this.#dispatch(request, ack);
    } catch (thrown) {
      this.#refuse(name, thrown, ack);
    }
  }

  /** Every check that needs no Room. An id of the right order is used up whatever becomes of the rest. */
  #admit(raw: unknown, named: (name: AnyRequest['name']) => void): AnyRequest {
    const { clock } = this.#options;
    const envelope = parseWith(RequestEnvelope, raw);
    if (isRequestName(envelope.name)) named(envelope.name);
    if (envelope.id <= this.#lastId) throw new ClusterError('REPLAYED');
    if (envelope.id > this.#lastId + 1) throw new ClusterError('OUT_OF_ORDER');
    this.#lastId = envelope.id;
    checkShape(envelope.name, envelope.body);
    const request = parseRequest(raw);
    const retryMs = Math.max(this.#options.traffic.debtMs(), this.#requests.take(1, clock.now()));
    if (retryMs > 0) throw new ClusterError('RATE_LIMITED', undefined, { retryMs });
    return request;
  }

  #dispatch(request: AnyRequest, ack: Ack): void {
    if (request.name === 'join') return this.#join(request.body, ack);
    if (this.#state !== 'seated' || this.#seat === undefined) throw new ClusterError('NOT_JOINED');
    if (this.#pending >= this.#options.limits.pendingMax) throw new ClusterError('OVERLOADED');
    this.#pending += 1;
    void this.#ask(this.#seat, request, ack).finally(() => (this.#pending -= 1));
  }

  async #ask(seat: Seat, request: AnyRequest, ack: Ack): Promise<void> {
    let answered = false;
    try {
      await seat.ask(request, (result) => {
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

  #join(body: RequestBody<'join'>, ack: Ack): void {
    if (this.#state !== 'fresh') throw new ClusterError('ALREADY_JOINED');
    this.#state = 'joining';
    this.#stopDeadline?.();
    this.#joinAck = { ack, since: this.#options.clock.now() };
    this.#options.join(this, body).then(
      (seat) => {
        // Ended or vanished while the Room was being found.
        if (this.#state !== 'joining') return seat.lost('DISCONNECTED');
        this.#state = 'seated';
        this.#seat = seat;
      },
      (thrown: unknown) => this.#joinRefused(this.#known(thrown)),
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
    this.#stopDeadline?.();
    this.#stopDeadline = this.#options.clock.after(this.#options.limits.joinWithinMs, () => {
      this.#options.metrics.dropped('UNAUTHORIZED');
      this.end(new ClusterError('UNAUTHORIZED', 'no join in time'));
    });
  }

  /** Refused too often: told so, and closed. */
  #expel(): void {
    this.#options.metrics.dropped('RATE_LIMITED');
    this.tell({ name: 'ended', body: { error: new ClusterError('RATE_LIMITED').toWire() } });
    this.#close();
  }

  #close(): void {
    this.#gone();
    this.#socket.disconnect(true);
  }

  #gone(code: ErrorCode = 'DISCONNECTED'): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#joinAck = undefined;
    this.#stopDeadline?.();
    const seat = this.#seat;
    this.#seat = undefined;
    seat?.lost(code);
  }
}
