/**
 * The listening side. OpenSSL refuses whoever has no certificate of our authorities, and then we whoever is no process of this
 * cluster, before a byte of HTTP/2 is read; after that one path is served, one stream a session, and whatever is not this is cut.
 */
import { ClusterError } from '@veilcast/protocol';
import { createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Link } from '../carrier.ts';
import { hostPortOf, type HostPort } from './address.ts';
import { answering } from './answering.ts';
import { Http2Link } from './link.ts';
import { carried, type Refusal, type Shared } from './shared.ts';
import { clientOf, secureOptions, TLS_GROUP, type Proved } from './tls.ts';

interface Caller {
  readonly proved: Proved;
  stopTimer(): void;
  link: Http2Link | undefined;
}

export async function listenHttp2(
  shared: Shared,
  address: string,
  accept: (link: Link) => void,
): Promise<{ close(): Promise<void> }> {
  const { limits, credentials, clock, cluster } = shared;
  const at = shared.bind ?? hostPortOf(address);
  const callers = new Map<ServerHttp2Session, Caller>();
  const server = createServer({
    ...secureOptions(credentials.current),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['h2'],
    handshakeTimeout: limits.handshakeMs,
  });
  server.maxConnections = limits.sockets;
  server.on('tlsClientError', (_error, socket) => {
    shared.refused('tls');
    socket.destroy();
  });
  /** Never listens: it is handed the sockets that may speak. */
  const http2 = createHttp2Server({
    settings: { maxConcurrentStreams: 1, enablePush: false, initialWindowSize: carried.WINDOW_BYTES },
  });
  http2.on('sessionError', () => undefined);
  server.on('secureConnection', (socket) => {
    // What happens to it from here on is told by its session.
    socket.on('error', () => undefined);
    const proved = admitted(socket, cluster);
    if (typeof proved === 'string') {
      shared.refused(proved);
      socket.destroy();
      return;
    }
    http2.once('session', (session) => greet(session, proved));
    http2.emit('connection', socket);
  });
  const greet = (session: ServerHttp2Session, proved: Proved): void => {
    session.setLocalWindowSize(carried.WINDOW_BYTES);
    const stopTimer = clock.after(limits.handshakeMs, () => cut(session, 'slow'));
    callers.set(session, { proved, stopTimer, link: undefined });
    session.once('close', () => {
      stopTimer();
      callers.get(session)?.link?.sessionOver();
      callers.delete(session);
    });
  };
  const cut = (session: ServerHttp2Session, why: Refusal): void => {
    shared.refused(why);
    session.destroy();
  };
  const linked = (session: ServerHttp2Session, caller: Caller): Http2Link => {
    caller.stopTimer();
    const { proved } = caller;
    const link = new Http2Link({
      identity: proved.identity,
      clock,
      limits,
      answers: true,
      cut: (reason) => session.destroy(undefined, carried.resetCodeOf(reason)),
    });
    caller.link = link;
    shared.opened(link, { dialled: false, proved, group: TLS_GROUP, askToRenew: () => session.goaway() });
    return link;
  };
  const answer = answering({
    limits,
    take: (session, packets) => {
      const caller = callers.get(session);
      if (caller === undefined || caller.link !== undefined) return undefined;
      const link = linked(session, caller);
      void link.pump(packets);
      accept(link);
      return link.packets();
    },
  });
  http2.on('request', (request, response) => {
    const session = request.stream.session as ServerHttp2Session | undefined;
    if (session === undefined) return;
    // How a link ends is told by the link; what is left here is a request that made none.
    void answer(request, response, session)
      .catch(() => callers.get(session)?.link !== undefined)
      .then((isLink) => (isLink ? undefined : cut(session, 'request')));
  });
  const stopRenewing = credentials.onRenew(() => server.setSecureContext(secureOptions(credentials.current)));
  await bound(server, at);
  return {
    close: async () => {
      stopRenewing();
      server.close();
      for (const [session, { link }] of callers) if (link === undefined) session.destroy();
      const closing = [...callers.values()].flatMap(({ link }) => (link?.closed === true ? [link.over()] : []));
      await Promise.all(closing);
    },
  };
}

/** Who it is, or why it may not speak. */
function admitted(socket: TLSSocket, cluster: string): Proved | Refusal {
  if (socket.alpnProtocol !== 'h2') return 'protocol';
  try {
    return clientOf(socket, cluster);
  } catch {
    return 'identity';
  }
}

/** @throws ClusterError INTERNAL where the address cannot be had */
function bound(server: Server, { host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown): void =>
      reject(new ClusterError('INTERNAL', 'the address cannot be had', { cause }));
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.off('error', failed);
      server.on('error', () => undefined);
      resolve();
    });
  });
}
