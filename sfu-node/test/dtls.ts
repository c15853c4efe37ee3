/**
 * A WebRTC client as far as DTLS-SRTP goes: one ICE check (RFC 8445), then OpenSSL's own DTLS client through the same socket.
 * Shows which SRTP suite a client is given, and what the node says of a client that comes and goes.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHmac, randomBytes, X509Certificate } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { until } from './cluster.ts';

/** The client's certificate, in a folder of its own. */
export function certificate() {
  const folder = mkdtempSync(join(tmpdir(), 'dtls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const made = spawnSync('openssl', [
    'req',
    '-x509',
    ...curve,
    '-nodes',
    '-subj',
    '/CN=t',
    '-keyout',
    key,
    '-out',
    cert,
  ]);
  if (made.status !== 0) throw new Error(`openssl: ${String(made.error ?? made.stderr)}`);
  const value = new X509Certificate(readFileSync(cert)).fingerprint256;
  return { key, cert, fingerprint: { algorithm: 'sha-256', value }, remove: () => rmSync(folder, { recursive: true }) };
}

/** Bytes; the kernel gives less where it may not give as much. */
const RECEIVE_BUFFER = 1 << 20;

/** What OpenSSL prints once it is connected. */
const CHOSEN = /SRTP Extension negotiated, profile=(\S+)/;

interface Transport {
  readonly iceParameters: { usernameFragment: string; password: string };
  readonly iceCandidates: { ip: string; port: number; protocol: string }[];
}

/**
 * Opens a DTLS connection to a WebRTC transport. `profiles`: SRTP suites offered, in OpenSSL's words, in this order. `media` is told of
 * each SRTP packet, and of the socket that it came to.
 */
export async function dtlsClient(
  transport: Transport,
  keys: { key: string; cert: string },
  profiles: readonly string[],
  media: (packet: Buffer, socket: Socket) => void = () => undefined,
) {
  const candidate = transport.iceCandidates.find(({ protocol }) => protocol === 'udp')!;
  const near = await bound();
  const sockets: Socket[] = [];
  let client: { port: number } | undefined;
  const nominate = async (): Promise<Socket> => {
    const socket = await bound();
    sockets.push(socket);
    let answered = false;
    socket.on('message', (packet) => {
      if (packet[0]! < 4) answered = true;
      else if (packet[0]! >= 128) media(packet, socket);
      else if (client) near.send(packet, client.port, '127.0.0.1');
    });
    const ask = () => socket.send(bindingRequest(transport.iceParameters), candidate.port, candidate.ip);
    ask();
    const again = setInterval(ask, 100);
    await until(() => answered, 'the ICE answer').finally(() => clearInterval(again));
    return socket;
  };
  let ice = await nominate();
  const check = setInterval(
    () => ice.send(bindingRequest(transport.iceParameters), candidate.port, candidate.ip),
    1_000,
  );
  near.on('message', (packet, from) => {
    client = from;
    ice.send(packet, candidate.port, candidate.ip);
  });
  const to = `127.0.0.1:${near.address().port}`;
  const offer = ['-use_srtp', profiles.join(':')];
  const child = spawn('openssl', [
    's_client',
    '-dtls1_2',
    '-connect',
    to,
    '-cert',
    keys.cert,
    '-key',
    keys.key,
    ...offer,
  ]);
  let said = '';
  child.stdout.on('data', (text: Buffer) => (said += text.toString()));
  return {
    /** The suite that the node chose. */
    profile: async () => {
      await until(() => CHOSEN.test(said), 'DTLS');
      return CHOSEN.exec(said)![1];
    },
    /** Goes on from another address, as a phone does that leaves the house; the old one still listens. */
    move: async () => {
      ice = await nominate();
    },
    /** Says goodbye, as a browser does that closes its connection. */
    leave: async () => {
      if (child.exitCode === null) {
        child.stdin.end('Q\n');
        await once(child, 'exit');
      }
      clearInterval(check);
      for (const socket of sockets) socket.close();
      near.close();
    },
  };
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BUFFER });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

/** RFC 8489 with USE-CANDIDATE: the nomination of a controlling agent. */
function bindingRequest({ usernameFragment, password }: Transport['iceParameters']): Buffer {
  const head = Buffer.concat([Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), randomBytes(12)]);
  let message = Buffer.concat([
    head,
    attribute(0x0006, Buffer.from(`${usernameFragment}:test`)),
    attribute(0x0024, Buffer.from([0x6e, 0x7f, 0x1e, 0xff])),
    attribute(0x802a, randomBytes(8)),
    attribute(0x0025, Buffer.alloc(0)),
  ]);
  message.writeUInt16BE(message.length - 20 + 24, 2);
  message = Buffer.concat([message, attribute(0x0008, createHmac('sha1', password).update(message).digest())]);
  message.writeUInt16BE(message.length - 20 + 8, 2);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE((crc32(message) ^ 0x5354554e) >>> 0);
  return Buffer.concat([message, attribute(0x8028, crc)]);
}

function attribute(type: number, value: Buffer): Buffer {
  const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
  padded.writeUInt16BE(type, 0);
  padded.writeUInt16BE(value.length, 2);
  value.copy(padded, 4);
  return padded;
}
