/** Who is not let in, and when: before anything is read where there is no certificate, before anything is served otherwise. */
import { issueCertificate, revocationList } from '@veilcast/ca';
import { acceptChannels, connectChannel, type Speaker } from '@veilcast/control';
import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { listeners, overTls, PREFACE } from './listening.ts';
import { authority, carrierOf, clock, credentials, FAR, freePort, identity, NEAR } from './processes.ts';

const { ends, listening } = listeners();

test('without a certificate nothing is read: TLS itself ends it', async () => {
  const { port, links, refused } = await listening();
  const { answer, error } = await overTls(port, PREFACE, { ALPNProtocols: ['h2'] });
  expect(error).toBe('ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  expect(answer).toBe('');
  expect(refused).toEqual(['tls']);
  expect(links).toEqual([]);
});

test.each([
  ['of another authority', async () => credentials(NEAR, { by: await authority() })],
  ['that has expired', () => credentials(NEAR, { now: Date.now() - 8 * 86_400_000 })],
  [
    'of this authority, with the key of another',
    async () => ({ ...(await credentials(NEAR)), key: (await credentials(NEAR)).key }),
  ],
])('a certificate %s is refused', async (_what, make) => {
  const { port, address, links, refused } = await listening();
  const { cert, key } = await make();
  let answer = '';
  try {
    ({ answer } = await overTls(port, PREFACE, { cert, key, ALPNProtocols: ['h2'] }));
  } catch {
    // OpenSSL would not even take the pair.
    refused.push('tls');
  }
  expect(answer).toBe('');
  expect(refused).toEqual(['tls']);
  expect(links).toEqual([]);
  const near = await carrierOf(NEAR);
  await expect(near.dial(address)).resolves.toBeDefined();
  near.close();
});

test('the dialling side learns of the refusal as of a process that is not there', async () => {
  const { address } = await listening();
  const stranger = await carrierOf(NEAR, { with: await credentials(NEAR, { by: await authority() }) });
  await expect(stranger.dial(address)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
});

test('a revoked certificate is refused, others of its authority are not', async () => {
  const by = await authority();
  const [far, revoked, other] = await Promise.all(
    [FAR, NEAR, identity('signaling', 'eu', 'sig-2')].map(async (one) => ({
      ...(await issueCertificate(by, { identity: one, days: 7, now: Date.now() })),
      ca: by.cert,
    })),
  );
  const serial = new X509Certificate(revoked?.cert ?? '').serialNumber;
  const crl = await revocationList(by, [serial], Date.now());
  const { address, refused } = await listening({ with: { ...far, crl } });
  await expect((await carrierOf(NEAR, { with: { ...revoked } })).dial(address)).rejects.toMatchObject({
    code: 'NODE_UNREACHABLE',
  });
  expect(refused).toEqual(['tls']);
  const good = await carrierOf(identity('signaling', 'eu', 'sig-2'), { with: { ...other } });
  await expect(good.dial(address)).resolves.toBeDefined();
  good.close();
});

test.each([
  ['a process of another cluster', { ...NEAR, cluster: 'elsewhere' }],
  ['a kind that there is not', { ...NEAR, kind: 'operator' as never }],
  ['an id with a slash', { ...NEAR, processId: 'sig-1/sfu-node' }],
])('%s of the same authority is cut before its bytes are read', async (_what, wrong) => {
  const { port, links, refused } = await listening();
  const { cert, key } = await credentials(wrong);
  const { answer } = await overTls(port, PREFACE, { cert, key, ALPNProtocols: ['h2'] });
  expect(answer).toBe('');
  expect(refused).toEqual(['identity']);
  expect(links).toEqual([]);
});

const serve = async () => undefined;
const nearSays = { ...hello(NEAR), incarnation: 'one' };
const farSays = { ...hello(FAR), incarnation: 'two' };

function hello({ kind, processId, region }: typeof NEAR) {
  return { kind, processId, region };
}

/** The far process with Channels, saying this of itself. */
async function accepting(says: Speaker = farSays) {
  const carrier = await carrierOf(FAR);
  const address = `127.0.0.1:${await freePort()}`;
  const codes: unknown[] = [];
  const report = (error: unknown): void => void codes.push((error as { code?: string }).code);
  const channels = await acceptChannels({ carrier, address, hello: says, serve, clock, report });
  ends.push(() => channels.close());
  return { address, codes, channels };
}

const LIES = [
  ['kind', { kind: 'cascade-router' }],
  ['id', { processId: 'another' }],
  ['region', { region: 'ap' }],
] as const;

test.each(LIES)('a Hello of another %s than the certificate is refused by the listener', async (_what, lie) => {
  const { address, codes, channels } = await accepting();
  const carrier = await carrierOf(NEAR);
  // It sees a Channel that closes at once, or none.
  const channel = await connectChannel({ carrier, address, hello: { ...nearSays, ...lie }, serve, clock }).catch(
    () => undefined,
  );
  await expect.poll(() => codes[0]).toBe('UNAUTHORIZED');
  await expect.poll(() => channel?.closed ?? true).toBe(true);
  expect(channels.channels()).toEqual([]);
});

test.each(LIES)('a Hello of another %s than the certificate is refused by the dialling side', async (_what, lie) => {
  const { address } = await accepting({ ...farSays, ...lie });
  const carrier = await carrierOf(NEAR);
  await expect(connectChannel({ carrier, address, hello: nearSays, serve, clock })).rejects.toMatchObject({
    code: 'UNAUTHORIZED',
  });
  await expect.poll(() => carrier.links()).toEqual([]);
});

test.each(LIES)(
  'another %s than the directory told is refused, though its certificate is good',
  async (_what, expect_) => {
    const { address } = await accepting();
    const carrier = await carrierOf(NEAR);
    const connecting = connectChannel({ carrier, address, hello: nearSays, serve, clock, expect: expect_ });
    await expect(connecting).rejects.toMatchObject({ code: 'STALE_INCARNATION' });
  },
);

test('each end knows the other by its certificate, over a key exchange that quantum computers do not open', async () => {
  const { address, channels } = await accepting();
  const carrier = await carrierOf(NEAR);
  const { region: _silent, ...says } = nearSays;
  const channel = await connectChannel({ carrier, address, hello: says, serve, clock });
  ends.push(() => channel.close());
  expect(channel.remote).toEqual(farSays);
  await expect.poll(() => channels.channels()[0]?.remote).toEqual(nearSays);
  expect(carrier.links()).toMatchObject([{ identity: FAR, dialled: true, group: 'X25519MLKEM768' }]);
});

test('a certificate for dialling alone is not taken from a listener', async () => {
  const { address } = await listening({ with: await credentials(FAR, { use: 'dials' }) });
  const carrier = await carrierOf(NEAR);
  await expect(carrier.dial(address)).rejects.toMatchObject({ code: 'NODE_UNREACHABLE' });
  expect(carrier.links()).toEqual([]);
});

test.each([
  ['another cluster', { ...FAR, cluster: 'elsewhere' }],
  ['another authority', FAR],
])('a listener of %s is refused by the dialling side', async (what, who) => {
  const wrong = await credentials(who, what === 'another authority' ? { by: await authority() } : {});
  const { address, links } = await listening({ with: wrong });
  const carrier = await carrierOf(NEAR);
  await expect(carrier.dial(address)).rejects.toMatchObject({
    code: what === 'another authority' ? 'NODE_UNREACHABLE' : 'UNAUTHORIZED',
  });
  expect(links).toEqual([]);
});

test.each([
  ['TLS 1.2', { maxVersion: 'TLSv1.2' }],
  ['a key exchange without ML-KEM', { ecdhCurve: 'X25519:P-256' }],
] as const)('%s is not spoken', async (_what, options) => {
  const { port, refused } = await listening();
  const { cert, key } = await credentials(NEAR);
  const { answer, error } = await overTls(port, PREFACE, { cert, key, ALPNProtocols: ['h2'], ...options });
  expect(answer).toBe('');
  expect(error).toMatch(/ALERT/);
  expect(refused).toEqual(['tls']);
});
