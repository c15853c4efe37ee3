/**
 * Our own frozen vectors: if one of these tests fails, frames of an older client no longer open. Each is also rebuilt with
 * node:crypto from the words of ADR 0007 and ADR 0017, so that a mistake frozen in would be seen.
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
  /** Where the form in which it is opened is another than `plain`: units without what is dropped on the way. */
  readonly canonical?: string;
}

const vectors = ['trailer', 'units'].flatMap(
  (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), 'utf8')) as TrailerVector[],
);
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
  const plain = Buffer.from(hex(vector.canonical ?? vector.plain));
  const codecId = { opus: 1, vp8: 2, vp9: 3, h264: 4, av1: 5 }[vector.codec];
  const kind = vector.codec === 'vp8' ? (vector.keyFrame ? 2 : 1) : 0;
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  const units = vector.codec === 'h264' ? nalUnitsOf(plain) : vector.codec === 'av1' ? obusOf(plain) : undefined;
  const clear = units === undefined ? plain.subarray(0, p) : Buffer.concat(units.flatMap(described));
  const secret = units === undefined ? plain.subarray(p) : Buffer.concat(units.flatMap((unit) => unit.secret ?? []));
  cipher.setAAD(Buffer.concat([header, clear, Buffer.from([codecId, kind, p])]));
  const ciphertext = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
  const tail = Buffer.concat([ciphertext, header, Buffer.from([p, header.length])]);
  if (units === undefined) return Buffer.concat([clear, tail]).toString('hex');
  return (vector.codec === 'h264' ? sealedSlices : sealedObus)(units, tail);
}

interface Described {
  readonly clear: Uint8Array;
  readonly secret?: Uint8Array;
}

/** ADR 0017: length of the clear bytes, the bytes, length of the sealed ones plus one or 0. */
function described({ clear, secret }: Described): Uint8Array[] {
  const lengths = Buffer.alloc(8);
  lengths.writeUInt32BE(clear.length, 0);
  lengths.writeUInt32BE(secret === undefined ? 0 : secret.length + 1, 4);
  return [lengths.subarray(0, 4), clear, lengths.subarray(4)];
}

/** NAL header and the bytes that the three ue(v) in front of a slice reach into. */
function frontOf(nal: Buffer): number {
  const bits = Array.from(nal.subarray(1, 12), (byte) => byte.toString(2).padStart(8, '0')).join('');
  let at = 0;
  for (let field = 0; field < 3; field++) at = 2 * bits.indexOf('1', at) - at + 1;
  return 1 + Math.ceil(at / 8);
}

function nalUnitsOf(plain: Buffer): Described[] {
  const texts = plain.toString('hex').split('00000001').slice(1);
  return texts.map((text) => {
    const bytes = Buffer.from(text, 'hex');
    if (![1, 5].includes((bytes[0] ?? 0) & 31)) return { clear: bytes };
    return { clear: bytes.subarray(0, frontOf(bytes)), secret: bytes.subarray(frontOf(bytes)) };
  });
}

/** The vectors' OBUs have sizes of two bytes at most. */
function obusOf(plain: Buffer): Described[] {
  const units: Described[] = [];
  for (let at = 0; at < plain.length;) {
    const front = (plain[at] ?? 0) & 4 ? 2 : 1;
    const low = plain[at + front] ?? 0;
    const long = low > 127;
    const size = long ? (low & 127) + (plain[at + front + 1] ?? 0) * 128 : low;
    const from = at + front + (long ? 2 : 1);
    units.push({ clear: plain.subarray(at, at + front), secret: plain.subarray(from, from + size) });
    at = from + size;
  }
  return units;
}

function shares(units: readonly Described[], tail: Uint8Array): (Uint8Array | undefined)[] {
  let at = 0;
  const last = units.findLastIndex(({ secret }) => secret !== undefined);
  return units.map(({ secret }, index) => {
    if (secret === undefined) return undefined;
    const share = tail.subarray(at, index === last ? undefined : at + secret.length);
    at += secret.length;
    return share;
  });
}

function sealedSlices(units: readonly Described[], tail: Uint8Array): string {
  const all = shares(units, tail);
  const last = all.findLastIndex((share) => share !== undefined);
  return units
    .map(({ clear }, index) => {
      const share = all[index];
      const body = (
        Buffer.concat([clear, share ?? Buffer.alloc(0)])
          .toString('hex')
          .match(/../g) ?? []
      ).join(' ');
      // As the standard words it: two zero bytes and then one of 00 to 03.
      const escaped = share === undefined ? body : body.replaceAll(/00 00 (?=0[0-3])/g, '00 00 03 ');
      const end = share === undefined || index === last ? '' : '80';
      return `00000001${escaped.replaceAll(' ', '')}${end}`;
    })
    .join('');
}

function sealedObus(units: readonly Described[], tail: Uint8Array): string {
  const all = shares(units, tail);
  return units
    .map(({ clear }, index) => {
      const share = all[index] ?? Buffer.alloc(0);
      const size = share.length < 128 ? [share.length] : [(share.length & 127) | 128, share.length >> 7];
      return Buffer.concat([clear, Buffer.from(size), share]).toString('hex');
    })
    .join('');
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
    expect(opened).toMatchObject({ kind: 'opened', bytes: hex(vector.canonical ?? vector.plain) });
  });

  it.each(named)('$name is what ADR 0007 and ADR 0017 say', ({ vector }) => {
    expect(rebuild(vector)).toBe(vector.sealed);
  });
});
