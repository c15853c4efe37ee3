/** The built page, a made-up cluster that sends pictures over a real socket, and a Chromium to look at it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OPERATOR_NAMESPACE, type Picture } from '@veilcast/protocol';
import { Server as SocketServer } from 'socket.io';
import { build } from 'vite';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

export interface Site {
  readonly url: string;
  /** What is sent ten times a second from now on; nothing when undefined. */
  show(picture: (() => unknown) | undefined): void;
  /** Ends every connection and takes no new one until shown again. */
  cut(): void;
  close(): Promise<void>;
}

export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-operator-'));
  await build({ root: ROOT, logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } });
  const server = createServer((request, response) => {
    // The operator's key is any.
    if (request.method === 'POST') {
      const known = request.headers.authorization !== undefined;
      const answer = known ? { revoked: 2 } : { error: { code: 'UNAUTHORIZED' } };
      response.writeHead(known ? 200 : 401, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
      return;
    }
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.replace(/^\/operator/, '');
    const file = join(folder, extname(path) === '' ? 'index.html' : normalize(path));
    readFile(file).then(
      (body) => response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream').end(body),
      () => response.writeHead(404).end(),
    );
  });
  let picture: (() => unknown) | undefined;
  let open = true;
  const sockets = new SocketServer(server, {
    transports: ['websocket'],
    allowRequest: (_, answer) => answer(undefined, open),
  });
  const operators = sockets.of(OPERATOR_NAMESPACE);
  const timer = setInterval(() => picture && operators.emit('picture', picture()), 100);
  const url = await listen(server);
  return {
    url,
    show: (next) => {
      open = true;
      picture = next;
    },
    cut: () => {
      open = false;
      operators.disconnectSockets(true);
    },
    close: async () => {
      clearInterval(timer);
      await sockets.close();
      server.closeAllConnections();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`);
    });
  });
}

/** A cluster of some regions with two nodes each and a room that spans them all; its figures wander with the time. */
export function madeUp(regions: readonly string[]): Picture {
  const at = Date.now();
  const wave = (offset: number): number => 0.5 + 0.5 * Math.sin(at / 1_700 + offset);
  const nodes = regions.flatMap((region, r) =>
    [1, 2].map((n): Picture['nodes'][number] => ({
      nodeId: `${region}-${n}`,
      region,
      state: r === 1 && n === 2 ? 'draining' : 'healthy',
      incarnation: `0192f3a8-7c1e-7b52-${r}${n}`,
      upSince: at - 5_400_000 * (r + n),
      workers: [1, 2, 3].map((w) => ({
        workerId: `${region}-${n}/${w}`,
        cpu: r === 0 && n === 1 && w === 2 ? 0.87 : 0.15 + 0.3 * wave(r + n + w),
        routers: 4,
        transports: 40 + w,
        producers: 18,
        consumers: 210 + w,
        reserved: 0.3 + 0.1 * w,
      })),
    })),
  );
  const [first = 'eu', ...rest] = regions;
  const pipes = rest.flatMap((region, r) =>
    [
      [`${first}-1`, `${region}-1`],
      [`${region}-1`, `${first}-1`],
    ].map(([from = '', to = ''], way): Picture['pipes'][number] => ({
      pipeId: `${from}/1>${to}/1`,
      roomId: 'demo',
      fromNode: from,
      toNode: to,
      fromWorker: `${from}/1`,
      toWorker: `${to}/1`,
      producers: 6,
      packetsPerSecond: Math.round(820 * (1 + r) * (1 + 0.2 * wave(r + way))),
      bitsPerSecond: Math.round(6_400_000 * (1 + r)),
      rttMs: 78 + 66 * r + 4 * wave(way),
      lossRatio: r === 1 && way === 0 ? 0.034 : 0,
    })),
  );
  return {
    at,
    cluster: 'dev',
    state: 'degraded',
    nodes,
    pipes,
    rooms: [
      {
        roomId: 'demo',
        term: 3,
        planTerm: 2,
        plan: ['router eu-1/0 in eu: origin'],
        peers: 41,
        waiting: 1,
        epoch: 57,
        members: 41,
        locked: true,
        regions: [...regions],
        routers: regions.map((region, r) => ({
          workerId: `${region}-1/1`,
          nodeId: `${region}-1`,
          role: r === 0 ? 'origin' : 'edge',
        })),
      },
      {
        roomId: 'calm-orchard-4417',
        term: 1,
        planTerm: 1,
        plan: [],
        peers: 2,
        waiting: 0,
        epoch: 2,
        members: 2,
        locked: false,
        regions: [first],
        routers: [],
      },
    ],
    signaling: [{ processId: 'signaling-1', sockets: 44, rooms: 2 }],
  };
}

/** A cluster that has just begun. */
export function quiet(): Picture {
  const all = madeUp(['eu', 'us']);
  const nodes = all.nodes
    .filter(({ nodeId }) => nodeId.endsWith('-1'))
    .map((node) => ({ ...node, workers: node.workers.slice(0, 1).map((worker) => ({ ...worker, cpu: 0.01 })) }));
  return { ...all, state: 'ready', nodes, pipes: [], rooms: [] };
}
