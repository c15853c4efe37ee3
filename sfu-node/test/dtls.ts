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

/** What OpenSSL prints once it is connected. */
const CHOSEN = /SRTP Extension negotiated, profile=(\S+)/;

interface Transport {
  readonly iceParameters: { usernameFragment: string; password: string };
  readonly iceCandidates: { ip: string; port: number; protocol: string }[];
}

/** Opens a DTLS connection to a WebRTC transport. `profiles`: SRTP suites offered, in OpenSSL's words, in this order. */
export async function dtlsClient(
  transport: Transport,
  keys: { key: string; cert: string },
  profiles: readonly string[],
) {
  const candidate = transport.iceCandidates.find(({ protocol }) => protocol === 'udp')!;
  const ice = await bound();
  const near = await bound();
  const check = setInterval(() => ice.send(bindingRequest(transport.iceParameters), candidate.port, candidate.ip), 100);
  let answered = false;
  let client: { port: number } | undefined;
  ice.on('message', (packet) => {
    if (packet[0]! < 4) answered = true;
    else if (client) near.send(packet, client.port, '127.0.0.1');
  });
  near.on('message', (packet, from) => {
    client = from;
    ice.send(packet, candidate.port, candidate.ip);
  });
  await until(() => answered, 'the ICE answer');
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
    /** Says goodbye, as a browser does that closes its connection. */
    leave: async () => {
      if (child.exitCode === null) {
        child.stdin.end('Q\n');
        await once(child, 'exit');
      }
      clearInterval(check);
      ice.close();
      near.close();
    },
  };
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
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
