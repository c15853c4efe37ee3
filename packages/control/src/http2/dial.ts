/** The dialling side: a session of its own for each link, proved before the first byte of HTTP/2. */
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { ClusterError } from '@veilcast/protocol';
import { X509Certificate } from 'node:crypto';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { Unreachable } from '../carrier.ts';
import { Carriage, type Packet } from '../gen/veilcast/control/v1/carrier_pb.ts';
import { hostPortOf } from './address.ts';

import { Http2Link } from './link.ts';
import { carried, type Shared } from './shared.ts';
import { groupOf, provedBy, secureOptions, type Proved } from './tls.ts';

/** @throws ClusterError MALFORMED (the address), UNAUTHORIZED (it is not a process of this cluster), Unreachable */
export async function dialHttp2(shared: Shared, address: string): Promise<Http2Link> {
  const { host, port } = hostPortOf(address);
  const authority = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { clock, limits, credentials } = shared;
  let proved: Proved | undefined;
  let refusal: ClusterError | undefined;
  const session = connect(authority, {
    ...secureOptions(credentials.current),
    ALPNProtocols: ['h2'],
    settings: { enablePush: false, initialWindowSize: carried.WINDOW_BYTES },
    // Processes are known by their identities and not by the names of their hosts.
    checkServerIdentity: (_host, { raw }) => {
      try {
        proved = provedBy(new X509Certificate(raw), shared.cluster);
        return undefined;
      } catch (error) {
        return (refusal = ClusterError.of(error));
      }
    },
  });
  // What is said of it is said by its link, or by this dial.
  session.on('error', () => undefined);
  const stopTimer = clock.after(limits.dialMs, () => session.destroy());
  try {
    await connected(session);
    session.setLocalWindowSize(carried.WINDOW_BYTES);
    if (proved === undefined) throw new ClusterError('UNAUTHORIZED', 'nothing was proved');
    return await open(shared, session, authority, proved);
  } catch (cause) {
    session.destroy();
    const isRefused = (cause as NodeJS.ErrnoException | undefined)?.code === 'ECONNREFUSED';
    throw refusal ?? new Unreachable(isRefused ? 'refused' : 'nothing', cause);
  } finally {
    stopTimer();
  }
}

function connected(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.once('connect', () => resolve());
    session.once('error', reject);
    session.once('close', () => reject(new ClusterError('DEADLINE')));
  });
}

async function open(shared: Shared, session: ClientHttp2Session, authority: string, proved: Proved) {
  const { clock, limits } = shared;
  const link = new Http2Link({
    identity: proved.identity,
    clock,
    limits,
    answers: false,
    cut: (reason) => session.destroy(undefined, carried.resetCodeOf(reason)),
  });
  session.once('close', () => link.sessionOver());
  session.on('goaway', () => link.grewStale());
  const transport = createConnectTransport({
    httpVersion: '2',
    baseUrl: authority,
    acceptCompression: [],
    readMaxBytes: carried.packetBytesMax(limits),
    sessionManager: {
      authority,
      request: async (method, path, headers) =>
        session.request({
          ...headers,
          [constants.HTTP2_HEADER_METHOD]: method,
          [constants.HTTP2_HEADER_PATH]: path,
        }),
      notifyResponseByteRead: () => undefined,
    },
  });
  const packets = createClient(Carriage, transport).carry(link.packets())[Symbol.asyncIterator]();
  try {
    // Empty, and sent as soon as we are accepted. A refusal by certificate comes here: TLS 1.3 tells it after our own handshake.
    const first = await packets.next();
    if (first.done === true) throw new ClusterError('CHANNEL_CLOSED');
  } catch (error) {
    link.end(ClusterError.of(error));
    throw error;
  }
  void link.pump(rest(packets)).finally(() => session.close());
  shared.opened(link, { dialled: true, proved, group: groupOf(session.socket as TLSSocket) });
  return link;
}

async function* rest(packets: AsyncIterator<Packet>): AsyncGenerator<Packet> {
  for (let next = await packets.next(); next.done !== true; next = await packets.next()) yield next.value;
}
