import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { groupCode } from './code.ts';

describe('group code', () => {
  it('is six groups of five digits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 64 }), (authenticator) => {
        expect(groupCode(authenticator)).toMatch(/^\d{5}( \d{5}){5}$/);
      }),
    );
  });

  it('is frozen: an older client must show the same digits', () => {
    expect(groupCode(new Uint8Array(64))).toBe('19317 02315 22516 11392 69436 85384');
    expect(groupCode(Uint8Array.from({ length: 64 }, (_, i) => i))).toBe('23462 83358 27109 39779 70931 25213');
  });

  it('differs in every group for authenticators that differ in one bit', () => {
    const one = groupCode(new Uint8Array(64)).split(' ');
    const other = groupCode(Uint8Array.of(1, ...new Uint8Array(63))).split(' ');
    expect(one.filter((digits, group) => digits === other[group])).toEqual([]);
  });

  it('uses every digit about as often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 1000; i++) {
      const digits = groupCode(Uint8Array.of(i & 255, i >> 8, ...new Uint8Array(62))).replaceAll(' ', '');
      for (const digit of digits) counts.set(digit, (counts.get(digit) ?? 0) + 1);
    }
    // 3000 of each are expected; a standard deviation is 52.
    for (const count of counts.values()) expect(Math.abs(count - 3000)).toBeLessThan(260);
    expect(counts.size).toBe(10);
  });
});
