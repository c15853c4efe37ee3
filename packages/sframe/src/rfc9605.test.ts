/** The RFC's own vectors (Appendix C): every header, and every frame of the two AES-GCM suites. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeHeader, encodeHeader } from './header.ts';
import { deriveFrameKey, frameNonce, importBaseKey, openPlain, ratchet, sealPlain, SUITE_4, SUITE_5 } from './suite.ts';

interface HeaderVector {
  readonly kid: string;
  readonly ctr: string;
  readonly encoded: string;
}

interface FrameVector extends Record<string, string> {
  readonly cipher_suite: string;
  readonly base_key: string;
  readonly metadata: string;
}

/** Integers become text: many are above 2^53, which JSON.parse would round. */
function vectors(): { header: HeaderVector[]; sframe: FrameVector[] } {
  const text = readFileSync(new URL('../vectors/rfc9605.json', import.meta.url), 'utf8');
  return JSON.parse(text.replaceAll(/("\w+":\s*)(\d+)/g, '$1"$2"')) as ReturnType<typeof vectors>;
}

const hex = (text: string | undefined): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text ?? '', 'hex'));
const { header, sframe } = vectors();
const suites = [SUITE_4, SUITE_5];
const frames = sframe.filter((vector) => suites.some((suite) => String(suite.id) === vector.cipher_suite));

describe('headers', () => {
  it('encodes and decodes all of them', () => {
    expect(header).toHaveLength(289);
    for (const { kid, ctr, encoded } of header) {
      expect(Buffer.from(encodeHeader(BigInt(kid), BigInt(ctr))).toString('hex')).toBe(encoded);
      expect(decodeHeader(hex(encoded))).toEqual({ kid: BigInt(kid), ctr: BigInt(ctr), length: encoded.length / 2 });
    }
  });

  it('refuses every header that is cut short', () => {
    for (const { encoded } of header) {
      for (let length = 0; length < encoded.length / 2; length++) {
        expect(decodeHeader(hex(encoded).subarray(0, length))).toBeUndefined();
      }
    }
  });

  it('refuses integers that are longer than they need be', () => {
    for (const encoded of ['8007', '900001', '0807', '090007', 'b00000000001', '0f0000000000000001']) {
      expect(decodeHeader(hex(encoded))).toBeUndefined();
    }
  });

  it('does not encode what is no 64-bit integer', () => {
    expect(() => encodeHeader(1n << 64n, 0n)).toThrow(RangeError);
    expect(() => encodeHeader(0n, -1n)).toThrow(RangeError);
  });
});

describe('frames', () => {
  it('has both AES-GCM suites', () => {
    expect(frames.map((vector) => vector.cipher_suite)).toEqual(['4', '5']);
  });

  it.each(frames)('seals and opens suite $cipher_suite', async (vector) => {
    const suite = suites.find(({ id }) => String(id) === vector.cipher_suite) ?? SUITE_5;
    const base = await importBaseKey(hex(vector.base_key));
    const kid = BigInt(vector['kid'] ?? -1);
    const ctr = BigInt(vector['ctr'] ?? -1);
    const metadata = hex(vector.metadata);
    const key = await deriveFrameKey(suite, base, kid, 'encrypt');
    expect(Buffer.from(key.salt).toString('hex')).toBe(vector['sframe_salt']);
    expect(Buffer.from(frameNonce(key.salt, ctr)).toString('hex')).toBe(vector['nonce']);
    const sealed = await sealPlain(key, kid, ctr, metadata, hex(vector['pt']));
    expect(Buffer.from(sealed).toString('hex')).toBe(vector['ct']);

    const opening = await deriveFrameKey(suite, base, kid, 'decrypt');
    expect(await openPlain(opening, metadata, sealed)).toEqual(hex(vector['pt']));
    expect(await openPlain(opening, new Uint8Array(), sealed)).toBeUndefined();
    expect(await openPlain(opening, metadata, sealed.subarray(0, 10))).toBeUndefined();
  });

  it('derives the keys that the vectors name, from labels that they name', async () => {
    for (const vector of frames) {
      const suite = suites.find(({ id }) => String(id) === vector.cipher_suite) ?? SUITE_5;
      const base = await importBaseKey(hex(vector.base_key));
      const info = hex(vector['sframe_key_label']);
      const params = { name: 'HKDF', hash: suite.hash, salt: new Uint8Array(), info };
      const bits = await crypto.subtle.deriveBits(params, base, suite.keyBits);
      expect(Buffer.from(bits).toString('hex')).toBe(vector['sframe_key']);
    }
  });

  it('keeps every key where script cannot read it', async () => {
    const base = await importBaseKey(new Uint8Array(64));
    const next = await ratchet(SUITE_5, base);
    const { key } = await deriveFrameKey(SUITE_5, next, 1n, 'encrypt');
    expect([base.extractable, next.extractable, key.extractable]).toEqual([false, false, false]);
    expect(key.usages).toEqual(['encrypt']);
  });
});
