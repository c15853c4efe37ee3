import { ClusterError } from '@veilcast/protocol';
import type { Identity } from './identity.ts';

/** Moves whole Frames between two processes, in order, and says when the link is gone. Memory in one process, HTTP/2 in a cluster. */
export interface Link {
  /** Who the other process has proved to be. Undefined where nothing is proved: inside one process. */
  readonly identity?: Identity | undefined;
  /**
   * Queues one Frame. False: the queue is full and the Frame was not taken.
   * @throws ClusterError OVERSIZE where no link takes a Frame of this size
   */
  send(frame: Uint8Array): boolean;
  onFrame(listener: (frame: Uint8Array) => void): void;
  /** With the reason where it was not closed by either process. */
  onClose(listener: (reason?: ClusterError) => void): void;
  /** Told once, on the dialling side, when another link should take the place of this one: it will be closed before long. */
  onStale?(listener: () => void): void;
  close(): void;
}

/**
 * What a failed dial saw. refused: the host says that nobody listens there. hung: the host took the connection and the process
 * said nothing. nothing: no answer at all, the host is dead or the way to it is cut.
 */
export type Sight = 'refused' | 'hung' | 'nothing';

/** A dial that failed. */
export class Unreachable extends ClusterError {
  readonly sight: Sight;

  constructor(sight: Sight, cause?: unknown) {
    super('NODE_UNREACHABLE', undefined, { cause });
    this.sight = sight;
  }
}

export interface Carrier {
  /** Accepts links at an address until closed. */
  listen(address: string, accept: (link: Link) => void): Promise<{ close(): Promise<void> }>;
  /** @throws Unreachable, ClusterError UNAUTHORIZED or MALFORMED */
  dial(address: string): Promise<Link>;
  /** Whether anything listens there, by less than a dial: `hung` while it is not known whether the process does more than that. */
  knock?(address: string): Promise<Sight>;
}
