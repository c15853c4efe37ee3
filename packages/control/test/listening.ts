/** A listening process and strangers that speak with it in bytes, for tests of what it refuses. */
import type { Link } from '@veilcast/control';
import type { Http2Carrier, Refusal } from '@veilcast/control/http2';
import { connect, type ConnectionOptions } from 'node:tls';
import { afterEach } from 'vitest';
import { carrierOf, FAR, freePort } from './processes.ts';

/** What a client of HTTP/2 says first (RFC 9113, 3.4). */
export const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

export interface Listening {
  readonly carrier: Http2Carrier;
  readonly address: string;
  readonly port: number;
  readonly links: Link[];
  readonly refused: Refusal[];
}

/** For one test file: what is closed after each test, and how to open a listener. */
export function listeners() {
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0).toReversed()) await end();
  });
  const listening = async (options: Parameters<typeof carrierOf>[1] = {}): Promise<Listening> => {
    const port = await freePort();
    const address = `127.0.0.1:${port}`;
    const refused: Refusal[] = [];
    const links: Link[] = [];
    const limits = { handshakeMs: 300, dialMs: 2_000, stallMs: 300, lingerMs: 200, ...options.limits };
    const carrier = await carrierOf(FAR, { ...options, limits, onRefused: (why) => refused.push(why) });
    const open = await carrier.listen(address, (link) => links.push(link));
    ends.push(
      () => open.close(),
      () => carrier.close(),
    );
    return { carrier, address, port, links, refused };
  };
  return { ends, listening };
}

/** What the listener answers to these bytes over TLS; undefined: TLS itself failed. */
export async function overTls(
  port: number,
  bytes: string | Uint8Array,
  options: ConnectionOptions,
): Promise<{ answer: string; error: string }> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
  let answer = '';
  let error = '';
  socket.on('secureConnect', () => socket.write(bytes));
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', (thrown: NodeJS.ErrnoException) => (error = thrown.code ?? thrown.message));
  await new Promise((resolve) => socket.once('close', resolve));
  return { answer, error };
}
