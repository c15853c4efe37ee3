/** The fuzzer itself. */
import { describe, expect, it } from 'vitest';
import { fuzz } from './fuzz.ts';
import { drawFrom, makeInput } from './mutate.ts';
import { LIMITS, SEED } from './suite.ts';
import { NONE, type Target, type Verdict } from './target.ts';

describe('the fuzzer finds', () => {
  const limits = { ...LIMITS, inputs: 20_000, budgetMs: 20_000, inputMs: 400, growthBytes: 4_000_000 };
  const kept: Uint8Array[] = [];

  const BAD: readonly (readonly [what: string, says: RegExp, take: (input: Uint8Array) => Verdict])[] = [
    ['a reader that throws', /threw RangeError.*VEILCAST_FUZZ=/, (input) => (input.length === 31 ? boom() : NONE)],
    ['one that takes what is none', /bad reader: taken/, (input) => (input[3] === 0xff ? { wrong: 'taken' } : NONE)],
    ['one that hangs', /took \d+ ms/, (input) => (input.at(-1) === 0 ? spend(600) : NONE)],
    ['one that keeps what it is given', /grew by/, (input) => (kept.push(new Uint8Array(1_000 + input.length)), NONE)],
  ];
  it.each(BAD)('%s', async (_, says, take) => {
    await expect(fuzz(bad(take), SEED, limits)).rejects.toThrow(says);
    kept.length = 0;
  });

  it('the same with the same seed', () => {
    const seeds = [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)];
    const draw = (seed: number) => {
      const from = drawFrom(seed);
      return Array.from({ length: 200 }, () => Buffer.from(makeInput(seeds, from)).toString('hex'));
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(new Set(draw(1)).size).toBeGreaterThan(150);
  });
});

function bad(take: Target['take']): Target {
  const seeds = [new TextEncoder().encode('veilcast and some more of it')];
  return { name: 'a bad reader', accepts: 'nothing', seeds, take };
}

function boom(): never {
  throw new RangeError('out of bounds');
}

function spend(ms: number): Verdict {
  const until = performance.now() + ms;
  while (performance.now() < until);
  return NONE;
}
