/** The two sides of a Peer's connection: the socket as its Room sees it, and the Room as its socket sees it. */
import type { Admission, AnyEvent, AnyRequest, ClusterError, ErrorCode, PeerId, RequestBody } from '@veilcast/protocol';
import type { Entrant } from './identities.ts';

/** One event for many Peers of a Room, sealed once. */
export interface Shared {
  /** Sealed when first asked for. */
  readonly record: () => Uint8Array;
  /** Which key of the Room it is sealed under, and that key for whoever has not got it yet. */
  readonly keyNumber: number;
  readonly keyMessage: () => Uint8Array;
}

/** Events are numbered by the Room, 1, 2, 3 … for each Peer, whichever socket or process they go through. */
export interface PeerLink {
  /** False: the socket is gone, and nobody will say so again. */
  readonly open: boolean;
  /** The Peer is in: the answer to its join. */
  admitted(admission: Admission): void;
  /** A host must admit first: the answer to its join. */
  waiting(): void;
  tell(seq: number, event: AnyEvent): void;
  /** As `tell`, by a record that others are sent too; each counts it as its next event. */
  tellShared(seq: number, shared: Shared): void;
  /** It is over: refuses the join that still waits, or says goodbye and closes. */
  end(error: ClusterError): void;
  /** Whoever spoke through it owns the Room no more: the next owner is to be found. */
  orphaned(): void;
}

export interface Seat {
  /**
   * Carries out one request. `reply` is called once, before anything else that follows from the request is told, so
   * that a client hears of its own success first. The same id again is the same request: it takes effect once.
   * @throws ClusterError, if it has not replied
   */
  ask(id: number, request: AnyRequest, reply: (result: unknown) => void): Promise<void>;
  /** The socket is gone, and the client with it. */
  lost(code: ErrorCode): void;
  /** The socket is gone; the client may come back by another. */
  away(): void;
}

/** A Peer that comes back: what its client has received, and which device has proven itself. */
export interface Comeback {
  readonly peerId: PeerId;
  readonly deviceKey: Uint8Array;
  /** The last event that it has. */
  readonly seq: number;
}

/** Whoever has the say about a Room: this process or another. */
export interface Owner {
  /** @throws ClusterError */
  sit(link: PeerLink, entrant: Entrant, body: RequestBody<'join'>): Promise<Seat>;
  /** @throws ClusterError NOT_JOINED: nobody of that id and device is here, or what it missed is kept no more */
  resume(link: PeerLink, comeback: Comeback): Promise<Seat>;
}
