/**
 * The answering half of a Channel: runs `Serve` for each request, once, with a signal that says when nobody waits
 * any more. A place is held until the answer has been queued, so a remote that does not read stops being served.
 */
import { create } from '@bufbuild/protobuf';
import { ClusterError, type Clock } from '@veilcast/protocol';
import type { Channel, Incoming, Result, Serve } from './channel.ts';
import { toFailure } from './failure.ts';
import { answerOf, type FrameKind } from './frames.ts';
import { ResponseSchema, type Request, type Response } from './gen/veilcast/control/v1/control_pb.ts';
import type { ChannelLimits } from './limits.ts';

/** How soon a full link is tried again with an answer. */
const RESEND_MS = 10;

interface Service {
  readonly abort: AbortController;
  stopTimer(): void;
}

export interface ServingPort {
  send(frame: FrameKind): boolean;
  /** What must be known to whoever runs this process: a bug in Serve. */
  report(error: unknown): void;
}

export class Serving {
  readonly #services = new Map<bigint, Service>();
  readonly #unsent: { id: bigint; response: Response }[] = [];
  #lastId = 0n;
  #stopResend: (() => void) | undefined;
  readonly #serve: Serve;
  readonly #port: ServingPort;
  readonly #clock: Clock;
  readonly #limits: ChannelLimits;

  constructor(serve: Serve, port: ServingPort, clock: Clock, limits: ChannelLimits) {
    this.#serve = serve;
    this.#port = port;
    this.#clock = clock;
    this.#limits = limits;
  }

  /** How many are served, or have an answer that waits to be sent. */
  get size(): number {
    return this.#services.size;
  }

  /** False: the request breaks the protocol, and the link must be closed. */
  take(request: Request, channel: Channel): boolean {
    if (request.id <= this.#lastId || request.term > BigInt(Number.MAX_SAFE_INTEGER)) return false;
    this.#lastId = request.id;
    const { call } = request;
    if (call.case === undefined) return this.#refuse(request.id, new ClusterError('UNSUPPORTED', 'unknown call'));
    if (this.#services.size >= this.#limits.serving) return this.#refuse(request.id, new ClusterError('OVERLOADED'));
    const abort = new AbortController();
    const deadlineMs = Math.max(1, Math.min(request.deadlineMs || this.#limits.deadlineMs, this.#limits.maxDeadlineMs));
    const stopTimer = this.#clock.after(deadlineMs, () => abort.abort(new ClusterError('DEADLINE')));
    this.#services.set(request.id, { abort, stopTimer });
    void this.#run(
      request.id,
      { call, authority: { roomId: request.roomId, term: Number(request.term) }, signal: abort.signal },
      channel,
    );
    return true;
  }

  cancel(id: bigint): void {
    this.#services.get(id)?.abort.abort(new ClusterError('CLOSED', 'the caller gave up'));
  }

  abortAll(error: () => ClusterError): void {
    this.#stopResend?.();
    this.#unsent.length = 0;
    for (const service of this.#services.values()) {
      service.stopTimer();
      service.abort.abort(error());
    }
    this.#services.clear();
  }

  async #run(id: bigint, incoming: Incoming, channel: Channel): Promise<void> {
    let result: Response['result'];
    try {
      result = this.#checked(incoming, await this.#serve(incoming, channel));
    } catch (error) {
      // What is thrown because nobody waits any more is no bug.
      if (!(error instanceof ClusterError) && !incoming.signal.aborted) this.#port.report(error);
      result = { case: 'failure', value: toFailure(error) };
    }
    this.#answer(id, create(ResponseSchema, { id, result }));
  }

  #checked(incoming: Incoming, result: Result | void): Response['result'] {
    const wanted = answerOf(incoming.call.case);
    if (result === undefined && wanted === 'done')
      return create(ResponseSchema, { result: { case: 'done', value: {} } }).result;
    if (result?.case !== wanted) throw new TypeError(`${incoming.call.case} must be answered by ${wanted}`);
    return result;
  }

  #refuse(id: bigint, error: ClusterError): true {
    // Not kept when the link is full: a flood of refused requests must cost nothing; the caller has a deadline.
    this.#port.send({ case: 'response', value: create(ResponseSchema, { id, result: failed(error) }) });
    return true;
  }

  #answer(id: bigint, response: Response): void {
    const service = this.#services.get(id);
    if (service === undefined) return;
    if (service.abort.signal.aborted) return this.#end(id);
    let sent: boolean;
    try {
      sent = this.#port.send({ case: 'response', value: response });
    } catch (error) {
      // Too large for a Frame.
      this.#port.report(error);
      sent = this.#port.send({ case: 'response', value: create(ResponseSchema, { id, result: failed(error) }) });
    }
    if (sent) return this.#end(id);
    this.#unsent.push({ id, response });
    this.#stopResend ??= this.#clock.after(RESEND_MS, () => this.#resend());
  }

  #resend(): void {
    this.#stopResend = undefined;
    for (const { id, response } of this.#unsent.splice(0)) this.#answer(id, response);
  }

  #end(id: bigint): void {
    this.#services.get(id)?.stopTimer();
    this.#services.delete(id);
  }
}

function failed(error: unknown): Response['result'] {
  return { case: 'failure', value: toFailure(error) };
}
