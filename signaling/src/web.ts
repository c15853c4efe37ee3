/** The HTTP server with the two pages, health, metrics and the regions' probes. Signaling adds its own routes and sockets. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import Fastify, { type FastifyInstance, type RouteHandlerMethod } from 'fastify';
import type { Registry } from 'prom-client';
import { PROBE_HEADERS, probePage } from '@veilcast/node-kit';
import { ClusterError, type RegionId } from '@veilcast/protocol';

export interface WebOptions {
  /** Of the root that signs the servers' manifest: handed to the call page with the page itself. */
  readonly pin: string;
  readonly metrics: Registry;
  readonly regions: readonly RegionId[];
  /** Whether a call can be made now. */
  readonly ready: () => boolean;
  /** Serves HTTPS when given. */
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  /** Origins besides our own that the pages may ask. */
  readonly connect?: readonly string[] | undefined;
}

/** Room for one JSON body of the HTTP routes; media and messages travel on the socket. */
const BODY_LIMIT = 16_384;

/**
 * An idle connection is closed after this long. Longer: a browser that comes back after a silent cut asks over connections
 * that are dead, one after the other. Shorter: a page's few requests each open one.
 */
const KEEP_ALIVE_MS = 2_000;

/** Workers and sockets of our own origin, styles that React sets on elements, nothing from elsewhere. */
const policyOf = (connect: readonly string[]): string =>
  [
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    ["connect-src 'self' ws: wss:", ...connect].join(' '),
    "worker-src 'self' blob:",
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

function built(app: 'call-app' | 'operator-app'): string {
  return fileURLToPath(new URL(`../../packages/${app}/dist/`, import.meta.url));
}

async function pageOf(app: 'call-app' | 'operator-app'): Promise<string> {
  return readFile(`${built(app)}index.html`, 'utf8').catch((cause: unknown) => {
    throw new ClusterError('INTERNAL', `The pages are not built. Run ./veilcast up, or npm run build.`, { cause });
  });
}

function serve(page: string): RouteHandlerMethod {
  return (_request, reply) => reply.type('text/html; charset=utf-8').send(page);
}

/** Makes the server without listening. @throws ClusterError INTERNAL when the pages are not built */
export async function openWeb({
  metrics,
  pin,
  regions,
  ready,
  tls,
  connect = [],
}: WebOptions): Promise<FastifyInstance> {
  const web = Fastify({
    bodyLimit: BODY_LIMIT,
    logger: false,
    forceCloseConnections: true,
    keepAliveTimeout: KEEP_ALIVE_MS,
    ...(tls ? { https: tls } : {}),
  });
  const policy = policyOf(connect);
  const [callPage, operatorPage] = await Promise.all([pageOf('call-app'), pageOf('operator-app')]);

  web.addHook('onSend', async (_request, reply) => {
    void reply.headers({
      'content-security-policy': policy,
      'cross-origin-opener-policy': 'same-origin',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    });
  });
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    web.get(path, async (_request, reply) => {
      const page = await probePage(path, { ready }, metrics);
      return page ? reply.code(page.status).type(page.type).send(page.text) : reply.callNotFound();
    });
  }
  for (const region of regions) {
    // From any page: one whose process has gone goes on by another, of another origin.
    web.get(`/probe/${region}`, (_request, reply) => reply.headers(PROBE_HEADERS).code(204).send());
  }

  const pinned = callPage.replace('<head>', `<head><meta name="veilcast-pin" content="${pin}" />`);
  for (const path of ['/', '/check', '/r/:room']) web.get(path, serve(pinned));
  for (const path of ['/operator', '/operator/*']) web.get(path, serve(operatorPage));
  // The ordinary answer repeats the path, and people put tokens into paths.
  web.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain; charset=utf-8').send('not found\n'));
  const assets = { index: false, immutable: true, maxAge: '1y' } as const;
  await web.register(fastifyStatic, { ...assets, root: `${built('call-app')}assets`, prefix: '/assets/' });
  await web.register(fastifyStatic, {
    ...assets,
    root: `${built('operator-app')}assets`,
    prefix: '/operator/assets/',
    decorateReply: false,
  });
  return web;
}
