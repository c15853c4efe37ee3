import { X509Certificate } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  dropOldAuthorities,
  filesOf,
  initFolder,
  issueInto,
  readFolder,
  renewFolder,
  revokeIn,
  rotateAuthority,
} from './folder.ts';

const NOW = Date.parse('2026-06-01T00:00:00Z');
const DAY_MS = 86_400_000;
const S1 = { kind: 'signaling', region: 'eu', processId: 's1' } as never as {
  kind: 'signaling';
  region: never;
  processId: string;
};

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'veilcast-ca-')), 'ca');
  await initFolder(folder, { cluster: 'test', now: NOW });
});
afterEach(async () => {
  await rm(join(folder, '..'), { recursive: true });
});

test('keys are for their owner alone', async () => {
  await issueInto(folder, { ...S1, now: NOW });
  for (const file of ['ca.key', 'signaling-s1.key']) expect((await stat(join(folder, file))).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

test('a certificate names its process, lives for a week, may do both sides of TLS and sign nothing', async () => {
  await issueInto(folder, { ...S1, hosts: ['s1.example.org', '10.0.0.1'], now: NOW });
  const leaf = new X509Certificate(await readFile(filesOf(folder, S1).certFile));
  expect(leaf.subjectAltName).toBe('URI:veilcast://test/signaling/eu/s1, DNS:s1.example.org, IP Address:10.0.0.1');
  expect(Date.parse(leaf.validTo) - NOW).toBe(7 * DAY_MS);
  expect(leaf.ca).toBe(false);
  expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1']);
});

test('OpenSSL accepts the chain and the list of revoked ones', async () => {
  await issueInto(folder, { ...S1, now: NOW });
  const { certFile, caFile, crlFile } = filesOf(folder, S1);
  const verify = (): string =>
    execFileSync(
      'openssl',
      [
        'verify',
        '-x509_strict',
        '-attime',
        String(NOW / 1_000),
        '-crl_check_all',
        '-CAfile',
        caFile,
        '-CRLfile',
        crlFile,
        certFile,
      ],
      { encoding: 'utf8', stdio: 'pipe' },
    );
  expect(verify()).toMatch(/: OK$/m);
  await revokeIn(folder, { ...S1, now: NOW });
  expect(verify).toThrow(/certificate revoked/);
});

test('nothing is overwritten without being told to', async () => {
  const before = await readFile(join(folder, 'ca.key'), 'utf8');
  await expect(initFolder(folder, { cluster: 'test', now: NOW })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await issueInto(folder, { ...S1, now: NOW });
  await expect(issueInto(folder, { ...S1, now: NOW })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  expect(await readFile(join(folder, 'ca.key'), 'utf8')).toBe(before);
  await issueInto(folder, { ...S1, now: NOW, replace: true });
  await initFolder(folder, { cluster: 'test', now: NOW, replace: true });
  expect((await readFolder(folder)).issued[0]?.trusted).toBe(false);
});

test('renewal is due in the last third, keeps life and hosts, and spares the revoked', async () => {
  await issueInto(folder, { ...S1, days: 30, hosts: ['a.example'], now: NOW });
  await issueInto(folder, { ...S1, processId: 's2', days: 30, now: NOW });
  await revokeIn(folder, { ...S1, processId: 's2', now: NOW });
  expect(await renewFolder(folder, { now: NOW + 19 * DAY_MS })).toEqual([]);
  const renewed = await renewFolder(folder, { now: NOW + 21 * DAY_MS });
  expect(renewed.map(({ processId }) => processId)).toEqual(['s1']);
  const [s1] = (await readFolder(folder)).issued;
  expect(s1).toMatchObject({ hosts: ['a.example'], notAfter: NOW + 51 * DAY_MS, trusted: true });
});

test('another authority: both are trusted, then the new one alone; what was revoked stays so until then', async () => {
  await issueInto(folder, { ...S1, now: NOW });
  await issueInto(folder, { ...S1, processId: 's2', now: NOW });
  await rotateAuthority(folder, { now: NOW });
  const trusted = async () => (await readFolder(folder)).issued.map((one) => one.trusted);
  expect(await trusted()).toEqual([true, true]);
  await renewFolder(folder, { now: NOW, all: true });
  await issueInto(folder, { ...S1, processId: 's3', now: NOW });
  await dropOldAuthorities(folder);
  expect(await trusted()).toEqual([true, true, true]);
  expect((await readFolder(folder)).authorities).toHaveLength(1);
});

test('a certificate never outlives its authority', async () => {
  await issueInto(folder, { ...S1, days: 1_000, now: NOW });
  const { authorities, issued } = await readFolder(folder);
  expect(issued[0]?.notAfter).toBe(authorities[0]?.notAfter);
});

test.each([
  ['a region', { ...S1, region: 'eu/us' as never }],
  ['an id', { ...S1, processId: '../ca' }],
  ['a kind', { ...S1, kind: 'operator' as never }],
])('%s that is none is refused before anything is written', async (_what, wrong) => {
  await expect(issueInto(folder, { ...wrong, now: NOW })).rejects.toThrow('invalid');
  expect((await readFolder(folder)).issued).toEqual([]);
});
