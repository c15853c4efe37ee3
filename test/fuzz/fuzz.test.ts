/**
 * Two hundred thousand generated inputs over every decoder, ten million with `VEILCAST_LONG=1`. Where what follows on the decoder costs
 * a signature, a tag or a KEM, as many go all the way as some tenths of a second allow; both counts are printed.
 * `VEILCAST_FUZZ=name:base64` feeds one input again, `VEILCAST_SEED=n` draws others, `VEILCAST_INPUTS=n` as many.
 */
import { describe, expect, it } from 'vitest';
import { fuzz, takeOne } from './fuzz.ts';
import { drawFrom, makeInput } from './mutate.ts';
import { NONE, type Target, type Verdict } from './target.ts';
import { TARGETS } from './targets.ts';

const LONG = process.env['VEILCAST_LONG'] === '1';
const SEED = Number(process.env['VEILCAST_SEED'] ?? 20);
const AGAIN = /^(.*?):([A-Za-z0-9+/=]*)$/.exec(process.env['VEILCAST_FUZZ'] ?? '');
const INPUTS = process.env['VEILCAST_INPUTS'] === undefined ? undefined : Number(process.env['VEILCAST_INPUTS']);
const LIMITS = LONG
  ? { inputs: INPUTS ?? 10_000_000, budgetMs: 600_000, inputMs: 5_000, growthBytes: 64_000_000 }
  : { inputs: INPUTS ?? 200_000, budgetMs: 600, inputMs: 5_000, growthBytes: 48_000_000 };
/** Of the slowest decoder: some tens of microseconds an input, on a machine that is busy with other things as well. */
const TIMEOUT_MS = 60_000 + 10 * LIMITS.budgetMs + LIMITS.inputs;

describe('no input brings a decoder down, or is taken for what it is not', () => {
  it.each(Object.entries(TARGETS).filter(([name]) => AGAIN === null || name === AGAIN[1]))(
    '%s',
    { timeout: TIMEOUT_MS },
    async (_, make) => {
      const target = await make();
      if (AGAIN?.[2] !== undefined) {
        console.log(target.name, await takeOne(target, Uint8Array.from(Buffer.from(AGAIN[2], 'base64')), LIMITS));
        return;
      }
      for (const seed of target.seeds.slice(0, 1)) expect((await takeOne(target, seed, LIMITS)).verdict).toBe('taken');
      const { inputs, whole, tookMs, slowestMs, grownBytes, taken, refused } = await fuzz(await make(), SEED, LIMITS);
      const reasons = [...refused].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `${reason} ${count}`);
      console.log(
        `${target.name}: ${inputs} inputs, ${whole === inputs ? 'all' : whole} of them all the way; ${(tookMs / 1e3).toFixed(1)} s of the processor, slowest ${slowestMs.toFixed(1)} ms, heap ${(grownBytes / 1e6).toFixed(1)} MB; taken rightly ${taken}; ${reasons.join(', ')}`,
      );
      expect(inputs).toBe(LIMITS.inputs);
      expect(whole).toBeGreaterThan(0);
      expect([...refused.values()].reduce((sum, count) => sum + count, 0)).toBeGreaterThan(inputs / 20);
    },
  );
});

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
