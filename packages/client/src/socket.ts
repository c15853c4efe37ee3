/**
 * Requests and events over a Wire, and over the next one when that breaks: requests carry ids 1, 2, 3 …, answers are parsed before
 * anybody sees them, and events are numbered. A Peer that has been admitted resumes by a new Wire, here or at another process: it says
 * which event was its last, is told what it missed, and asks again what had no answer, under the same ids (ADR 0029).
 */
import {
  Answer,
  ClusterError,
  parseEvent,
  parseWith,
  PROTOCOL_VERSION,
  REQUESTS,
  SharedEnvelope,
  type AnyEvent,
  type Clock,
  type ErrorCode,
  type PeerId,
  type Queued,
  type RequestInput,
  type RequestName,
  type RequestResult,
  type RoomId,
} from '@veilcast/protocol';
import { backoffMs } from './backoff.ts';
import type { Wire } from './wire.ts';

/** Longest wait for an answer. `consume` waits on the server for a Pipe, which is the slowest of them. */
const ANSWER_TIMEOUT_MS = 10_000;
/** Longest search for a process that goes on with this Peer. The Room waits for 15 s. */
const RESUME_WITHIN_MS = 12_000;
/** Longest wait between two tries of it. */
const RESUME_PAUSE_MS = 1_000;

/** What a broken Wire, or a process that stops, says. Anything else is meant for this Peer. */
const RESUMABLE: ReadonlySet<ErrorCode> = new Set(['DISCONNECTED', 'CHANNEL_CLOSED', 'DEADLINE']);
/** Another try may find a process that can. */
const TRY_AGAIN: ReadonlySet<ErrorCode> = new Set([
  ...RESUMABLE,
  'OVERLOADED',
  'RATE_LIMITED',
  'NOT_OWNER',
  'NODE_UNREACHABLE',
  'STORE_UNAVAILABLE',
  'HANDSHAKE_FAILED',
]);

export interface Signaling {
  request<N extends RequestName>(name: N, body: RequestInput<N>): Promise<RequestResult<N>>;
}

export interface SocketListeners {
  event(event: AnyEvent): void;
  /** Once: the Peer is gone or the connection cannot be trusted any more. Not after `close`. */
  lost(error: ClusterError): void;
}

export interface Redial {
  readonly clock: Clock;
  /** Opens another Wire, to whichever process answers. @throws ClusterError */
  readonly dial: () => Promise<Wire>;
}

interface Resuming {
  readonly roomId: RoomId;
  readonly peerId: PeerId;
}

interface Asked {
  readonly message: { readonly id: number; readonly name: string; readonly body: unknown };
  /** Told the place in line of a join that waits for its turn. */
  readonly queued: ((queued: Queued) => void) | undefined;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: ClusterError) => void;
}

export class SignalingSocket implements Signaling {
  readonly #listeners: SocketListeners;
  readonly #redial: Redial | undefined;
  #wire: Wire;
  #peer: Resuming | undefined;
  #lastId = 0;
  #lastSeq = 0;
  #closed = false;
  /** A new Wire is looked for. */
  #isResuming = false;
  /** What has no answer yet, in the order of ids. */
  readonly #asked = new Map<number, Asked>();

  constructor(wire: Wire, listeners: SocketListeners, redial?: Redial) {
    this.#listeners = listeners;
    this.#redial = redial;
    this.#wire = wire;
    this.#listen(wire);
  }

  /** From here on it may resume as this Peer. */
  admitted(roomId: RoomId, peerId: PeerId): void {
    this.#peer = { roomId, peerId };
  }

  /** @throws ClusterError with the code of the answer, or DEADLINE, DISCONNECTED, CLOSED, MALFORMED */
  async request<N extends RequestName>(
    name: N,
    body: RequestInput<N>,
    queued?: (queued: Queued) => void,
  ): Promise<RequestResult<N>> {
    if (this.#closed) throw new ClusterError('CLOSED');
    this.#lastId += 1;
    const raw = await this.#ask({ id: this.#lastId, name, body }, queued);
    const answer = parseWith(Answer, raw);
    if (!answer.ok) throw ClusterError.fromWire(answer.error);
    return parseWith(REQUESTS[name].result, answer.result) as RequestResult<N>;
  }

  close(error = new ClusterError('CLOSED')): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wire.close();
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }

  /** Again by the next Wire, if this one breaks before there is an answer. */
  #ask(message: Asked['message'], queued: Asked['queued']): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const asked: Asked = { message, queued, resolve, reject };
      this.#asked.set(message.id, asked);
      if (!this.#isResuming) this.#send(asked);
    });
  }

  #send({ message, queued, resolve, reject }: Asked): void {
    const wire = this.#wire;
    wire.send(message, ANSWER_TIMEOUT_MS, queued).then(
      (answer) => {
        this.#asked.delete(message.id);
        resolve(answer);
      },
      (thrown: unknown) => {
        // It broke: the next one carries it, or `#lose` says that there is none.
        if (!wire.open && this.#asked.has(message.id)) return;
        this.#asked.delete(message.id);
        reject(ClusterError.of(thrown));
      },
    );
  }

  #listen(wire: Wire): void {
    wire.onRecord((record, shared) => {
      if (wire === this.#wire) this.#receive(record, shared);
    });
    wire.onLost((error) => {
      if (wire === this.#wire) this.#broken(error);
    });
  }

  #receive(record: unknown, shared: boolean): void {
    if (this.#closed) return;
    let event: AnyEvent & { readonly seq: number };
    try {
      // What was said to many has no number of its own: it is this Peer's next.
      event = parseEvent(shared ? { ...parseWith(SharedEnvelope, record), seq: this.#lastSeq + 1 } : record);
    } catch (thrown) {
      this.#lose(ClusterError.of(thrown));
      return;
    }
    if (event.name === 'ended' && RESUMABLE.has(event.body.error.code) && this.#peer !== undefined) {
      return this.#broken(ClusterError.fromWire(event.body.error));
    }
    if (event.seq !== this.#lastSeq + 1) {
      this.#broken(new ClusterError('DISCONNECTED', `event ${event.seq} came after ${this.#lastSeq}`));
      return;
    }
    this.#lastSeq = event.seq;
    this.#listeners.event(event);
  }

  #broken(error: ClusterError): void {
    if (this.#closed || this.#isResuming) return;
    const { dial, clock } = this.#redial ?? {};
    if (dial === undefined || clock === undefined || this.#peer === undefined || !RESUMABLE.has(error.code)) {
      return this.#lose(error);
    }
    this.#wire.close();
    this.#isResuming = true;
    void this.#goOn(dial, clock, this.#peer);
  }

  async #goOn(dial: Redial['dial'], clock: Clock, peer: Resuming): Promise<void> {
    const reason = await this.#resume(dial, clock, peer);
    this.#isResuming = false;
    if (reason !== undefined) return this.#lose(reason);
    // In the order in which they were asked: signaling takes them in no other.
    for (const asked of this.#asked.values()) this.#send(asked);
    // Broken again before it was looked at.
    if (!this.#closed && !this.#wire.open) this.#broken(new ClusterError('DISCONNECTED'));
  }

  /** Resolves to why not; undefined: events go on, over a new Wire. */
  async #resume(dial: Redial['dial'], clock: Clock, peer: Resuming): Promise<ClusterError | undefined> {
    const until = clock.now() + RESUME_WITHIN_MS;
    for (let tries = 1; ; tries++) {
      let error: ClusterError;
      try {
        const wire = await dial();
        if (this.#closed) {
          wire.close();
          return undefined;
        }
        // What it misses comes before the answer.
        this.#wire = wire;
        this.#listen(wire);
        this.#lastId += 1;
        const body = { version: PROTOCOL_VERSION, ...peer, seq: this.#lastSeq };
        const answer = parseWith(
          Answer,
          await wire.send({ id: this.#lastId, name: 'resume', body }, ANSWER_TIMEOUT_MS),
        );
        if (answer.ok) return undefined;
        wire.close();
        error = ClusterError.fromWire(answer.error);
      } catch (thrown) {
        error = ClusterError.of(thrown);
      }
      if (this.#closed) return undefined;
      if (!TRY_AGAIN.has(error.code) || clock.now() >= until)
        return new ClusterError('DISCONNECTED', undefined, { cause: error });
      const wait = Math.min(RESUME_PAUSE_MS, backoffMs(tries, Math.random(), error.retryMs));
      await new Promise<void>((resolve) => void clock.after(wait, resolve));
    }
  }

  #lose(error: ClusterError): void {
    if (this.#closed) return;
    this.close(error);
    this.#listeners.lost(error);
  }
}
