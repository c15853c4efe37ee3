/**
 * The asking half of a Channel: requests that wait for their answers.
 * Each ends exactly once: by its answer, its deadline, its caller's abort, or the end of the Channel.
 */
import { ClusterError, type Clock } from '@veilcast/protocol';
import type { Authority, CallName, Result } from './channel.ts';
import { fromFailure } from './failure.ts';
import { answerOf, callBody, type FrameKind } from './frames.ts';
import { CancelSchema, RequestSchema, type Response } from './gen/veilcast/control/v1/control_pb.ts';
import type { ChannelLimits } from './limits.ts';
import { create } from '@bufbuild/protobuf';

interface Waiting {
  readonly name: CallName;
  settle(outcome: { result: Result['value'] | undefined } | { error: ClusterError }): void;
}

export interface AskOptions {
  readonly authority?: Authority | undefined;
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class Asking {
  readonly #waiting = new Map<bigint, Waiting>();
  #nextId = 1n;
  readonly #send: (frame: FrameKind) => boolean;
  readonly #clock: Clock;
  readonly #limits: ChannelLimits;

  constructor(send: (frame: FrameKind) => boolean, clock: Clock, limits: ChannelLimits) {
    this.#send = send;
    this.#clock = clock;
    this.#limits = limits;
  }

  ask(name: CallName, body: unknown, options: AskOptions): Promise<Result['value'] | undefined> {
    const { authority, signal } = options;
    const deadlineMs = Math.max(1, Math.min(options.deadlineMs ?? this.#limits.deadlineMs, this.#limits.maxDeadlineMs));
    if (signal?.aborted === true) throw aborted(signal);
    if (this.#waiting.size >= this.#limits.inFlight) throw new ClusterError('OVERLOADED');
    const id = this.#nextId++;
    const request = create(RequestSchema, {
      id,
      deadlineMs,
      roomId: authority?.roomId ?? '',
      term: BigInt(authority?.term ?? 0),
      call: { case: name, value: callBody(name, body as never) } as never,
    });
    if (!this.#send({ case: 'request', value: request })) throw new ClusterError('OVERLOADED');
    return this.#wait(id, name, deadlineMs, signal);
  }

  #wait(id: bigint, name: CallName, deadlineMs: number, signal: AbortSignal | undefined) {
    return new Promise<Result['value'] | undefined>((resolve, reject) => {
      const giveUp = (error: ClusterError): void => {
        if (!this.#waiting.has(id)) return;
        this.#send({ case: 'cancel', value: create(CancelSchema, { id }) });
        waiting.settle({ error });
      };
      const onAbort = (): void => giveUp(aborted(signal));
      const stopTimer = this.#clock.after(deadlineMs, () =>
        giveUp(new ClusterError('DEADLINE', `${name} took too long`)),
      );
      const waiting: Waiting = {
        name,
        settle: (outcome) => {
          this.#waiting.delete(id);
          stopTimer();
          signal?.removeEventListener('abort', onAbort);
          if ('error' in outcome) reject(outcome.error);
          else resolve(outcome.result);
        },
      };
      this.#waiting.set(id, waiting);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** An answer to what nobody waits for any more is late, not wrong. */
  take(response: Response): void {
    const waiting = this.#waiting.get(response.id);
    if (waiting === undefined) return;
    const { result } = response;
    if (result.case === 'failure') waiting.settle({ error: fromFailure(result.value) });
    else if (result.case === undefined) waiting.settle({ error: new ClusterError('UNSUPPORTED', 'unknown result') });
    else if (result.case !== answerOf(waiting.name)) waiting.settle({ error: new ClusterError('MALFORMED') });
    else waiting.settle({ result: result.case === 'done' ? undefined : result.value });
  }

  failAll(error: () => ClusterError): void {
    for (const waiting of this.#waiting.values()) waiting.settle({ error: error() });
  }
}

function aborted(signal: AbortSignal | undefined): ClusterError {
  const reason: unknown = signal?.reason;
  return reason instanceof ClusterError
    ? reason
    : new ClusterError('CLOSED', 'the request was given up', { cause: reason });
}
