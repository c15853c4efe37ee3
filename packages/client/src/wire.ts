/** What carries messages between a client and signaling. Above it nobody knows of seals; below it nobody knows of Rooms. */
import type { Psk } from '@veilcast/e2ee/channel';
import type { ClusterError, Queued } from '@veilcast/protocol';

export interface Wire {
  readonly open: boolean;
  /**
   * Sends one request and resolves with the answer to it, by `id`. Whoever waits in line for it is told the place, and the time begins anew.
   * @throws ClusterError DEADLINE, DISCONNECTED, or why the wire was lost
   */
  send(request: unknown, timeoutMs: number, queued?: (queued: Queued) => void): Promise<unknown>;
  /** `shared`: the Room said it to many at once, and it has no number of its own. */
  onRecord(listener: (record: unknown, shared: boolean) => void): void;
  /** Called at most once, and not after `close`. */
  onLost(listener: (error: ClusterError) => void): void;
  close(): void;
}

/** The pre-shared key of the last channel, good for one more. */
export interface ChannelMemory {
  psk?: (Psk & { readonly until: number }) | undefined;
}
