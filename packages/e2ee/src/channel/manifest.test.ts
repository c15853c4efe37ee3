import { beforeAll, describe, expect, it } from 'vitest';
import { nobleSignatures } from '../pq/noble.ts';
import { encodeJson } from './bytes.ts';
import { openManifest, pinOf, signManifest } from './manifest.ts';
import { CLAIMS, codeOf, flipped, NOW, openWorld, seedOf, steadyKey, type World } from './session.fixture.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld('manifest');
});

const open = (document: Uint8Array, pin = world.pin, now = NOW) => openManifest(document, pin, now, nobleSignatures);
const signed = (change: object) => signManifest(world.root, world.manifest.kemPublicKey, { ...CLAIMS, ...change });

describe('a manifest', () => {
  it('is taken from the first second to the last', async () => {
    expect(await open(world.document)).toMatchObject({ id: 'development', regions: ['eu'] });
    await open(world.document, world.pin, CLAIMS.expiry * 1_000 - 1);
    expect(world.document.length).toBeLessThan(6_700);
  });

  it.each([
    ['before its time', -1],
    ['after its time', 86_400_000],
  ])('is refused %s', async (_when, offset) => {
    expect(await codeOf(() => open(world.document, world.pin, NOW + offset))).toBe('MANIFEST_INVALID');
  });

  it('is refused when it lives too long, or in other words', async () => {
    const { notBefore } = CLAIMS;
    for (const change of [{ expiry: notBefore + 8 * 86_400 }, { v: 2 }, { more: 1 }, { id: '' }, { expiry: -1 }]) {
      const document = await signed(change);
      expect(await codeOf(() => open(document))).toBe('MANIFEST_INVALID');
    }
  });

  it('is refused of another root, whatever the client pinned, and with another pin', async () => {
    const other = await steadyKey(seedOf('another root'));
    const theirs = await signManifest(other, world.manifest.kemPublicKey, CLAIMS);
    expect(await codeOf(() => open(theirs))).toBe('MANIFEST_INVALID');
    expect(await codeOf(() => open(world.document, pinOf(other.publicKey)))).toBe('MANIFEST_INVALID');
    expect(await codeOf(() => open(world.document, world.pin.slice(1)))).toBe('MANIFEST_INVALID');
    // The pinned root beside a stranger's signature.
    const mixed = theirs.slice();
    mixed.set(world.root.publicKey);
    expect(await codeOf(() => open(mixed))).toBe('MANIFEST_INVALID');
  });

  it('is refused with a swapped key, or any changed part', async () => {
    const { length } = world.document;
    for (const at of [0, 1951, 1952, 5260, 5261, 6476, 6477, length - 1]) {
      expect(await codeOf(() => open(flipped(world.document, at)))).toBe('MANIFEST_INVALID');
    }
  });

  it('is refused cut short, longer, or enormous', async () => {
    for (const length of [0, 1952, 5261, 6477, world.document.length - 1]) {
      expect(await codeOf(() => open(world.document.slice(0, length)))).toBe('MANIFEST_INVALID');
    }
    const longer = new Uint8Array(world.document.length + 1);
    longer.set(world.document);
    expect(await codeOf(() => open(longer))).toBe('MANIFEST_INVALID');
    expect(await codeOf(() => open(new Uint8Array(100_000)))).toBe('OVERSIZE');
  });

  it('is not taken for something else that the root signed', async () => {
    const body = new Uint8Array([...world.manifest.kemPublicKey, ...encodeJson(CLAIMS)]);
    const signature = await world.root.sign(body, 'veilcast/1 client');
    const document = new Uint8Array([...world.root.publicKey, ...signature, ...body]);
    expect(await codeOf(() => open(document))).toBe('MANIFEST_INVALID');
  });
});
