import * as fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { registrationKey } from '@veilcast/control';
import { memoryCoordination, MemoryStore } from '@veilcast/coordination';
import { SECRETS_EVERY_MS } from '@veilcast/node-kit';
import { IceServerList, type PeerId, type RegionId } from '@veilcast/protocol';
import { virtualClock } from '@veilcast/testkit';
import { restCredential } from './credential.ts';
import { nearest, type TurnServer } from './nearest.ts';
import { openTurnServers } from './servers.ts';

const SECRET = 'a'.repeat(32);
const ada = 'peer_ada' as PeerId;
const id = (secret: string, peerId: PeerId, endsAt = 0): string =>
  restCredential(secret, peerId, endsAt).username.split(':')[1] ?? '';
const first = (of: readonly TurnServer[], peerId: PeerId) => nearest(of, { peerId, region: 'eu', probes: [] })[0];
const region = (name: string): RegionId => name as RegionId;

describe('a credential', () => {
  it('is what coturn computes, and ends when it says', () => {
    const { username, credential } = restCredential(SECRET, ada, 1_700_000_300_999);
    expect(username).toMatch(/^1700000300:[A-Za-z0-9_-]{16}$/);
    expect(credential).toBe(createHmac('sha1', SECRET).update(username).digest('base64'));
  });

  it('has one id for one Peer, and shows neither it nor any other', () => {
    expect(id(SECRET, ada, 1_000)).toBe(id(SECRET, ada, 900_000));
    const others = [id(SECRET, 'peer_bob' as PeerId), id('b'.repeat(32), ada)];
    expect(others).not.toContain(id(SECRET, ada));
    expect(id(SECRET, ada)).not.toContain('ada');
  });
});

describe('the nearest servers', () => {
  const server = fc.record({
    processId: fc.string({ minLength: 1, maxLength: 8 }),
    region: fc.constantFrom('eu', 'us', 'ap'),
    iceUrls: fc.constant(['turn:x']),
  });
  const servers = fc.uniqueArray(server, { selector: ({ processId }) => processId, maxLength: 12 });
  const probes = [
    { region: region('us'), rttMs: 90 },
    { region: region('ap'), rttMs: 250 },
  ];

  it('are two, of the own region first, then of the nearest one, in whatever order they are known', () => {
    const order = ['eu', 'us', 'ap'];
    fc.assert(
      fc.property(servers, (all) => {
        const told = nearest(all, { peerId: ada, region: 'eu', probes });
        expect(told).toHaveLength(Math.min(2, all.length));
        const best = all.map((one) => order.indexOf(one.region)).sort((a, b) => a - b);
        expect(told.map((one) => order.indexOf(one.region ?? ''))).toEqual(best.slice(0, 2));
        expect(nearest(all.toReversed(), { peerId: ada, region: 'eu', probes })).toEqual(told);
      }),
    );
  });

  it('spread Peers, and move only those whose server went', () => {
    const all: TurnServer[] = [1, 2, 3, 4].map((at) => ({ processId: `t${at}`, region: 'eu', iceUrls: ['turn:x'] }));
    const peers = Array.from({ length: 200 }, (_, at) => `peer_${at}` as PeerId);
    const counts = new Map<string, number>();
    for (const peerId of peers) {
      const id = first(all, peerId)?.processId ?? '';
      counts.set(id, (counts.get(id) ?? 0) + 1);
      const without = all.filter(({ processId }) => processId !== 't1');
      if (id !== 't1') expect(first(without, peerId)?.processId).toBe(id);
    }
    for (const { processId } of all) expect(counts.get(processId)).toBeGreaterThan(20);
  });
});

it('servers are told while they say that they are there, under the secret that signs now', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'veilcast-secrets-'));
  const secretFile = join(folder, 'secrets');
  await writeFile(secretFile, `${SECRET}\n`);
  const clock = virtualClock();
  const { directory } = memoryCoordination(new MemoryStore(clock));
  const turn = await openTurnServers({ secretFile, ttlMs: 300_000, clock, directory, report: () => undefined });
  const ask = () => turn.listFor({ peerId: ada, region: 'eu', probes: [] });
  const put = (name: string, value: object | string) =>
    directory.put(registrationKey('turn', name), typeof value === 'string' ? value : JSON.stringify(value), 3_000);
  const registration = { kind: 'turn', processId: 't1', incarnation: 'i', address: 'a', region: 'eu' };
  try {
    expect(ask()?.servers).toEqual([]);
    await put('t1', { ...registration, iceUrls: ['turn:eu.example:3478?transport=udp'] });
    await put('t2', { ...registration, processId: 't2' });
    await put('t3', 'not JSON');
    await clock.settle();
    const list = IceServerList.parse(ask());
    expect(list.servers.map(({ urls }) => urls)).toEqual([['turn:eu.example:3478?transport=udp']]);
    expect(list.ttlMs).toBe(300_000);
    expect(list.servers[0]).toMatchObject(restCredential(SECRET, ada, clock.now() + 300_000));

    const next = 'b'.repeat(32);
    await writeFile(secretFile, `${next}\n${SECRET}\n`);
    // The file is read by the operating system, whatever the clock says.
    await expect
      .poll(async () => {
        await clock.advance(SECRETS_EVERY_MS);
        await put('t1', { ...registration, iceUrls: ['turn:eu.example:3478?transport=udp'] });
        return ask()?.servers[0]?.credential === restCredential(next, ada, clock.now() + 300_000).credential;
      })
      .toBe(true);
    await clock.advance(3_001);
    expect(ask()?.servers).toEqual([]);
  } finally {
    turn.close();
    await rm(folder, { recursive: true });
  }
  expect(clock.pending()).toBe(0);
  const none = await openTurnServers({ ttlMs: 300_000, clock, directory, report: () => undefined });
  expect(none.listFor({ peerId: ada, region: 'eu', probes: [] })).toBeUndefined();
});
