/**
 * Two hundred thousand generated inputs over every decoder, ten million with `VEILCAST_LONG=1`. Where what follows on the decoder costs
 * a signature, a tag or a KEM, as many go all the way as some tenths of a second allow; both counts are printed.
 * `VEILCAST_FUZZ=name:base64` feeds one input again, `VEILCAST_SEED=n` draws others, `VEILCAST_INPUTS=n` as many.
 */
import { describe, expect, it } from 'vitest';
import { fuzz, takeOne } from './fuzz.ts';
import type { MakeTarget } from './target.ts';

const LONG = process.env['VEILCAST_LONG'] === '1';
export const SEED = Number(process.env['VEILCAST_SEED'] ?? 20);
const AGAIN = /^(.*?):([A-Za-z0-9+/=]*)$/.exec(process.env['VEILCAST_FUZZ'] ?? '');
const INPUTS = process.env['VEILCAST_INPUTS'] === undefined ? undefined : Number(process.env['VEILCAST_INPUTS']);
export const LIMITS = LONG
  ? { inputs: INPUTS ?? 10_000_000, budgetMs: 600_000, inputMs: 5_000, growthBytes: 64_000_000 }
  : { inputs: INPUTS ?? 200_000, budgetMs: 600, inputMs: 5_000, growthBytes: 48_000_000 };
/** Of the slowest decoder: some tens of microseconds an input, on a machine that is busy with other things as well. */
const TIMEOUT_MS = 60_000 + 10 * LIMITS.budgetMs + LIMITS.inputs;

export function fuzzAll(targets: Readonly<Record<string, MakeTarget>>): void {
  describe('no input brings a decoder down, or is taken for what it is not', () => {
    it.each(Object.entries(targets).filter(([name]) => AGAIN === null || name === AGAIN[1]))(
      '%s',
      { timeout: TIMEOUT_MS },
      async (_, make) => {
        const target = await make();
        if (AGAIN?.[2] !== undefined) {
          console.log(target.name, await takeOne(target, Uint8Array.from(Buffer.from(AGAIN[2], 'base64')), LIMITS));
          return;
        }
        for (const seed of target.seeds.slice(0, 1))
          expect((await takeOne(target, seed, LIMITS)).verdict).toBe('taken');
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
}
