/**
 * The cluster under faults, by seed. `VEILCAST_SIM_SEEDS=5000` runs more histories of the size that `VEILCAST_SIM_SIZE` names,
 * `VEILCAST_SIM_SEED=17` runs one again and prints what happened. `VEILCAST_LONG=1` runs what issues ask for and a test run has no
 * time for.
 */
import { expect, test } from 'vitest';
import { live, type Outcome } from './history.ts';
import { SIZES } from './sizes.ts';

type SizeName = keyof typeof SIZES;

/** Histories of each size. */
const RUNS: Readonly<Record<SizeName, number>> =
  process.env['VEILCAST_LONG'] === '1' ? { small: 1_000, medium: 100, large: 3 } : { small: 120, medium: 6, large: 0 };
const SIZE = (process.env['VEILCAST_SIM_SIZE'] ?? 'small') as SizeName;
const SEEDS = process.env['VEILCAST_SIM_SEEDS'];
const FIRST = Number(process.env['VEILCAST_SIM_FIRST'] ?? 1);
const ONE = process.env['VEILCAST_SIM_SEED'];
/** Real time that a history may take on a machine with much else to do. */
const TIMEOUT_MS: Readonly<Record<SizeName, number>> = { small: 4_000, medium: 30_000, large: 900_000 };
/** Failures that are told in full: one bug breaks many histories. */
const TOLD_MAX = 5;

function told(size: SizeName, seed: number, { broken, trace }: Outcome): string {
  const replay = `VEILCAST_SIM_SIZE=${size} VEILCAST_SIM_SEED=${seed} npx vitest run --project unit test/simulation`;
  return [`seed ${seed} (again, with its trace: ${replay})`, ...broken, '  …', ...trace.slice(-5)].join('\n  ');
}

if (ONE === undefined) {
  for (const size of Object.keys(SIZES) as SizeName[]) {
    const count = SEEDS === undefined ? RUNS[size] : size === SIZE ? Number(SEEDS) : 0;
    const { people, regions, nodesPerRegion } = SIZES[size];
    if (count === 0) continue;
    test(
      `${count} histories of ${regions.length * nodesPerRegion} nodes and ${people} people end well`,
      async () => {
        const failed: string[] = [];
        const outcomes: Outcome[] = [];
        for (let seed = FIRST; seed < FIRST + count && failed.length < TOLD_MAX; seed += 1) {
          const outcome = await live(seed, SIZES[size]);
          outcomes.push(outcome);
          if (outcome.broken.length > 0) failed.push(told(size, seed, outcome));
        }
        expect(failed.join('\n')).toBe('');
        // A run in which no old owner ever tried to act would prove nothing about Terms.
        if (count >= 100) expect(outcomes.some(({ stale }) => stale > 0)).toBe(true);
      },
      60_000 + count * TIMEOUT_MS[size],
    );
  }

  test('a seed repeats its history to the letter', async () => {
    for (const seed of [3, 14]) {
      const [first, second] = [await live(seed, SIZES.small), await live(seed, SIZES.small)];
      expect(second.trace).toEqual(first.trace);
      expect(first.trace.length).toBeGreaterThan(100);
    }
  });
} else {
  test(
    `seed ${ONE} again`,
    async () => {
      const outcome = await live(Number(ONE), SIZES[SIZE]);
      console.log(outcome.trace.join('\n'));
      expect(outcome.broken).toEqual([]);
    },
    60_000 + TIMEOUT_MS[SIZE],
  );
}
