/**
 * The laboratory itself: that its NATs map and filter as their names say, that its firewalls stop what they should and nothing
 * else, that its paths are as slow and lossy as they were told to be, and that nothing of it is left behind. What other tests
 * find in it they find because of this.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingForLab, openLab, type Client, type Host, type Lab, type Network } from '@veilcast/testkit/lab';
import { openDatagrams, type Datagrams } from './socket.ts';

const missing = missingForLab();
if (missing !== undefined) console.warn(`the laboratory of networks is not tested: ${missing}`);
/** What does not come is waited for so long. */
const SILENCE_MS = 400;

/** ms that `count` datagrams took there and back, one after the other. */
async function roundTrips(from: Datagrams, to: Host, at: Datagrams, count: number): Promise<number[]> {
  const took: number[] = [];
  for (let turn = 0; turn < count; turn += 1) {
    const text = `t${Math.random()}`;
    const began = performance.now();
    from.send(to.address.v4, at.port, `back ${text}`);
    if (await from.got((one) => one.text === text)) took.push(performance.now() - began);
  }
  return took.toSorted((a, b) => a - b);
}

describe.skipIf(missing !== undefined)('a laboratory of networks', () => {
  let lab: Lab;
  let one: Host;
  let other: Host;
  let client: Client;
  let atOne: Datagrams;
  let alsoAtOne: Datagrams;
  let atOther: Datagrams;

  beforeAll(async () => {
    lab = await openLab();
    const [east, west] = [lab.region('east'), lab.region('west')];
    one = await lab.host('one', east);
    other = await lab.host('other', west);
    client = await lab.client('client', 'open', east);
    [atOne, alsoAtOne, atOther] = await Promise.all(
      [one, one, other].map((host) => openDatagrams(host)) as [
        Promise<Datagrams>,
        Promise<Datagrams>,
        Promise<Datagrams>,
      ],
    );
  });
  afterAll(() => lab?.close());

  /** `same`: one outer port for all destinations; then who may send to it besides who was sent to. */
  const nats: readonly (readonly [Network, same: boolean, otherPort: boolean, stranger: boolean])[] = [
    ['open', true, true, true],
    ['full-cone', true, true, true],
    ['address-restricted', true, true, false],
    ['port-restricted', true, false, false],
    ['symmetric', false, false, false],
    ['carrier', false, false, false],
  ];

  it.each(nats)('%s maps and filters as it should', async (network, same, otherPort, stranger) => {
    await client.become(network);
    const inner = await openDatagrams(client);
    const seenBy = async (far: Host, at: Datagrams): Promise<string> => {
      inner.send(far.address.v4, at.port, 'echo');
      const answer = await inner.got(({ address, text }) => address === far.address.v4 && text.includes('|'));
      expect(answer, `an answer of ${far.name}`).toBeDefined();
      return answer!.text;
    };
    const mapped = await seenBy(one, atOne);
    const [address = '', port = ''] = mapped.split('|');
    expect(address === client.address.v4).toBe(network !== 'open');
    alsoAtOne.send(address, Number(port), 'other-port');
    atOther.send(address, Number(port), 'stranger');
    expect((await inner.got(({ text }) => text === 'other-port', SILENCE_MS)) !== undefined).toBe(otherPort);
    expect((await inner.got(({ text }) => text === 'stranger', SILENCE_MS)) !== undefined).toBe(stranger);
    // A stranger's knock must not have changed it.
    expect((await seenBy(other, atOther)) === mapped).toBe(same);
  });

  it('a client of IPv6 alone reaches hosts by IPv6 alone', async () => {
    await client.become('ipv6-only');
    const [inner, far] = [await openDatagrams(client, 'udp6'), await openDatagrams(other, 'udp6')];
    inner.send(other.address.v6, far.port, 'echo');
    expect(await inner.got(({ port }) => port === far.port)).toBeDefined();
    inner.send(`::ffff:${other.address.v4}`, atOther.port, 'echo');
    expect(await inner.got(({ port }) => port === atOther.port, SILENCE_MS)).toBeUndefined();
  });

  /** What a TCP connection to a server there comes to that says what it was told. */
  async function tcp(port: number, first: string): Promise<string> {
    const script = `const s=require('node:net').connect(${port},'${one.address.v4}',()=>s.write(Buffer.from('${first}','hex')));
      s.on('data',(d)=>{console.log('answered '+d.toString('hex'));process.exit()}).on('error',(e)=>{console.log(e.code);process.exit()});
      setTimeout(()=>{console.log('nothing');process.exit()},${2 * SILENCE_MS})`;
    const child = client.spawn(process.execPath, ['-e', script]);
    const [text] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    return text.trim();
  }

  const TLS = '16030100050100000100';
  const firewalls: readonly (readonly [Network, udp: boolean, at80: string, plain: string, tls: string])[] = [
    ['port-restricted', true, 'answered 00', 'answered 00', `answered ${TLS}`],
    ['no-udp', false, 'answered 00', 'answered 00', `answered ${TLS}`],
    ['tcp-443', false, 'nothing', 'answered 00', `answered ${TLS}`],
    ['tls-443', false, 'nothing', 'ECONNRESET', `answered ${TLS}`],
  ];

  it('its firewalls let through what they should', async () => {
    const script = `for (const port of [80, 443]) require('node:net').createServer((s) => s.on('error', () => {}).pipe(s))
      .listen(port, () => console.log('listens'))`;
    const server = one.spawn(process.execPath, ['-e', script]);
    await once(server.stdout, 'data');
    for (const [network, udp, at80, plain, tls] of firewalls) {
      await client.become(network);
      const inner = await openDatagrams(client);
      inner.send(one.address.v4, atOne.port, 'echo');
      expect((await inner.got(({ port }) => port === atOne.port, SILENCE_MS)) !== undefined, network).toBe(udp);
      expect([network, await tcp(80, '00'), await tcp(443, '00'), await tcp(443, TLS)]).toEqual([
        network,
        at80,
        plain,
        tls,
      ]);
    }
  });

  it('a path is as slow as it was told to be, each way by itself', async () => {
    const before = await roundTrips(atOne, other, atOther, 10);
    const there = await lab.link(lab.region('east'), lab.region('west'));
    await there.set({ delayMs: 60 });
    const slower = await roundTrips(atOne, other, atOther, 10);
    // The fastest, since a busy machine only ever adds.
    expect(slower[0]! - before[0]!).toBeGreaterThan(55);
    expect(slower[0]! - before[0]!).toBeLessThan(90);
    await there.set({});
    expect((await roundTrips(atOne, other, atOther, 10))[0]).toBeLessThan(20);
  });

  it('a path loses the share that it was told to, lets through the rate that it was told, and can be cut one way', async () => {
    const there = await lab.link(lab.region('east'), lab.region('west'));
    const received = async (): Promise<number> => {
      const before = atOther.all.length;
      for (let each = 0; each < 1_000; each += 1) {
        atOne.send(other.address.v4, atOther.port, `loss ${each}`);
        // All at once would be lost in the buffers of sockets.
        if (each % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return atOther.all.slice(before).filter(({ text }) => text.startsWith('loss')).length;
    };
    await there.set({ loss: 0.2 });
    const got = await received();
    expect(got).toBeGreaterThan(740);
    expect(got).toBeLessThan(860);
    // About 36 bytes each with headers: 1,000 take 2.9 s at 100 kb/s, and no more than 300 ms of them wait.
    await there.set({ bitsPerSecond: 100_000, holdMs: 300 });
    expect(await received()).toBeLessThan(600);
    await there.set({ cut: true });
    expect(await received()).toBe(0);
    atOther.send(one.address.v4, atOne.port, 'the-other-way');
    expect(await atOne.got(({ text }) => text === 'the-other-way')).toBeDefined();
    await there.set({});
    expect((await roundTrips(atOne, other, atOther, 1)).length).toBe(1);
  });

  it('what a killed process left is taken down by the next one', async () => {
    const lab = new URL('../../packages/testkit/src/lab/index.ts', import.meta.url).href;
    const script = `const { openLab } = await import('${lab}'); const lab = await openLab(); await lab.host('left');
      console.log('open'); setInterval(() => undefined, 1000)`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    const ofChild = (): string[] =>
      readdirSync('/run/netns').filter((name) => name.startsWith(`veilcast-${child.pid}-`));
    expect(ofChild()).toHaveLength(2);
    child.kill('SIGKILL');
    await once(child, 'exit');
    const next = await openLab();
    await next.close();
    expect(ofChild()).toEqual([]);
  });
});
