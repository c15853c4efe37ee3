import type { ClusterError } from '@veilcast/protocol';
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

export interface Carrier {
  /** Accepts links at an address until closed. */
  listen(address: string, accept: (link: Link) => void): Promise<{ close(): Promise<void> }>;
  /** @throws ClusterError NODE_UNREACHABLE */
  dial(address: string): Promise<Link>;
}
