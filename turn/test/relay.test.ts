/** The real coturn under its keeper: who gets in, what is relayed and where to, and what may change while it runs. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { registrationPrefix } from '@veilcast/control';
import { errorCode, TurnClient, type TurnError, type WireKind } from '@veilcast/turn/client';
import { newSecret, openSite, type Site } from './site.ts';

const WAIT = { timeout: 20_000, interval: 50 };

let site: Site;
const clients: TurnClient[] = [];

beforeAll(async () => {
  site = await openSite({ quotas: { perPeer: 3, total: 400 } });
  await vi.waitUntil(() => site.server.ready(), WAIT);
});

afterAll(async () => {
  for (const client of clients) client.close();
  await site.close();
});

async function open(kind: WireKind = 'udp'): Promise<TurnClient> {
  const client = await TurnClient.open(kind, kind === 'tls' ? site.tls : site.plain, { ca: await site.certificate() });
  clients.push(client);
  return client;
}

/** What comes back of a packet that is relayed to the echo. */
async function echoed(client: TurnClient, text: string): Promise<string> {
  let heard = '';
  client.onRelayed = ({ bytes }) => (heard = bytes.toString());
  await expect
    .poll(() => {
      client.sendTo(site.echo, Buffer.from(text));
      return heard;
    }, WAIT)
    .toBe(text);
  return heard;
}

async function relaying(kind: WireKind, credential = site.credential()): Promise<TurnClient> {
  const client = await open(kind);
  await client.allocate(credential);
  await client.permit(site.echo);
  await echoed(client, 'first');
  return client;
}

const codeOf = (thrown: unknown): number => (thrown as TurnError).code;
const refusal = (work: Promise<unknown>): Promise<number | 'none'> => work.then(() => 'none' as const, codeOf);

describe('a TURN server', () => {
  it.each(['udp', 'tcp', 'tls'] as const)('relays both ways by %s, to the media of the cluster', async (kind) => {
    const client = await relaying(kind);
    const channel = await client.bindChannel(site.echo);
    let heard = '';
    client.onRelayed = ({ bytes }) => (heard = bytes.toString());
    await expect
      .poll(() => {
        client.sendOn(channel, Buffer.from('by channel'));
        return heard;
      }, WAIT)
      .toBe('by channel');
    client.close();
  });

  it('tells by STUN how we look from there, without a credential', async () => {
    expect(await (await open()).bind()).toMatchObject({ ip: '127.0.0.1' });
  });

  it('is in the Directory while it takes allocations, with what clients need', async () => {
    const [entry] = await site.directory.list(registrationPrefix('turn'));
    expect(JSON.parse(entry?.value ?? '{}')).toMatchObject({ region: 'eu', iceUrls: site.server.iceUrls });
    expect(site.server.iceUrls).toEqual([
      `stun:127.0.0.1:${site.plain.port}`,
      `turn:127.0.0.1:${site.plain.port}?transport=udp`,
      `turn:127.0.0.1:${site.plain.port}?transport=tcp`,
      `turns:127.0.0.1:${site.tls.port}?transport=tcp`,
    ]);
  });
});

describe('a credential', () => {
  it.each([
    ['of another secret', 'credential', () => site.credential('ada', { secret: newSecret() })],
    ['that has ended', 'expired', () => site.credential('ada', { ttlMs: -1_000 })],
    ['made longer by hand', 'credential', () => later(site.credential('ada'))],
    ['of ours under the name of another', 'credential', () => renamed(site.credential('ada'))],
  ] as const)('%s is refused and counted', async (_what, reason, make) => {
    const before = await site.figure('refused_total', `reason="${reason}"`);
    expect(await refusal((await open()).allocate(make()))).toBe(401);
    await expect.poll(() => site.figure('refused_total', `reason="${reason}"`), WAIT).toBe(before + 1);
  });

  it('in a request that somebody recorded is no use from another socket', async () => {
    const credential = site.credential();
    const victim = await open();
    await victim.allocate(credential);
    const before = await site.figure('refused_total', 'reason="nonce"');
    const answer = await (await open()).sendRaw(victim.lastSent);
    expect([answer.class, errorCode(answer)]).toEqual(['error', 438]);
    await expect.poll(() => site.figure('refused_total', 'reason="nonce"'), WAIT).toBe(before + 1);
  });

  it('is good for as many allocations as one Peer needs, over all its renewals', async () => {
    const id = newSecret();
    for (let count = 0; count < 3; count++)
      await (await open()).allocate(site.credential(id, { ttlMs: 300_000 + count * 10_000 }));
    expect(await refusal((await open()).allocate(site.credential(id)))).toBe(486);
    expect(await refusal((await open()).allocate(site.credential()))).toBe('none');
    await expect.poll(() => site.figure('refused_total', 'reason="quota"'), WAIT).toBe(1);
  });
});

describe('nothing is relayed', () => {
  it.each([
    '127.0.0.1',
    '127.0.0.2',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '172.16.0.1',
    '192.168.1.1',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '::ffff:169.254.169.254',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fd00:ec2::254',
    'fe80::1',
  ])('to %s', async (ip) => {
    const client = await open();
    await client.allocate(site.credential());
    const peer = { ip, port: 80 };
    // 443: a peer of the other family can have no permission either.
    const refused = ip.includes(':') ? [403, 443] : [403];
    expect(refused).toContain(await refusal(client.permit(peer)));
    expect(refused).toContain(await refusal(client.bindChannel(peer)));
    client.close();
  });

  it('and such tries are counted', async () => {
    expect(await site.figure('refused_total', 'reason="peer"')).toBeGreaterThanOrEqual(20);
  });
});

describe('while it runs', () => {
  it('a secret is exchanged for another without a drop, and both are good in between', async () => {
    const [old = ''] = (await readFile(site.files.secrets, 'utf8')).trim().split('\n');
    const next = newSecret();
    const going = await relaying('udp');
    await writeFile(site.files.secrets, `${next}\n${old}\n`);
    await expect
      .poll(async () => refusal((await open()).allocate(site.credential(newSecret(), { secret: next }))), WAIT)
      .toBe('none');
    expect(await refusal((await open()).allocate(site.credential()))).toBe('none');
    await writeFile(site.files.secrets, `${next}\n`);
    await expect.poll(async () => refusal((await open()).allocate(site.credential())), WAIT).toBe(401);
    // Who is in stays in: what it has was given under a secret that held then.
    expect(await refusal(going.refresh(600))).toBe('none');
    await echoed(going, 'after the change');
    await writeFile(site.files.secrets, `${old}\n`);
    await expect.poll(async () => refusal((await open()).allocate(site.credential())), WAIT).toBe('none');
  });

  it('a certificate is exchanged for another without a drop', async () => {
    const going = await relaying('tls');
    expect(await commonName()).toBe('first');
    await site.newCertificate('second');
    await expect.poll(commonName, WAIT).toBe('second');
    await echoed(going, 'after the change');
    going.close();
  });

  it('all that it relays is counted', async () => {
    const client = await relaying('udp');
    await client.refresh(0);
    client.close();
    await expect.poll(() => site.figure('bytes_total', 'side="peers",way="to"'), WAIT).toBeGreaterThan(0);
    expect(await site.figure('allocations_total')).toBeGreaterThan(20);
    expect(await site.figure('up')).toBe(1);
  });
});

function later({ username, credential }: ReturnType<Site['credential']>) {
  const [endsAt, id] = username.split(':');
  return { username: `${Number(endsAt) + 3_600}:${id}`, credential };
}

function renamed({ username, credential }: ReturnType<Site['credential']>) {
  return { username: username.replace('ada', 'eve'), credential };
}

/** Of the certificate that a new connection is shown. */
async function commonName(): Promise<string> {
  const { ip: host, port } = site.tls;
  const socket = connect({ host, port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return String(subject.CN);
}
