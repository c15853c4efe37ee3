/** The two sides of a Peer's connection: the socket as its Room sees it, and the Room as its socket sees it. */
import type { Admission, AnyEvent, AnyRequest, ClusterError, ErrorCode } from '@veilcast/protocol';

/** One event for many Peers of a Room, sealed once. */
export interface Shared {
  readonly event: AnyEvent;
  /** Sealed when first asked for. */
  readonly record: () => Uint8Array;
  /** Which key of the Room it is sealed under, and that key for whoever has not got it yet. */
  readonly keyNumber: number;
  readonly keyMessage: () => Uint8Array;
}

export interface PeerLink {
  /** False: the socket is gone, and nobody will say so again. */
  readonly open: boolean;
  /** The Peer is in; answers its join, or tells it after a wait in the lobby. */
  admitted(admission: Admission): void;
  /** A host must admit first. */
  waiting(): void;
  tell(event: AnyEvent): void;
  /** As `tell`, by a record that others are sent too. */
  tellShared(shared: Shared): void;
  /** It is over: refuses the join that still waits, or says goodbye and closes. */
  end(error: ClusterError): void;
}

export interface Seat {
  /**
   * Carries out one request. `reply` is called once, before anything else that follows from the request is told, so
   * that a client hears of its own success first. @throws ClusterError, if it has not replied
   */
  ask(request: AnyRequest, reply: (result: unknown) => void): Promise<void>;
  /** The socket is gone. */
  lost(code: ErrorCode): void;
}
