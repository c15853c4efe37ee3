/** Our parts are those that the suite names: each against another implementation. */
import { createHmac, createHash, hkdfSync } from 'node:crypto';
import { Aes256Gcm, CipherSuite, HkdfSha512 } from '@hpke/core';
import { XWing } from '@hpke/hybridkem-x-wing';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CiphersuiteImpl } from 'ts-mls/crypto/ciphersuite.js';
import { suiteImpl } from './suite.ts';

const reference = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha512(), aead: new Aes256Gcm() });
const plain = new TextEncoder().encode('for one alone');
const info = new TextEncoder().encode('info');
const aad = new TextEncoder().encode('aad');

let suite: CiphersuiteImpl;
let publicKey: Uint8Array<ArrayBuffer>;
let privateKey: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  suite = await suiteImpl();
  const pair = await suite.hpke.generateKeyPair();
  publicKey = new Uint8Array(await suite.hpke.exportPublicKey(pair.publicKey));
  privateKey = new Uint8Array(await suite.hpke.exportPrivateKey(pair.privateKey));
});

describe('HPKE', () => {
  it('opens what the reference sealed, and the reference what we sealed', async () => {
    const recipientPublicKey = await reference.kem.deserializePublicKey(publicKey.buffer);
    const theirs = await reference.seal({ recipientPublicKey, info: info.buffer }, plain.buffer, aad.buffer);
    const key = await suite.hpke.importPrivateKey(privateKey);
    const opened = await suite.hpke.open(key, new Uint8Array(theirs.enc), new Uint8Array(theirs.ct), info, aad);
    expect(opened).toEqual(plain);

    const ours = await suite.hpke.seal(await suite.hpke.importPublicKey(publicKey), plain, info, aad);
    const recipientKey = await reference.kem.deserializePrivateKey(privateKey.buffer);
    const enc = new Uint8Array(ours.enc).buffer;
    const back = await reference.open(
      { recipientKey, enc, info: info.buffer },
      new Uint8Array(ours.ct).buffer,
      aad.buffer,
    );
    expect(new Uint8Array(back)).toEqual(plain);
  });

  it('exports the same secrets', async () => {
    const sent = await suite.hpke.exportSecret(await suite.hpke.importPublicKey(publicKey), aad, 64, info);
    const recipientKey = await reference.kem.deserializePrivateKey(privateKey.buffer);
    const enc = new Uint8Array(sent.enc).buffer;
    const context = await reference.createRecipientContext({ recipientKey, enc, info: info.buffer });
    expect(new Uint8Array(await context.export(aad.buffer, 64))).toEqual(new Uint8Array(sent.secret));
  });
});

describe('hashes and signatures', () => {
  it('are SHA-512, HMAC and HKDF of it', async () => {
    expect(Buffer.from(await suite.hash.digest(plain))).toEqual(createHash('sha512').update(plain).digest());
    const mac = await suite.hash.mac(info, plain);
    expect(Buffer.from(mac)).toEqual(createHmac('sha512', info).update(plain).digest());
    expect(await suite.hash.verifyMac(info, mac, plain)).toBe(true);
    expect(await suite.hash.verifyMac(info, mac.subarray(1), plain)).toBe(false);
    expect(await suite.hash.verifyMac(info, mac, info)).toBe(false);
    const okm = await suite.kdf.expand(await suite.kdf.extract(aad, plain), info, 100);
    expect(Buffer.from(okm)).toEqual(Buffer.from(hkdfSync('sha512', plain, aad, info, 100)));
  });

  it('are Ed25519', async () => {
    const pair = await suite.signature.keygen();
    const signed = await suite.signature.sign(pair.signKey, plain);
    expect(signed).toHaveLength(64);
    expect(await suite.signature.verify(pair.publicKey, plain, signed)).toBe(true);
    expect(await suite.signature.verify(pair.publicKey, info, signed)).toBe(false);
  });
});
