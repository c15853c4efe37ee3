/** Ways to a TURN server: UDP, TCP, TLS. Each gives whole STUN messages or ChannelData. */
import { createSocket } from 'node:dgram';
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { frameLength, type Address } from './stun.ts';

export interface Wire {
  send(bytes: Buffer): void;
  /** One listener. */
  onMessage(listener: (bytes: Buffer) => void): void;
  readonly closed: boolean;
  close(): void;
}

export type WireKind = 'udp' | 'tcp' | 'tls';

/** @throws Error when the server cannot be reached; over UDP that cannot be told */
export async function openWire(kind: WireKind, server: Address, options: { readonly ca?: string } = {}): Promise<Wire> {
  if (kind === 'udp') return udpWire(server);
  const { ip: host, port } = server;
  const ready = kind === 'tcp' ? 'connect' : 'secureConnect';
  const socket = kind === 'tcp' ? connectTcp({ host, port }) : connectTls({ host, port, ...options });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once(ready, resolve);
  });
  return streamWire(socket);
}

async function udpWire({ ip, port }: Address): Promise<Wire> {
  const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
  let closed = false;
  // A port that nobody listens on says so; whoever waits for an answer waits in vain all the same.
  socket.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    socket.connect(port, ip, (error?: Error) => (error ? reject(error) : resolve()));
  });
  return {
    send: (bytes) => {
      if (!closed) socket.send(bytes, () => undefined);
    },
    onMessage: (listener) => void socket.on('message', listener),
    get closed() {
      return closed;
    },
    close: () => {
      if (!closed) socket.close();
      closed = true;
    },
  };
}

function streamWire(socket: Socket): Wire {
  let rest: Buffer = Buffer.alloc(0);
  let told: ((bytes: Buffer) => void) | undefined;
  socket.on('error', () => undefined);
  socket.on('data', (bytes: Buffer) => {
    rest = Buffer.concat([rest, bytes]);
    try {
      for (let length = frameLength(rest); length !== undefined && rest.length >= length; length = frameLength(rest)) {
        const message = rest.subarray(0, length);
        rest = rest.subarray(length);
        told?.(message);
      }
    } catch {
      socket.destroy();
    }
  });
  return {
    send: (bytes) => void socket.write(bytes),
    onMessage: (listener) => (told = listener),
    get closed() {
      return socket.destroyed;
    },
    close: () => void socket.destroy(),
  };
}
