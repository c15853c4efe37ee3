/**
 * Requests and events over a Wire: requests carry ids 1, 2, 3 …, answers are parsed before anybody sees them, and a gap
 * in the numbers of the events ends the connection, since a missed Commit or Producer cannot be made up for.
 */
import {
  Answer,
  ClusterError,
  parseEvent,
  parseWith,
  REQUESTS,
  SharedEnvelope,
  type AnyEvent,
  type RequestInput,
  type RequestName,
  type RequestResult,
} from '@veilcast/protocol';
import type { Wire } from './wire.ts';

/** Longest wait for an answer. `consume` waits on the server for a Pipe, which is the slowest of them. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface Signaling {
  request<N extends RequestName>(name: N, body: RequestInput<N>): Promise<RequestResult<N>>;
}

export interface SocketListeners {
  event(event: AnyEvent): void;
  /** Once: the connection is gone or cannot be trusted any more. Not after `close`. */
  lost(error: ClusterError): void;
}

export class SignalingSocket implements Signaling {
  readonly #wire: Wire;
  readonly #listeners: SocketListeners;
  #lastId = 0;
  #lastSeq = 0;
  #closed = false;

  constructor(wire: Wire, listeners: SocketListeners) {
    this.#wire = wire;
    this.#listeners = listeners;
    wire.onRecord((record, shared) => this.#receive(record, shared));
    wire.onLost((error) => this.#lose(error));
  }

  /** @throws ClusterError with the code of the answer, or DEADLINE, DISCONNECTED, CLOSED, MALFORMED */
  async request<N extends RequestName>(name: N, body: RequestInput<N>): Promise<RequestResult<N>> {
    if (this.#closed) throw new ClusterError('CLOSED');
    this.#lastId += 1;
    const raw = await this.#wire.send({ id: this.#lastId, name, body }, ANSWER_TIMEOUT_MS);
    const answer = parseWith(Answer, raw);
    if (!answer.ok) throw ClusterError.fromWire(answer.error);
    return parseWith(REQUESTS[name].result, answer.result) as RequestResult<N>;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wire.close();
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
    if (event.seq !== this.#lastSeq + 1) {
      this.#lose(new ClusterError('DISCONNECTED', `event ${event.seq} came after ${this.#lastSeq}`));
      return;
    }
    this.#lastSeq = event.seq;
    this.#listeners.event(event);
  }

  #lose(error: ClusterError): void {
    if (this.#closed) return;
    this.close();
    this.#listeners.lost(error);
  }
}
