/**
 * Every error code of Veilcast, what it means, whose fault it is and whether to try again.
 * One table for sockets, control channels, the SDK and the documentation; people's words are elsewhere.
 */
import { z } from 'zod';

export type Fault = 'peer' | 'caller' | 'remote' | 'us';
export type Retry = 'never' | 'same' | 'elsewhere';

interface ErrorEntry {
  readonly fault: Fault;
  readonly retry: Retry;
  /** What happened and what to do, for a developer. */
  readonly meaning: string;
}

export const ERRORS = {
  MALFORMED: { fault: 'peer', retry: 'never', meaning: 'The message does not fit its schema.' },
  OVERSIZE: { fault: 'peer', retry: 'never', meaning: 'The message is larger than its limit.' },
  UNSUPPORTED: { fault: 'peer', retry: 'never', meaning: 'No such message, or not in this protocol version.' },
  OUT_OF_ORDER: { fault: 'peer', retry: 'never', meaning: 'The request id is not the next one of this socket.' },
  REPLAYED: { fault: 'peer', retry: 'never', meaning: 'A request with this id was already taken.' },
  RATE_LIMITED: {
    fault: 'peer',
    retry: 'same',
    meaning: "The socket's or address's budget is used up; wait `retryMs`.",
  },
  UNAUTHORIZED: {
    fault: 'peer',
    retry: 'never',
    meaning: "The join token is missing, expired, or not for this Room; or it is not the operator's key.",
  },
  BAD_DEVICE: {
    fault: 'peer',
    retry: 'never',
    meaning: 'The device did not show that its key and the leaf key are its own, for this Room and token.',
  },
  WRONG_DEVICE: {
    fault: 'peer',
    retry: 'never',
    meaning: "The join token, or the sealed channel, is another device's.",
  },
  REVOKED: { fault: 'caller', retry: 'never', meaning: 'This device was revoked.' },
  WRONG_AUTHORITY: {
    fault: 'remote',
    retry: 'never',
    meaning: 'The Authentication Service is not the one that this client was given.',
  },
  FORBIDDEN: { fault: 'peer', retry: 'never', meaning: 'The role of this Participant does not allow it.' },
  NOT_JOINED: { fault: 'peer', retry: 'never', meaning: 'Only `join` is possible before the socket has joined.' },
  ALREADY_JOINED: { fault: 'peer', retry: 'never', meaning: 'This socket has joined a Room already.' },
  NOT_FOUND: { fault: 'peer', retry: 'never', meaning: 'No such Peer, Transport, Producer or Consumer in this Room.' },
  CHANNEL_REQUIRED: {
    fault: 'peer',
    retry: 'never',
    meaning: 'Only records of the sealed channel `veilcast/1` are taken, and its handshake first.',
  },
  HANDSHAKE_FAILED: {
    fault: 'remote',
    retry: 'same',
    meaning: 'A message of the handshake is not what it must be; nothing was trusted.',
  },
  SEAL_BROKEN: {
    fault: 'remote',
    retry: 'same',
    meaning: 'A record of the sealed channel was forged, repeated, dropped or reordered.',
  },
  MANIFEST_INVALID: {
    fault: 'remote',
    retry: 'same',
    meaning: "The servers' manifest is not signed by the pinned root, or not valid now.",
  },
  ROOM_FULL: { fault: 'caller', retry: 'never', meaning: 'The Room has as many Peers as its policy allows.' },
  CLUSTER_FULL: { fault: 'us', retry: 'same', meaning: 'No Worker has capacity left; wait `retryMs`.' },
  NO_REGION: {
    fault: 'caller',
    retry: 'never',
    meaning:
      "No such region, no healthy Node in one that is allowed, or the token's regions are not those of the Room.",
  },
  NOT_OWNER: { fault: 'remote', retry: 'elsewhere', meaning: 'Another process owns this Room.' },
  STALE_TERM: {
    fault: 'remote',
    retry: 'never',
    meaning: 'A newer Term of this Room has been seen; the sender lost its Lease.',
  },
  STALE_INCARNATION: { fault: 'remote', retry: 'never', meaning: 'The Node restarted since; what hung on it is gone.' },
  NODE_DRAINING: { fault: 'remote', retry: 'elsewhere', meaning: 'The Node takes no new Participants.' },
  NODE_UNREACHABLE: { fault: 'remote', retry: 'elsewhere', meaning: 'The Node does not answer.' },
  WORKER_DIED: { fault: 'remote', retry: 'elsewhere', meaning: 'The Worker that served this Peer died; join again.' },
  DEADLINE: { fault: 'remote', retry: 'same', meaning: 'No answer came before the deadline.' },
  OVERLOADED: { fault: 'remote', retry: 'same', meaning: 'A queue is full.' },
  STORE_UNAVAILABLE: {
    fault: 'us',
    retry: 'same',
    meaning: 'The shared store is away or takes no writes: no Room can be opened; open ones go on. Wait `retryMs`.',
  },
  CHANNEL_CLOSED: { fault: 'remote', retry: 'elsewhere', meaning: 'The other process closed the connection.' },
  EPOCH_CONFLICT: { fault: 'peer', retry: 'same', meaning: 'Another Commit won this Epoch; rebase on it.' },
  COMMIT_INVALID: { fault: 'peer', retry: 'never', meaning: 'The Commit is not one for this group, Epoch or removal.' },
  TICKET_EXPIRED: { fault: 'peer', retry: 'same', meaning: 'The turn to join the group ran out; ask for another.' },
  CANNOT_CONSUME: { fault: 'peer', retry: 'never', meaning: 'The capabilities given cannot decode this Producer.' },
  MEDIA_UNSUPPORTED: {
    fault: 'caller',
    retry: 'never',
    meaning: 'This browser has no encoded transforms, so it cannot encrypt.',
  },
  DEVICE_DENIED: {
    fault: 'caller',
    retry: 'never',
    meaning: 'The person or the system refused the camera or microphone.',
  },
  DEVICE_NOT_FOUND: { fault: 'caller', retry: 'never', meaning: 'There is no such camera or microphone.' },
  KEYS_FAILED: { fault: 'us', retry: 'same', meaning: 'The group keys could not be agreed; nothing is sent or shown.' },
  TRANSPORT_FAILED: {
    fault: 'remote',
    retry: 'same',
    meaning: 'No path for media: the network blocks UDP and TCP to the Node.',
  },
  WEBSOCKET_BLOCKED: {
    fault: 'remote',
    retry: 'same',
    meaning:
      'The site answers over HTTPS and no WebSocket opens: a proxy or firewall in between must let them through.',
  },
  DISCONNECTED: { fault: 'remote', retry: 'same', meaning: 'The connection to signaling was lost.' },
  REMOVED: { fault: 'caller', retry: 'never', meaning: 'A host removed this Participant.' },
  DENIED: { fault: 'caller', retry: 'never', meaning: 'A host did not admit this Participant.' },
  CLOSED: { fault: 'caller', retry: 'never', meaning: 'The object is closed.' },
  INTERNAL: { fault: 'us', retry: 'same', meaning: 'A bug or an unexpected failure on the server.' },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;
export const ErrorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

/** What travels instead of a result. `detail` never holds names, addresses, keys or tokens. */
export const WireError = z.strictObject({
  code: ErrorCode,
  detail: z.string().max(300).optional(),
  retryMs: z.number().int().nonnegative().max(600_000).optional(),
});
export type WireError = z.infer<typeof WireError>;

/** The one exception class of expected failures that cross a boundary; bugs are ordinary errors. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
  readonly code: ErrorCode;
  readonly retryMs: number | undefined;

  constructor(code: ErrorCode, detail?: string, options: { cause?: unknown; retryMs?: number } = {}) {
    super(detail ?? ERRORS[code].meaning, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryMs = options.retryMs;
  }

  get fault(): Fault {
    return ERRORS[this.code].fault;
  }

  get retry(): Retry {
    return ERRORS[this.code].retry;
  }

  toWire(): WireError {
    return {
      code: this.code,
      detail: this.message.slice(0, 300),
      ...(this.retryMs === undefined ? {} : { retryMs: this.retryMs }),
    };
  }

  static fromWire(wire: WireError): ClusterError {
    return new ClusterError(wire.code, wire.detail, wire.retryMs === undefined ? {} : { retryMs: wire.retryMs });
  }

  /** Whatever was thrown, as a ClusterError; what is not one already becomes INTERNAL and keeps its cause. */
  static of(thrown: unknown): ClusterError {
    return thrown instanceof ClusterError ? thrown : new ClusterError('INTERNAL', undefined, { cause: thrown });
  }
}
