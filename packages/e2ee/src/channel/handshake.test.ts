/** The handshake as it should be, and each way in which it must not be. */
import { beforeAll, describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes.ts';
import { nobleKeyEncapsulation, nobleSignatures } from '../pq/noble.ts';
import { encodeJson, hex } from './bytes.ts';
import { ClientHandshake } from './client-handshake.ts';
import { CONTEXT_CLIENT, KIND, M1_MAX, M2_MAX, M3_MAX } from './constants.ts';
import { Schedule } from './schedule.ts';
import { codeOf, flipped, openWorld, seedOf, shake, steadyKey, type Session, type World } from './session.fixture.ts';

let world: World;
let session: Session;
beforeAll(async () => {
  world = await openWorld('handshake');
  session = await shake(world);
});

/** Both sides up to the named message. */
async function upTo(here: World = world) {
  const client = here.client();
  const server = here.server();
  const m1 = await client.start();
  return { client, server, m1, greet: () => server.greet(m1) };
}

describe('the handshake', () => {
  it('gives both sides the same secrets, and the server the device', () => {
    const { secrets, presented, m1, m2, m3 } = session;
    expect(presented.secrets).toEqual(secrets);
    expect(new Set(Object.values(secrets).map(hex)).size).toBe(6);
    expect(presented.resumed).toBe(false);
    expect(presented.devicePublicKey).toEqual(world.device.publicKey);
    expect([m1.length, m2.length, m3.length]).toEqual([2425, 1225, 5278]);
  });

  it('gives others each time', async () => {
    expect((await shake(world)).secrets.c2s).not.toEqual(session.secrets.c2s);
  });
});

describe('the server refuses', () => {
  it('m1 with any field changed', async () => {
    const { m1 } = await upTo();
    for (const at of [0, 1, 1216, 1217, 2304, 2305, 2336, 2337, -17, -1]) {
      expect([at, await codeOf(() => world.server().greet(flipped(m1, at)))]).toEqual([at, 'HANDSHAKE_FAILED']);
    }
  });

  it('m1 of any other length', async () => {
    const { m1 } = await upTo();
    for (const length of [0, 1, 1217, 2337, 2352, m1.length - 1]) {
      expect(await codeOf(() => world.server().greet(m1.slice(0, length)))).toBe('HANDSHAKE_FAILED');
    }
    expect(await codeOf(() => world.server().greet(concatBytes(m1, Uint8Array.of(0))))).toBe('HANDSHAKE_FAILED');
    expect(await codeOf(() => world.server().greet(new Uint8Array(M1_MAX + 1)))).toBe('OVERSIZE');
  });

  it('a long message before it decapsulates anything', async () => {
    let asked = 0;
    const kemKey = {
      publicKey: world.manifest.kemPublicKey,
      decapsulate: async () => ((asked += 1), new Uint8Array(32)),
    };
    const { ServerHandshake } = await import('./server-handshake.ts');
    const make = () =>
      new ServerHandshake({
        kemKey,
        signed: [world.manifest.signed],
        keyEncapsulation: nobleKeyEncapsulation,
        signatures: nobleSignatures,
        random: (length) => new Uint8Array(length),
        takePsk: () => undefined,
        now: () => 0,
      });
    for (const length of [0, 2352, M1_MAX + 1]) {
      await codeOf(() => make().greet(new Uint8Array(length).fill(KIND.m1)));
    }
    expect(asked).toBe(0);
    await codeOf(() => make().greet(new Uint8Array(2400).fill(KIND.m1)));
    expect(asked).toBe(1);
  });

  it('m1 for the key of another server', async () => {
    const other = await openWorld('another');
    const m1 = await other.client().start();
    expect(await codeOf(() => world.server().greet(m1))).toBe('HANDSHAKE_FAILED');
  });

  it('m1 that was made for a manifest with other words around the same key', async () => {
    const signed = flipped(world.manifest.signed, -3);
    const client = new ClientHandshake({
      ...(await openWorld('words')).clientPorts,
      manifest: { ...world.manifest, signed },
    });
    const m1 = await client.start();
    expect(await codeOf(() => world.server().greet(m1))).toBe('HANDSHAKE_FAILED');
  });

  it.each([
    ['versions', { versions: [2, 3] }, 'UNSUPPORTED'],
    ['suites', { suites: [9] }, 'UNSUPPORTED'],
    ['fields', { more: true }, 'HANDSHAKE_FAILED'],
    ['names of keys', { psk: 'zz' }, 'HANDSHAKE_FAILED'],
  ])('%s that it does not know', async (_what, change, code) => {
    const schedule = new Schedule(world.manifest.signed);
    const ephemeral = await nobleKeyEncapsulation.generate();
    const { cipherText, sharedSecret } = await nobleKeyEncapsulation.encapsulate(world.manifest.kemPublicKey);
    const open = concatBytes(Uint8Array.of(KIND.m1), ephemeral.publicKey, cipherText);
    schedule.mixHash(open);
    schedule.mixKey(sharedSecret, 'es');
    const payload = { versions: [1], suites: [1], nonce: '00'.repeat(16), ...change };
    const m1 = concatBytes(open, await schedule.seal(encodeJson(payload)));
    expect(await codeOf(() => world.server().greet(m1))).toBe(code);
  });

  it('an ephemeral key that is none', async () => {
    const schedule = new Schedule(world.manifest.signed);
    const { cipherText, sharedSecret } = await nobleKeyEncapsulation.encapsulate(world.manifest.kemPublicKey);
    const open = concatBytes(Uint8Array.of(KIND.m1), new Uint8Array(1216).fill(255), cipherText);
    schedule.mixHash(open);
    schedule.mixKey(sharedSecret, 'es');
    const payload = { versions: [1], suites: [1], nonce: '00'.repeat(16) };
    const m1 = concatBytes(open, await schedule.seal(encodeJson(payload)));
    expect(await codeOf(() => world.server().greet(m1))).toBe('HANDSHAKE_FAILED');
  });

  it('a second m1, a replayed one, and m3 before m1', async () => {
    const { server, m1, greet } = await upTo();
    await greet();
    expect(await codeOf(() => server.greet(m1))).toBe('HANDSHAKE_FAILED');
    // On a connection of its own it gets an answer that only the first client can use.
    const again = world.server();
    await again.greet(session.m1);
    expect(await codeOf(() => again.receive(session.m3))).toBe('HANDSHAKE_FAILED');
    expect(await codeOf(() => world.server().receive(session.m3))).toBe('HANDSHAKE_FAILED');
  });

  it('m3 with any byte changed, of any other length, or of another session', async () => {
    const { length } = session.m3;
    const attempts = [
      flipped(session.m3, 0),
      ...[1, 1953, 5261, length - 16, length - 1].map((at) => flipped(session.m3, at)),
      ...[0, 1, 16, 17, length - 1].map((end) => session.m3.slice(0, end)),
      session.m3,
    ];
    for (const attempt of attempts) {
      const { server, greet } = await upTo();
      await greet();
      expect(await codeOf(() => server.receive(attempt))).toBe('HANDSHAKE_FAILED');
      // Nor does the right one help any more.
      expect(await codeOf(() => server.receive(session.m3))).toBe('HANDSHAKE_FAILED');
    }
    const { server, greet } = await upTo();
    await greet();
    expect(await codeOf(() => server.receive(new Uint8Array(M3_MAX + 1)))).toBe('OVERSIZE');
  });

  it('a signature of another device, transcript or purpose, and one that is missing', async () => {
    const stranger = await steadyKey(seedOf('stranger'));
    const { device } = world;
    const liars = [
      { ...stranger, publicKey: device.publicKey },
      {
        publicKey: device.publicKey,
        sign: (_: Uint8Array, context: string) => device.sign(new Uint8Array(64), context),
      },
      { publicKey: device.publicKey, sign: (hash: Uint8Array) => device.sign(hash, `${CONTEXT_CLIENT} `) },
      { publicKey: new Uint8Array(), sign: async () => new Uint8Array() },
    ];
    for (const liar of liars) {
      const { client, server, greet } = await upTo();
      const { m3 } = await client.receive(await greet(), liar);
      expect(await codeOf(() => server.receive(m3))).toBe('HANDSHAKE_FAILED');
    }
  });
});

describe('the client refuses', () => {
  it('m2 with any field changed, of any other length, or of another session', async () => {
    const { length } = session.m2;
    const attempts = [
      ...[0, 1, 2, 1089, 1090, 1121, 1122, length - 16, length - 1].map((at) => flipped(session.m2, at)),
      ...[0, 2, 1122, 1137, length - 1].map((end) => session.m2.slice(0, end)),
      concatBytes(session.m2, Uint8Array.of(0)),
      session.m2,
    ];
    for (const attempt of attempts) {
      const { client } = await upTo();
      expect(await codeOf(() => client.receive(attempt, world.device))).toBe('HANDSHAKE_FAILED');
    }
    const { client, greet } = await upTo();
    expect(await codeOf(() => client.receive(new Uint8Array(M2_MAX + 1), world.device))).toBe('OVERSIZE');
    const m2 = await greet();
    expect(await codeOf(() => client.receive(m2, world.device))).toBe('HANDSHAKE_FAILED');
  });

  it.each(['version', 'suite'])('a %s that it did not offer', async (field) => {
    const client = world.client();
    const m1 = await client.start();
    // The true server's keys: it is not trusted to choose.
    const schedule = new Schedule(world.manifest.signed);
    schedule.mixHash(m1.slice(0, 2337));
    const kemKey = await nobleKeyEncapsulation.fromSeed(seedOf('handshake kem'));
    schedule.mixKey(await kemKey.decapsulate(m1.slice(1217, 2337)), 'es');
    await schedule.open(m1.slice(2337));
    const { cipherText, sharedSecret } = await nobleKeyEncapsulation.encapsulate(m1.slice(1, 1217));
    const open = concatBytes(Uint8Array.of(KIND.m2, 0), cipherText);
    schedule.mixHash(open);
    schedule.mixKey(sharedSecret, 'ee');
    const payload = { version: 1, suite: 1, nonce: '00'.repeat(16), time: 0, [field]: 2 };
    const m2 = concatBytes(open, await schedule.seal(encodeJson(payload)));
    expect(await codeOf(() => client.receive(m2, world.device))).toBe('UNSUPPORTED');
  });

  it('a server that has not the key of the manifest', async () => {
    // Somebody in the middle who makes a handshake of his own with the client.
    const other = await openWorld('middle');
    const client = new ClientHandshake({ ...other.clientPorts, manifest: world.manifest });
    const m1 = await client.start();
    expect(await codeOf(() => other.server().greet(m1))).toBe('HANDSHAKE_FAILED');
    const mine = await other.client().start();
    const m2 = await other.server().greet(mine);
    expect(await codeOf(() => client.receive(m2, world.device))).toBe('HANDSHAKE_FAILED');
  });

  it('steps out of order', async () => {
    expect(await codeOf(() => world.client().receive(session.m2, world.device))).toBe('HANDSHAKE_FAILED');
    const { client, greet } = await upTo();
    const m2 = await greet();
    await client.receive(m2, world.device);
    expect(await codeOf(() => client.receive(m2, world.device))).toBe('HANDSHAKE_FAILED');
    expect(await codeOf(() => client.start())).toBe('HANDSHAKE_FAILED');
  });
});
