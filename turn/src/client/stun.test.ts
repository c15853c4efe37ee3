import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ATTRIBUTE,
  decode,
  encode,
  frameLength,
  longTermKey,
  METHOD,
  readXorAddress,
  xorAddress,
  type Method,
} from './stun.ts';

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((one) => Buffer.from(one));
const id = bytes(12);

describe('a STUN message', () => {
  it('is read as it was written, signed or not', () => {
    const method = fc.constantFrom(...(Object.keys(METHOD) as Method[]));
    const kind = fc.constantFrom('request' as const, 'indication' as const, 'success' as const, 'error' as const);
    const value = fc.uint8Array({ maxLength: 40 }).map((one) => Buffer.from(one));
    fc.assert(
      fc.property(method, kind, id, value, fc.option(bytes(16), { nil: undefined }), (name, kindOf, own, data, key) => {
        const message = decode(encode({ method: name, class: kindOf, id: own }, [[ATTRIBUTE.data, data]], key));
        expect(message).toMatchObject({ method: name, class: kindOf, id: own });
        expect(message?.attributes.get(ATTRIBUTE.data)).toEqual(data);
        expect(message?.attributes.has(ATTRIBUTE.integrity)).toBe(key !== undefined);
      }),
    );
  });

  it('has its MESSAGE-INTEGRITY as RFC 5769 §2.4 has it', () => {
    // Test vector with long-term authentication: user マトリックス, password TheMatrIX after SASLprep.
    const vector = Buffer.from(
      '000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b90000' +
        '0015001c662f2f3439396b39353464364f4c33346f4c39465354767936347341' +
        '0014000b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666',
      'hex',
    );
    const message = decode(vector);
    const username = 'マトリックス';
    const key = longTermKey(username, 'example.org', 'TheMatrIX');
    const attributes = [ATTRIBUTE.username, ATTRIBUTE.nonce, ATTRIBUTE.realm].map((type) => {
      const value = message?.attributes.get(type);
      if (value === undefined) throw new Error('an attribute is missing');
      return [type, value] as const;
    });
    expect(encode({ method: 'binding', class: 'request', id: vector.subarray(8, 20) }, attributes, key)).toEqual(
      vector,
    );
  });

  it('that is none is not taken for one, and never throws', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => void decode(Buffer.from(noise))));
    expect(decode(Buffer.alloc(20))).toBeUndefined();
  });
});

it('addresses of both families come back as they were', () => {
  const ipv4 = fc.ipV4().map((ip) => ({ ip, port: 40_000 }));
  fc.assert(
    fc.property(ipv4, id, (address, own) => {
      expect(readXorAddress(xorAddress(address, own), own)).toEqual(address);
    }),
  );
  fc.assert(
    fc.property(fc.ipV6(), id, (ip, own) => {
      const read = readXorAddress(xorAddress({ ip, port: 1 }, own), own);
      expect(new URL(`http://[${read?.ip}]`).hostname).toBe(new URL(`http://[${ip}]`).hostname);
    }),
  );
});

it('a stream is cut where its messages end', () => {
  const message = encode({ method: 'binding', class: 'request', id: Buffer.alloc(12) }, []);
  expect(frameLength(message.subarray(0, 3))).toBeUndefined();
  expect(frameLength(message)).toBe(message.length);
  expect(frameLength(Buffer.from([0x40, 0, 0, 5]))).toBe(12);
  expect(() => frameLength(Buffer.from('HTTP/1.1 200'))).not.toThrow();
  expect(() => frameLength(Buffer.from([0xff, 0, 0, 0]))).toThrow('neither');
});
