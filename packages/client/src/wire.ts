/**
 * What carries records between this client and signaling. Today a record is the plain message; the sealed channel of
 * `veilcast/1` will be a Wire around this one (DESIGN §5, Channel), and nothing above will notice.
 */
import { ClusterError } from '@veilcast/protocol';
import { io, type Socket } from 'socket.io-client';

/** The one socket.io event, both ways. */
const RECORD_EVENT = 'm';

/** How long the socket may take to open. Shorter: slow phones never get in. Longer: people stare at a dead link. */
const OPEN_TIMEOUT_MS = 8_000;

export interface Wire {
  /** Sends one record and resolves with the answer to it. @throws ClusterError DEADLINE or DISCONNECTED */
  send(record: unknown, timeoutMs: number): Promise<unknown>;
  onRecord(listener: (record: unknown) => void): void;
  /** Called at most once, and not after `close`. */
  onLost(listener: () => void): void;
  close(): void;
}

/** Opens a socket of websocket transport only; it does not reconnect by itself, since a new socket is a new Peer. */
export function openSocketWire(url: string): Promise<Wire> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true, timeout: OPEN_TIMEOUT_MS });
  return new Promise((resolve, reject) => {
    socket.once('connect_error', (cause) => {
      socket.close();
      reject(new ClusterError('DISCONNECTED', 'signaling cannot be reached', { cause }));
    });
    socket.once('connect', () => {
      socket.off('connect_error');
      resolve(new SocketWire(socket));
    });
  });
}

class SocketWire implements Wire {
  readonly #socket: Socket;
  #lost: () => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('disconnect', () => this.#lost());
  }

  async send(record: unknown, timeoutMs: number): Promise<unknown> {
    if (!this.#socket.connected) throw new ClusterError('DISCONNECTED');
    try {
      return (await this.#socket.timeout(timeoutMs).emitWithAck(RECORD_EVENT, record)) as unknown;
    } catch (cause) {
      throw new ClusterError(this.#socket.connected ? 'DEADLINE' : 'DISCONNECTED', undefined, { cause });
    }
  }

  onRecord(listener: (record: unknown) => void): void {
    this.#socket.on(RECORD_EVENT, listener);
  }

  onLost(listener: () => void): void {
    this.#lost = listener;
  }

  close(): void {
    this.#lost = () => undefined;
    this.#socket.close();
  }
}
