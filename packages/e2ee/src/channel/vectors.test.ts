/** The frozen run gives what it gave when it was frozen, and the frozen messages are taken by both sides. */
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { nativeKeyEncapsulation, nativeSignatures } from '../pq/native.ts';
import { webCipher } from './aead.ts';
import { BroadcastOpener } from './broadcast.ts';
import { fromHex, hex, utf8 } from './bytes.ts';
import { openManifest } from './manifest.ts';
import { ServerHandshake } from './server-handshake.ts';
import { flipped, steadyPorts } from './session.fixture.ts';
import { makeVector } from './vector.fixture.ts';

type Vector = Awaited<ReturnType<typeof makeVector>>;
let vector: Vector;
beforeAll(async () => {
  vector = JSON.parse(await readFile(new URL('../../vectors/channel.json', import.meta.url), 'utf8')) as Vector;
});

describe('vectors/channel.json', () => {
  it('is what the code gives', async () => {
    expect(await makeVector()).toEqual(vector);
  });

  it('is taken with the primitives of this runtime', async () => {
    const { manifest, now, handshake, seeds, broadcast } = vector;
    const opened = await openManifest(fromHex(manifest.document), fromHex(manifest.pin), now, nativeSignatures());
    expect(hex(opened.kemPublicKey)).toBe(manifest.kemPublicKey);
    // The server of the run draws from seeds; the client's messages are the frozen ones.
    const server = new ServerHandshake({
      ...steadyPorts('frozen server'),
      signatures: nativeSignatures(),
      kemKey: await nativeKeyEncapsulation().fromSeed(fromHex(seeds.kem)),
      signed: [flipped(opened.signed, -2), opened.signed],
      takePsk: () => undefined,
      now: () => now,
    });
    expect(hex(await server.greet(fromHex(handshake.m1)))).toBe(handshake.m2);
    const presented = await server.receive(fromHex(handshake.m3));
    expect(hex(presented.devicePublicKey)).toBe(manifest.devicePublicKey);
    expect(hex(presented.secrets.c2s)).toBe(handshake.secrets.c2s);
    const opener = new BroadcastOpener(webCipher);
    opener.use(fromHex(broadcast.key));
    expect(await opener.open(fromHex(broadcast.records[0] ?? ''))).toEqual(utf8('to all'));
  });
});
