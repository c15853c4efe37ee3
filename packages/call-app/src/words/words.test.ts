import { ERRORS, type ErrorCode } from '@veilcast/protocol';
import { describe, expect, it } from 'vitest';
import { ACTS } from './acts.ts';
import { en } from './en.ts';
import { errorWords, listOf, t } from './words.ts';

const codes = Object.keys(ERRORS) as ErrorCode[];

function sentences(value: unknown, path = ''): [string, string][] {
  if (typeof value === 'string') return [[path, value]];
  return Object.entries(value as object).flatMap(([key, inner]) => sentences(inner, path ? `${path}.${key}` : key));
}

describe('the words', () => {
  it.each(codes)('say for %s what happened, what to know and what to do', (code) => {
    expect(errorWords(code).what).toMatch(/\.$/);
    expect(errorWords(code).next).toMatch(/\.$/);
    expect(t(`acts.${ACTS[code]}`)).not.toContain('acts.');
    // A sentence for people never quotes the table for developers.
    expect(errorWords(code).what).not.toBe(ERRORS[code].meaning);
  });

  it('are in the house voice', () => {
    const odd = sentences(en).filter(
      ([, words]) => /!|\b(oops|please|users?|sorry)\b/i.test(words) || words !== words.trim(),
    );
    expect(odd).toEqual([]);
  });

  it('shorten long lists of names', () => {
    expect(listOf(['Ada'])).toBe('Ada');
    expect(listOf(['Ada', 'Bo', 'Cy'])).toBe('Ada, Bo, and Cy');
    expect(listOf(['Ada', 'Bo', 'Cy', 'Di', 'Ed'])).toBe('Ada, Bo, and 3 more');
  });
});
