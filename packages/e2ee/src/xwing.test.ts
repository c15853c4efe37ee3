/** Our X-Wing is the one of @hpke/hybridkem-x-wing, key by key and both ways. */
import { XWing } from '@hpke/hybridkem-x-wing';
import { describe, expect, it } from 'vitest';
import { FastXWing } from './xwing.ts';

const ours = new FastXWing();
const theirs = new XWing();

async function raw(kem: XWing, pair: CryptoKeyPair): Promise<{ publicKey: Buffer; privateKey: Buffer }> {
  return {
    publicKey: Buffer.from(await kem.serializePublicKey(pair.publicKey)),
    privateKey: Buffer.from(await kem.serializePrivateKey(pair.privateKey)),
  };
}

describe('X-Wing', () => {
  it('derives the same key pairs', async () => {
    for (let round = 0; round < 4; round++) {
      const seed = crypto.getRandomValues(new Uint8Array(64));
      expect(await raw(ours, await ours.deriveKeyPair(seed))).toEqual(
        await raw(theirs, await theirs.deriveKeyPair(seed)),
      );
      const exact = seed.subarray(0, 32);
      const expected = await raw(theirs, await theirs.generateKeyPairDerand(exact.slice()));
      expect(await raw(ours, await ours.generateKeyPairDerand(exact))).toEqual(expected);
    }
  });

  it.each([
    ['ours', 'theirs', ours, theirs],
    ['theirs', 'ours', theirs, ours],
    ['ours', 'ours', ours, ours],
  ])('agrees when %s seals and %s opens', async (_sealing, _opening, sealing, opening) => {
    for (let round = 0; round < 3; round++) {
      const pair = await opening.generateKeyPair();
      const recipientPublicKey = await sealing.deserializePublicKey(await opening.serializePublicKey(pair.publicKey));
      const { sharedSecret, enc } = await sealing.encap({ recipientPublicKey });
      expect([sharedSecret.byteLength, enc.byteLength]).toEqual([32, 1120]);
      const opened = await opening.decap({ recipientKey: pair.privateKey, enc });
      expect(Buffer.from(opened)).toEqual(Buffer.from(sharedSecret));
    }
  });

  it('gives another secret for a changed ciphertext, in either half, and none for a short one', async () => {
    const pair = await ours.generateKeyPair();
    const { sharedSecret, enc } = await ours.encap({ recipientPublicKey: pair.publicKey });
    for (const at of [0, 1087, 1088, 1119]) {
      const changed = new Uint8Array(enc.slice(0));
      changed[at] = (changed[at] ?? 0) ^ 1;
      const opened = await ours.decap({ recipientKey: pair.privateKey, enc: changed.buffer });
      expect(Buffer.from(opened)).not.toEqual(Buffer.from(sharedSecret));
    }
    const short = enc.slice(1);
    await expect(ours.decap({ recipientKey: pair.privateKey, enc: short })).rejects.toThrow(RangeError);
  });

  it('never gives the same secret twice', async () => {
    const { publicKey } = await ours.generateKeyPair();
    const made = await Promise.all([1, 2, 3].map(() => ours.encap({ recipientPublicKey: publicKey })));
    expect(new Set(made.map(({ sharedSecret }) => Buffer.from(sharedSecret).toString('hex'))).size).toBe(3);
  });
});
