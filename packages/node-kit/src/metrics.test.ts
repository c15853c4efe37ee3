import { Counter } from 'prom-client';
import { expect, test } from 'vitest';
import { createMetrics, openProbes } from './metrics.ts';

test('answers alive, ready and metrics, and nothing else', async () => {
  const metrics = createMetrics({ service: 'sfu-node', ofProcess: true });
  new Counter({ name: 'veilcast_test_total', help: 'A test.', registers: [metrics] }).inc(3);
  let ready = false;
  const probes = await openProbes({ host: '127.0.0.1', port: 0, metrics, ready: () => ready });
  const get = (path: string) => fetch(`http://127.0.0.1:${probes.port}${path}`);
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(503);
  ready = true;
  expect((await get('/readyz')).status).toBe(200);
  const page = await (await get('/metrics')).text();
  expect(page).toContain('veilcast_test_total{service="sfu-node"} 3');
  expect(page).toContain('process_cpu_seconds_total');
  expect((await get('/secret')).status).toBe(404);
  await probes.close();
  await expect(get('/healthz')).rejects.toThrow();
});
