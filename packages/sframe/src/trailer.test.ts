/**
 * Our own frozen vectors: if one of these tests fails, frames of an older client no longer open. Each is also rebuilt with
 * node:crypto from the words of ADR 0007, so that a mistake frozen in would be seen.
 */
import { createCipheriv, hkdfSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Keyring } from './keyring.ts';
import type { Codec } from './model.ts';

interface TrailerVector {
  readonly codec: Codec;
  readonly keyFrame: boolean;
  readonly epoch: number;
  readonly leaf: number;
  readonly stream: number;
  readonly step: number;
  readonly ctr: number;
  readonly baseKey: string;
  readonly plain: string;
  readonly sealed: string;
}

const path = new URL('../vectors/trailer.json', import.meta.url);
const vectors = JSON.parse(readFileSync(path, 'utf8')) as TrailerVector[];
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
const named = vectors.map((vector, index) => ({ name: `${index} ${vector.codec}`, vector }));

function expand(key: Uint8Array, info: Uint8Array | string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha512', key, new Uint8Array(), info, length));
}

function rebuild(vector: TrailerVector): string {
  let base: Uint8Array = hex(vector.baseKey);
  for (let step = 0; step < vector.step; step++) base = expand(base, 'SFrame 1.0 Ratchet', 64);
  const kid = Buffer.alloc(4);
  kid.writeUInt32BE(
    (vector.step % 256) * 2 ** 24 + vector.stream * 2 ** 20 + vector.leaf * 2 ** 8 + (vector.epoch % 256),
  );
  const suffix = Buffer.from([0, 0, 0, 0, ...kid, 0, 5]);
  const key = expand(base, Buffer.concat([Buffer.from('SFrame 1.0 Secret key '), suffix]), 32);
  const nonce = expand(base, Buffer.concat([Buffer.from('SFrame 1.0 Secret salt '), suffix]), 12);
  nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ vector.ctr) >>> 0, 8);
  const shortKid = kid.subarray(kid.findIndex((byte) => byte !== 0));
  const ctr = vector.ctr < 8 ? [] : vector.ctr < 256 ? [vector.ctr] : [vector.ctr >> 8, vector.ctr & 255];
  const low = vector.ctr < 8 ? vector.ctr : 8 | (ctr.length - 1);
  const first = shortKid[0] ?? 0;
  const small = shortKid.length === 1 && first < 8;
  const high = small ? first : 8 | (shortKid.length - 1);
  const header = Buffer.from([high * 16 + low, ...(small ? [] : shortKid), ...ctr]);
  const p = vector.codec === 'vp8' ? (vector.keyFrame ? 10 : 1) : 0;
  const plain = Buffer.from(hex(vector.plain));
  const codecId = { opus: 1, vp8: 2, vp9: 3, h264: 0, av1: 0 }[vector.codec];
  const kind = vector.codec === 'vp8' ? (vector.keyFrame ? 2 : 1) : 0;
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.concat([header, plain.subarray(0, p), Buffer.from([codecId, kind, p])]));
  const ciphertext = Buffer.concat([cipher.update(plain.subarray(p)), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([plain.subarray(0, p), ciphertext, header, Buffer.from([p, header.length])]).toString('hex');
}

describe('frozen frames', () => {
  it.each(named)('$name seals to the same bytes', async ({ vector }) => {
    const keyring = new Keyring();
    const { epoch, leaf, codec, keyFrame } = vector;
    const members = new Map([[leaf, 'ada']]);
    await keyring.install({ epoch, baseKey: hex(vector.baseKey), selfLeaf: leaf, members }, 0);
    let last = '';
    for (let ctr = 0; ctr <= vector.ctr; ctr++) {
      const sealer = keyring.sealer(vector.stream);
      const outcome = await sealer.seal(hex(vector.plain), { codec, keyFrame }, vector.step * 1000);
      last = outcome.kind === 'sealed' ? Buffer.from(outcome.bytes).toString('hex') : outcome.reason;
    }
    expect(last).toBe(vector.sealed);
  });

  it.each(named)('$name opens', async ({ vector }) => {
    const keyring = new Keyring();
    const members = new Map([
      [vector.leaf, 'ada'],
      [0xffe, 'bob'],
    ]);
    const { epoch } = vector;
    await keyring.install({ epoch, baseKey: hex(vector.baseKey), selfLeaf: 0xffe, members }, 0);
    const opened = await keyring
      .opener({ peer: 'ada' })
      .open(hex(vector.sealed), { codec: vector.codec }, vector.step * 1000);
    expect(opened).toMatchObject({ kind: 'opened', bytes: hex(vector.plain) });
  });

  it.each(named)('$name is what ADR 0007 says', ({ vector }) => {
    expect(rebuild(vector)).toBe(vector.sealed);
  });
});
