/**
 * The one way in which two processes speak: requests with ids and deadlines, answers, events, over any Carrier.
 * What a Channel promises (and the contract suite checks): an answer comes once; a request ends by its deadline;
 * queues are bounded and full ones answer OVERLOADED; events arrive in order; a closed Channel fails all that waits.
 */
import type { Event, Hello, Request, Response } from './gen/veilcast/control/v1/control_pb.ts';

export type Call = Exclude<Request['call'], { case: undefined }>;
export type CallName = Call['case'];
export type CallBody<N extends CallName> = Extract<Call, { case: N }>['value'];
export type Result = Exclude<Response['result'], { case: undefined } | { case: 'failure' }>;
export type EventKind = Exclude<Event['kind'], { case: undefined }>;

/** Which result answers which call. */
export interface ResultOf {
  openPeer: Extract<Result, { case: 'openedPeer' }>['value'];
  restartIce: Extract<Result, { case: 'restartedIce' }>['value'];
  produce: Extract<Result, { case: 'produced' }>['value'];
  consume: Extract<Result, { case: 'consumed' }>['value'];
  preparePipe: Extract<Result, { case: 'preparedPipe' }>['value'];
  sendOnPipe: Extract<Result, { case: 'sentOnPipe' }>['value'];
  place: Extract<Result, { case: 'placed' }>['value'];
  getPicture: Extract<Result, { case: 'gotPicture' }>['value'];
  witness: Extract<Result, { case: 'witnessed' }>['value'];
}
export type CallResult<N extends CallName> = N extends keyof ResultOf ? ResultOf[N] : void;

/** Under which Lease an effect is done. */
export interface Authority {
  readonly roomId: string;
  readonly term: number;
}

/** Who speaks: which process, in which of its lives, and where it stands if it says so. */
export interface Speaker extends Pick<Hello, 'kind' | 'processId' | 'incarnation'> {
  readonly region?: string | undefined;
}

export interface Incoming {
  readonly call: Call;
  /** Empty room and term 0 where the call is not an effect on a Room. */
  readonly authority: Authority;
  /** Aborts at the deadline, on Cancel, and when the Channel closes. */
  readonly signal: AbortSignal;
}

/** Answers calls. Throw ClusterError to refuse; anything else becomes INTERNAL. */
export type Serve = (incoming: Incoming, channel: Channel) => Promise<Result | void>;

export interface Channel {
  /** Who is at the other end; its kind, id and region are proved where the Carrier has certificates. */
  readonly remote: Speaker;
  readonly closed: boolean;
  /** For how long nothing has been heard, in whole Pings of ours, ms. */
  readonly silentMs: number;
  /** @throws ClusterError with the remote's code, or DEADLINE, OVERLOADED, CHANNEL_CLOSED */
  request<N extends CallName>(
    name: N,
    body: BodyInit<N>,
    options?: { authority?: Authority; deadlineMs?: number; signal?: AbortSignal },
  ): Promise<CallResult<N>>;
  /** Sends and forgets. @throws ClusterError OVERLOADED or CHANNEL_CLOSED */
  emit(event: EventKind): void;
  onEvent(listener: (event: EventKind) => void): () => void;
  onClose(listener: () => void): () => void;
  /** Told each time that `quietPings` were answered by nothing at all. */
  onQuiet(listener: () => void): void;
  /** Told when another Channel should take the place of this one, by which time this one still works. */
  onStale(listener: () => void): void;
  /** Closes when nothing has been under way either way for `RETIRE_QUIET_MS`, or after the longest deadline. */
  retire(): void;
  close(): void;
}

type Plain<T> = Omit<T, '$typeName' | '$unknown'>;
/** A message as plain fields; nested messages too. */
export type BodyInit<N extends CallName> = Init<CallBody<N>>;
export type Init<T> = T extends Uint8Array
  ? T
  : T extends (infer E)[]
    ? Init<E>[]
    : T extends object
      ? { [K in keyof Plain<T>]?: Init<Plain<T>[K]> | undefined }
      : T;
