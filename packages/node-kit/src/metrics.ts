/** The metrics of a service, and the three pages that every service answers: alive, ready, metrics. */
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Service } from './service.ts';

/** Upper bounds in seconds for waits that people feel; the same everywhere, so that graphs can be laid over each other. */
export const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface MetricsOptions {
  readonly service: string;
  /** Of the process itself: memory, event loop, garbage. Once for a process. */
  readonly ofProcess?: boolean | undefined;
}

/** A registry whose names should begin with `veilcast_`. Labels must have few values: no ids of rooms or peers. */
export function createMetrics(options: MetricsOptions): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service: options.service });
  if (options.ofProcess === true) collectDefaultMetrics({ register: registry });
  return registry;
}

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Answers `/healthz`, `/readyz` and `/metrics`; undefined for any other path. */
export async function probePage(
  path: string,
  service: Pick<Service, 'ready'>,
  metrics: Registry,
): Promise<Page | undefined> {
  const type = 'text/plain; charset=utf-8';
  if (path === '/healthz') return { status: 200, type, text: 'alive\n' };
  if (path === '/readyz')
    return service.ready() ? { status: 200, type, text: 'ready\n' } : { status: 503, type, text: 'not ready\n' };
  if (path === '/metrics') return { status: 200, type: metrics.contentType, text: await metrics.metrics() };
  return undefined;
}

/** What browsers measure the round trip to a node with, from any page: nothing is told and nothing is kept. */
export const PROBE_HEADERS = { 'access-control-allow-origin': '*', 'cache-control': 'no-store' };

/** Serves these pages, and `/probe`, for a service that has no HTTP server of its own. */
export async function openProbes(
  options: { readonly host: string; readonly port: number; readonly metrics: Registry } & Pick<Service, 'ready'>,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '';
    if (path === '/probe') {
      response.writeHead(204, PROBE_HEADERS).end();
      return;
    }
    void probePage(path, options, options.metrics)
      .catch((): Page => ({ status: 500, type: 'text/plain', text: 'failed\n' }))
      .then((page) => {
        response.writeHead(page?.status ?? 404, { 'content-type': page?.type ?? 'text/plain' });
        response.end(request.method === 'HEAD' ? undefined : (page?.text ?? 'no such page\n'));
      });
  });
  server.requestTimeout = 5_000;
  server.maxConnections = 100;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
