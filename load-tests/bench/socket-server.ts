/**
 * What the socket bench weighs, in a process of its own: signaling with a Node and a cascade-router that keep books instead
 * of media, or socket.io alone. Wants `--expose-gc`.
 */
import { createServer } from 'node:http';
import { once } from 'node:events';
import { Server } from 'socket.io';
import { Fixture } from '../../signaling/src/testing/fixture.ts';
import { answer } from './child.ts';

export type ServerKind = 'signaling' | 'socket.io';

interface Weighed {
  readonly url: string;
  sockets(): number;
  /** Drops what only the bench keeps. */
  forget(): void;
  close(): Promise<unknown>;
}

async function signaling(): Promise<Weighed> {
  // One machine plays a thousand.
  const limits = { joinsPerMinute: 1_000_000, tokensPerMinute: 1_000_000, handshakesPerMinute: 1_000_000 };
  const fixture = await Fixture.open({ limits });
  return {
    url: fixture.main.url,
    sockets: () => fixture.eu.peers.size + fixture.us.peers.size,
    forget: () => {
      fixture.world.log.length = 0;
      for (const each of [fixture.eu, fixture.us, fixture.cascade]) each.seen.length = 0;
    },
    close: () => fixture.close(),
  };
}

async function socketIo(): Promise<Weighed> {
  const http = createServer();
  const io = new Server(http, { transports: ['websocket'], serveClient: false });
  io.on('connection', (socket) => {
    socket.on('m', (_: unknown, ack: (answer: object) => void) => ack({ ok: true }));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    sockets: () => io.sockets.sockets.size,
    forget: () => undefined,
    close: () => io.close(),
  };
}

let server: Weighed | undefined;

const answers = {
  start: async ({ kind }: { kind: ServerKind }) => {
    server = await (kind === 'signaling' ? signaling() : socketIo());
    return server.url;
  },
  /** Bytes of the process with nothing to collect in it, and sockets that have joined. */
  weigh: async () => {
    if (!server || !globalThis.gc) throw new Error('not started, or without --expose-gc');
    server.forget();
    // What one collection frees, others may need to let go of.
    for (let times = 0; times < 4; times++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss, heap: heapUsed + external, sockets: server.sockets() };
  },
};
export type SocketServer = typeof answers;

if (import.meta.main) answer(answers, () => server?.close());
