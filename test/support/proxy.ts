/** A TCP proxy in front of a cluster whose connections can go dead: open for both ends, and nothing passes any more. */
import { connect, createServer, type Socket } from 'node:net';

export interface CutProxy {
  readonly origin: string;
  /** Every connection of now goes dead; later ones pass. Returns how many it were. */
  cut(): number;
  close(): void;
}

export async function openProxy(target: string): Promise<CutProxy> {
  const { port } = new URL(target);
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1');
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        for (const each of pair) each.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    origin: `http://localhost:${address.port}`,
    cut() {
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
      return pairs.size;
    },
    close() {
      for (const pair of pairs) for (const socket of pair) socket.destroy();
      server.close();
    },
  };
}
