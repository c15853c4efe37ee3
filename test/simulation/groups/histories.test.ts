/**
 * Groups under everything that people and networks do, by seed. `VEILCAST_GROUP_SEEDS=20000` runs more histories,
 * `VEILCAST_GROUP_SEED=17` runs one again and prints what happened.
 */
import { expect, test } from 'vitest';
import { live, type Outcome } from './history.ts';

const SEEDS = Number(process.env['VEILCAST_GROUP_SEEDS'] ?? 500);
const ONE = process.env['VEILCAST_GROUP_SEED'];
const TIMEOUT_MS = 60_000 + SEEDS * 1_000;
/** Failures that are told in full: one bug breaks many histories. */
const TOLD_MAX = 3;
const LENGTH = { steps: 50, crowd: 6 };

function told(seed: number, { broken, trace }: Outcome): string {
  const replay = `VEILCAST_GROUP_SEED=${seed} npx vitest run --project unit test/simulation/groups/histories.test.ts`;
  return [`seed ${seed} (again, with its trace: ${replay})`, ...broken, '  …', ...trace.slice(-8)].join('\n  ');
}

if (ONE === undefined) {
  test(
    `${SEEDS} histories of ${LENGTH.steps} steps end in one Epoch, and nobody has keys who should not`,
    async () => {
      const failed: string[] = [];
      const met = new Map<string, number>();
      for (let seed = 1; seed <= SEEDS && failed.length < TOLD_MAX; seed += 1) {
        const outcome = await live(seed, LENGTH);
        for (const [what, count] of outcome.counts) met.set(what, (met.get(what) ?? 0) + count);
        if (outcome.broken.length > 0) failed.push(told(seed, outcome));
      }
      expect(failed.join('\n')).toBe('');
      if (SEEDS < 500) return;
      // Histories that never lose a race, rotate, or lose a place would prove nothing about those.
      for (const what of [
        'refused: EPOCH_CONFLICT',
        'lost its place',
        'rotated by',
        'removed by',
        'admitted by',
        'restarts',
      ]) {
        expect([what, [...met.keys()].some((line) => line.includes(what))]).toEqual([what, true]);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'a seed repeats its history to the letter',
    async () => {
      for (const seed of [3, 14]) {
        const [first, second] = [await live(seed, LENGTH), await live(seed, LENGTH)];
        expect(second.trace).toEqual(first.trace);
        expect(first.trace.length).toBeGreaterThan(50);
      }
    },
    TIMEOUT_MS,
  );
} else {
  test(
    `seed ${ONE} again`,
    async () => {
      const outcome = await live(Number(ONE), LENGTH);
      console.log(outcome.trace.join('\n'));
      expect(outcome.broken).toEqual([]);
    },
    TIMEOUT_MS,
  );
}
