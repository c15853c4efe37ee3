import { describe, expect, it } from 'vitest';
import type { Psk } from './ports.ts';
import { Resumptions } from './resumption.ts';
import { codeOf, flipped, NOW, openWorld, shake, type Session, type World } from './session.fixture.ts';

const LIFE = 1_000;
const id = (n: number) => Uint8Array.of(n);
const of = () => ({ key: new Uint8Array(32).fill(7), devicePublicKey: new Uint8Array(1) });

function pskOf({ secrets }: Session): Psk {
  return { id: secrets.pskId.slice(), key: secrets.psk.slice() };
}

function remember({ resumptions, device }: World, { id, key }: Psk, now = NOW): void {
  resumptions.put(id, { key: key.slice(), devicePublicKey: device.publicKey }, now + LIFE, now);
}

describe('a resumed handshake', () => {
  it('needs no signature, is shorter, knows the device, and makes new secrets', async () => {
    const world = await openWorld('resumed');
    const first = await shake(world);
    const psk = pskOf(first);
    remember(world, psk);
    const second = await shake(world, psk);
    expect(second.presented).toMatchObject({ resumed: true, devicePublicKey: world.device.publicKey });
    expect(second.presented.secrets).toEqual(second.secrets);
    expect(second.m3.length).toBe(17);
    expect(second.secrets.c2s).not.toEqual(first.secrets.c2s);
  });

  it.each<[string, (world: World, psk: Psk) => unknown]>([
    ['is not known', () => undefined],
    ['has expired', (world, psk) => remember(world, psk, NOW - LIFE)],
    ['was taken before', async (world, psk) => (remember(world, psk), shake(world, psk))],
    ['was dropped', (world, psk) => (remember(world, psk), world.resumptions.drop(psk.id))],
  ])('becomes a full one when the key %s', async (_how, before) => {
    const world = await openWorld('fallback');
    const psk = pskOf(await shake(world));
    await before(world, psk);
    const { presented, secrets } = await shake(world, psk);
    expect(presented).toMatchObject({ resumed: false, devicePublicKey: world.device.publicKey });
    expect(presented.secrets).toEqual(secrets);
  });

  it('fails for whoever knows the name and not the key', async () => {
    const world = await openWorld('thief');
    const psk = pskOf(await shake(world));
    remember(world, psk);
    const thief = world.client({ id: psk.id, key: flipped(psk.key, 0) });
    const m2 = await world.server().greet(await thief.start());
    expect(await codeOf(() => thief.receive(m2, world.device))).toBe('HANDSHAKE_FAILED');
  });

  it('is not taken by a client that did not ask', async () => {
    const world = await openWorld('unasked');
    const client = world.client();
    const m2 = await world.server().greet(await client.start());
    expect(await codeOf(() => client.receive(flipped(m2, 1), world.device))).toBe('HANDSHAKE_FAILED');
  });
});

describe('Resumptions', () => {
  it('keeps so many, the latest, and forgets the expired', () => {
    const kept = new Resumptions(3);
    for (let n = 0; n < 5; n++) kept.put(id(n), of(), LIFE + n, 0);
    expect(kept.size).toBe(3);
    expect([kept.take(id(1), 0), kept.take(id(4), LIFE + 4)]).toEqual([undefined, undefined]);
    kept.put(id(9), of(), 9 * LIFE, 8 * LIFE);
    expect(kept.size).toBe(1);
  });
});
