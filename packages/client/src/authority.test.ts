/** Whose bundles are believed: what signaling names, within what the application pins. */
import { hexNameOf, toBase64Url } from '@veilcast/e2ee/identity';
import { describe, expect, it } from 'vitest';
import { trustedOf } from './authority.ts';

const keys = [1, 2, 3].map((fill) => new Uint8Array(1952).fill(fill));
const [root, first, second] = keys.map((key) => toBase64Url(key));
const [rootPin = '', firstPin = '', secondPin = ''] = keys.map(hexNameOf);
const body = { kty: 'OKP', crv: 'Ed25519', x: 'x'.repeat(43), kid: 'any', root, revocations: '' };
const named = { ...body, vouchers: [first, second] };

const believed = (told: unknown, pin?: string | readonly string[]): string[] =>
  trustedOf(told, pin).vouchers.map(hexNameOf);

describe('the services whose bundles are believed', () => {
  it('are those that signaling names where nothing is pinned', () => {
    expect(believed(body)).toEqual([rootPin]);
    expect(believed(named)).toEqual([rootPin, firstPin, secondPin]);
  });

  it('are those that are pinned and no other, the cluster’s own neither', () => {
    expect(believed(named, firstPin)).toEqual([firstPin]);
    expect(believed(named, [secondPin.toUpperCase(), rootPin])).toEqual([rootPin, secondPin]);
    expect(hexNameOf(trustedOf(named, firstPin).root)).toBe(rootPin);
  });

  it('WRONG_AUTHORITY where none of the pinned is named', () => {
    for (const pin of ['0'.repeat(64), '', [], [secondPin]]) {
      expect(() => trustedOf({ ...body, vouchers: [first] }, pin)).toThrow(
        expect.objectContaining({ code: 'WRONG_AUTHORITY' }),
      );
    }
  });

  it('MALFORMED for roots of another length, or too many', () => {
    for (const vouchers of [['A'], Array.from({ length: 17 }, () => first), 'x']) {
      expect(() => trustedOf({ ...body, vouchers })).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    }
  });
});
