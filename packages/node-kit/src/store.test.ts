import { expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError, loadConfig } from './config.ts';
import { createLogger } from './log.ts';
import { createMetrics } from './metrics.ts';
import { openStore, StoreConfig } from './store.ts';
import { systemClock, systemRandom } from './system.ts';

const schema = z.strictObject({ store: StoreConfig.prefault({}) });

function load(env: Record<string, string> = {}, toml = '') {
  const files: Record<string, string> = { 'a.toml': toml, pass: 'hush\n' };
  return loadConfig(schema, {
    argv: toml === '' ? [] : ['--config', 'a.toml'],
    env,
    envPrefix: 'VEILCAST_',
    readFile: (path) => files[path] ?? '',
  });
}

test('in memory, unless it says otherwise', () => {
  expect(load().config.store).toMatchObject({ kind: 'memory', addresses: [], keyPrefix: 'veilcast' });
});

test('a Redis behind sentinels, with its password from a file, which is never printed', () => {
  const env = {
    VEILCAST_STORE_KIND: 'sentinel',
    VEILCAST_STORE_ADDRESSES: 'a.example:26379, [::1]:26379',
    VEILCAST_STORE_PASSWORD_FILE: 'pass',
  };
  const { config, text } = load(env);
  expect(config.store).toMatchObject({ kind: 'sentinel', addresses: ['a.example:26379', '[::1]:26379'] });
  expect(config.store.password).toBe('hush');
  expect(text).not.toContain('hush');
});

test.each([
  ['a password in the open', {}, '[store]\nkind = "redis"\naddresses = ["a:1"]\npassword = "hush"\n'],
  ['a URL', { VEILCAST_STORE_KIND: 'redis', VEILCAST_STORE_ADDRESSES: 'redis://u:p@a:1' }, ''],
  ['no address', { VEILCAST_STORE_KIND: 'cluster' }, ''],
  ['two addresses of one Redis', { VEILCAST_STORE_KIND: 'redis', VEILCAST_STORE_ADDRESSES: 'a:1,b:1' }, ''],
  ['an address of nothing', { VEILCAST_STORE_ADDRESSES: 'a:1' }, ''],
  ['a kind that is none', { VEILCAST_STORE_KIND: 'etcd' }, ''],
])('refuses %s', (_, env, toml) => {
  expect(() => load(env, toml)).toThrow(ConfigError);
});

test('what is opened counts, under no name of anybody', async () => {
  const metrics = createMetrics({ service: 'test' });
  const log = createLogger({ service: 'test', level: 'silent' });
  const options = { clock: systemClock, random: systemRandom, log, metrics };
  const away = await openStore({
    ...options,
    config: StoreConfig.parse({ kind: 'redis', addresses: ['127.0.0.1:1'] }),
  });
  await expect(away.leases.acquire('room/secret', 'me', 1_000)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  const text = await metrics.metrics();
  expect(text).toContain(
    'veilcast_store_failures_total{operation="acquire",code="STORE_UNAVAILABLE",service="test"} 1',
  );
  expect(text).toMatch(/veilcast_store_reachable\{service="test"\} 0/);
  expect(text).not.toContain('secret');
  await away.close();
  const metricsOfMemory = createMetrics({ service: 'test' });
  const memory = await openStore({ ...options, metrics: metricsOfMemory, config: StoreConfig.parse({}) });
  expect(memory.reachable()).toBe(true);
  expect(await metricsOfMemory.metrics()).toMatch(/veilcast_store_reachable\{service="test"\} 1/);
  await memory.close();
});
