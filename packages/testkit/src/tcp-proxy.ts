/** A TCP connection that can be cut, or go silent, between a client and a server that are both well. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Connections that are open. */
  readonly open: number;
  /** Closes all connections; new ones are taken. */
  cut(): void;
  /** Answers of the server are thrown away, and the connection is cut with the first of them: what was asked has been done. */
  swallowNext(): void;
  /** Neither end hears the other any more, and neither is told. */
  setSilent(silent: boolean): void;
  close(): Promise<void>;
}

/** Listens on a free port of 127.0.0.1. */
export async function tcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let silent = false;
  let swallow = false;
  const cut = (): void => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    pairs.clear();
  };
  const server = createServer((near) => {
    const far = connect(target.port, target.host);
    const pair = [near, far] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    near.on('data', (bytes) => void (silent || far.write(bytes)));
    far.on('data', (bytes) => {
      if (swallow) {
        swallow = false;
        cut();
      } else if (!silent) near.write(bytes);
    });
    for (const socket of pair) socket.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get open() {
      return pairs.size;
    },
    cut,
    swallowNext: () => {
      swallow = true;
    },
    setSilent: (to) => {
      silent = to;
    },
    close: async () => {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
