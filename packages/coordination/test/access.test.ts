/** TLS with an authority of our own, and a user who may do no more than docs/operations.md says. */
import { redisCoordination, type Tls } from '@veilcast/coordination/redis';
import type { Clock } from '@veilcast/protocol';
import { seededRandom } from '@veilcast/testkit';
import { freePort, startRedis, until, type RedisServer } from '@veilcast/testkit/redis';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { skewedClock } from './subject.ts';

const RIGHTS = '-@all +@read +@write +@scripting +@pubsub +@connection -@dangerous +time +role';
const clock: Clock = skewedClock(0);

let dir: string;
let server: RedisServer;
let ca: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'veilcast-tls-'));
  const [key, cert] = [join(dir, 'key'), join(dir, 'cert')];
  const subject = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  await promisify(execFile)('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject]);
  ca = await readFile(cert, 'utf8');
  const port = await freePort();
  const tls = { 'tls-port': `${port}`, 'tls-cert-file': cert, 'tls-key-file': key, 'tls-ca-cert-file': cert };
  server = await startRedis({
    port,
    file: ['user default off', `user veilcast on >hush ~veilcast:* &veilcast:* ${RIGHTS}`],
    settings: { port: '0', 'tls-auth-clients': 'no', ...tls },
  });
});
afterAll(async () => {
  await server.close();
  await rm(dir, { recursive: true });
});

function open(tls: Tls | undefined, password: string) {
  const reports: string[] = [];
  const credentials = { username: 'veilcast', password };
  const view = redisCoordination({
    place: { kind: 'redis', address: server, credentials, ...(tls === undefined ? {} : { tls }) },
    clock,
    random: seededRandom(1),
    report: (error) => reports.push(String(error)),
  });
  return { view, reports };
}

test('with the right authority and password everything is allowed that is done', async () => {
  const { view, reports } = open({ ca }, 'hush');
  await until(() => view.reachable());
  let seen = 0;
  let heard = 0;
  view.directory.watch('process/', (entries) => (seen = entries.length));
  view.bus.subscribe('topic', () => (heard += 1));
  const entry = await view.directory.put('process/a', '1', 60_000);
  await until(() => seen === 1);
  await until(async () => {
    await view.bus.publish('topic', Uint8Array.of(1));
    return heard > 0;
  });
  expect(await view.directory.remove(entry)).toBe(true);
  const lease = { key: 'room/a', owner: 'a', term: 1, expiresAt: 0 };
  expect(await view.leases.renew(lease, 60_000)).toBe(true);
  expect(await view.leases.acquire('room/a', 'b', 1_000)).toMatchObject({ kind: 'refused' });
  expect(await view.leases.release(lease)).toBe(true);
  expect(await view.leases.read('room/a')).toBeUndefined();
  expect(reports).toEqual([]);
  await view.close();
});

test.each([
  ['another authority', {}, 'hush'],
  ['no TLS', undefined, 'hush'],
  ['another password', 'ours', 'wrong'],
] as const)('%s: not let in', async (_, tls, password) => {
  const { view, reports } = open(tls === 'ours' ? { ca } : tls, password);
  await until(() => reports.length > 0);
  expect(view.reachable()).toBe(false);
  await expect(view.leases.read('room/a')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  expect(reports.join()).not.toMatch(/hush|wrong|127\.0/);
  await view.close();
});
