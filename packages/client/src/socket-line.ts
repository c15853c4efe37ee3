/** A socket.io socket as a line of bytes: one event, websocket transport only. It does not reconnect by itself, since a new socket is a new Peer. */
import { ClusterError } from '@veilcast/protocol';
import { io, type Socket } from 'socket.io-client';

/** The one socket.io event, both ways. */
const RECORD_EVENT = 'm';

/** How long the socket may take to open. Shorter: slow phones never get in. Longer: people stare at a dead link. */
const OPEN_TIMEOUT_MS = 8_000;

export interface Line {
  readonly open: boolean;
  send(bytes: Uint8Array): void;
  /** One listener. What is no bytes is passed as undefined. */
  onBytes(listener: (bytes: Uint8Array | undefined) => void): void;
  /** At most once, and not after `close`. */
  onLost(listener: () => void): void;
  close(): void;
}

/** @throws ClusterError DISCONNECTED */
export function openLine(url: string): Promise<Line> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true, timeout: OPEN_TIMEOUT_MS });
  closeWithPage(socket);
  return lineOver(socket);
}

/** A page that goes says so: what only breaks is waited for, and its tile stands still in every other window. */
function closeWithPage(socket: Socket): void {
  if (typeof document === 'undefined') return;
  const close = ({ persisted }: PageTransitionEvent): void => {
    if (!persisted) socket.close();
  };
  addEventListener('pagehide', close);
  socket.once('disconnect', () => removeEventListener('pagehide', close));
}

/** Of a socket that is open or opening. @throws ClusterError DISCONNECTED */
export function lineOver(socket: Socket): Promise<Line> {
  let lost: () => void = nothing;
  const line: Line = {
    get open() {
      return socket.connected;
    },
    send: (bytes) => void socket.emit(RECORD_EVENT, bytes),
    onBytes: (listener) => {
      socket.on(RECORD_EVENT, (record: unknown) => listener(bytesOf(record)));
    },
    onLost: (listener) => {
      lost = listener;
    },
    close: () => {
      lost = nothing;
      socket.close();
    },
  };
  return new Promise((resolve, reject) => {
    socket.once('connect_error', (cause) => {
      socket.close();
      reject(new ClusterError('DISCONNECTED', 'signaling cannot be reached', { cause }));
    });
    const connected = (): void => {
      socket.off('connect_error');
      socket.on('disconnect', () => lost());
      resolve(line);
    };
    if (socket.connected) connected();
    else socket.once('connect', connected);
  });
}

function nothing(): void {}

/** Browsers give an ArrayBuffer, Node a Buffer. */
function bytesOf(record: unknown): Uint8Array | undefined {
  if (record instanceof ArrayBuffer) return new Uint8Array(record);
  return record instanceof Uint8Array ? record : undefined;
}
