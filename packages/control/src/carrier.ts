/** Moves whole Frames between two processes, in order, and says when the link is gone. Memory in one process, HTTP/2 in a cluster. */
export interface Link {
  /** Queues one Frame. False: the queue is full and the Frame was not taken. */
  send(frame: Uint8Array): boolean;
  onFrame(listener: (frame: Uint8Array) => void): void;
  onClose(listener: () => void): void;
  close(): void;
}

export interface Carrier {
  /** Accepts links at an address until closed. */
  listen(address: string, accept: (link: Link) => void): Promise<{ close(): Promise<void> }>;
  /** @throws ClusterError NODE_UNREACHABLE */
  dial(address: string): Promise<Link>;
}
