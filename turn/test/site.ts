/** A TURN server with the real coturn on loopback, and what tests need beside it. */
import { once } from 'node:events';
import { createHmac, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { memoryCarrier } from '@veilcast/control';
import { memoryCoordination, MemoryStore, type Directory } from '@veilcast/coordination';
import { createLogger, createMetrics, freePorts, systemClock, systemRandom } from '@veilcast/node-kit';
import { startTurn, type TurnConfigInput, type TurnServer } from '@veilcast/turn';
import type { Address, Credential } from '@veilcast/turn/client';

const HOST = '127.0.0.1';
/** Where the cluster's media is said to be: what relays there reaches the echo. */
export const MEDIA = '127.0.0.3';

export interface Site {
  readonly server: TurnServer;
  readonly directory: Directory;
  readonly plain: Address;
  readonly tls: Address;
  readonly files: { readonly secrets: string; readonly cert: string; readonly key: string };
  /** Sends back what it is sent. */
  readonly echo: Address;
  /** As signaling would give it. */
  credential(id?: string, options?: { readonly secret?: string; readonly ttlMs?: number }): Credential;
  /** A figure of its metrics by name and further labels, 0 where there is none yet. */
  figure(name: string, labels?: string): Promise<number>;
  /** PEM, of what TLS shows now. */
  certificate(): Promise<string>;
  newCertificate(name: string): Promise<void>;
  close(): Promise<void>;
}

export const newSecret = (): string => randomBytes(24).toString('base64url');

export async function openSite(extra: Partial<TurnConfigInput> = {}): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-turn-test-'));
  const files = { secrets: join(folder, 'secrets'), cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  const first = newSecret();
  await writeFile(files.secrets, `${first}\n`);
  const newCertificate = (name: string) => certificate(files, name);
  await newCertificate('first');
  const [plain = 0, tls = 0] = await freePorts(2);
  const coordination = memoryCoordination(new MemoryStore(systemClock));
  const metrics = createMetrics({ service: 'turn' });
  const echo = createSocket('udp4');
  echo.on('message', (bytes, from) => echo.send(bytes, from.port, from.address));
  echo.bind(0, MEDIA);
  await once(echo, 'listening');
  const server = await startTurn({
    context: {
      carrier: memoryCarrier(),
      coordination,
      clock: systemClock,
      random: systemRandom,
      log: createLogger({ service: 'turn', level: 'silent' }),
      metrics,
    },
    config: {
      turnId: 'turn-1',
      region: 'eu',
      listen: [HOST],
      ports: { plain, tls },
      tls: { certFile: files.cert, keyFile: files.key },
      secretFile: files.secrets,
      peers: { media: [MEDIA] },
      ...extra,
    },
  });
  return {
    server,
    directory: coordination.directory,
    plain: { ip: HOST, port: plain },
    tls: { ip: HOST, port: tls },
    files,
    echo: { ip: MEDIA, port: echo.address().port },
    credential: (id = newSecret(), { secret = first, ttlMs = 300_000 } = {}) => {
      const username = `${Math.floor((Date.now() + ttlMs) / 1_000)}:${id}`;
      return { username, credential: createHmac('sha1', secret).update(username).digest('base64') };
    },
    figure: async (name, labels = '') => {
      const text = await metrics.metrics();
      const line = text.split('\n').find((each) => each.startsWith(`veilcast_turn_${name}{`) && each.includes(labels));
      return Number(line?.split(' ').at(-1) ?? 0);
    },
    certificate: () => readFile(files.cert, 'utf8'),
    newCertificate,
    close: async () => {
      echo.close();
      await server.close();
      await coordination.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function certificate({ cert, key }: Site['files'], name: string): Promise<void> {
  const made = ['-keyout', `${key}.new`, '-out', `${cert}.new`, '-days', '2', '-subj', `/CN=${name}`];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, ...made, '-addext', 'subjectAltName=IP:127.0.0.1']);
  for (const path of [key, cert]) await writeFile(path, await readFile(`${path}.new`));
}
