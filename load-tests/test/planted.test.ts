/** What a bench is for: a fault that somebody plants in the cluster is found, and where there is none, none is found. Needs Go and gcc. */
import { expect, test } from 'vitest';
import { audienceOf, MISSING } from '../bench/audience.ts';
import { hasGo } from '../bench/crowd-program.ts';
import { verdict } from '../bench/figure.ts';
import { forwarding, OVERHEAD_MAX, ratios, type Rounds } from '../bench/forward.ts';
import { spreadOf } from '../bench/spread.ts';
import { planted } from '../planted/planted.ts';

const isPossible = await hasGo();
/** As `load-tests/k6/check.sh`, which says what to install. */
if (!isPossible) console.log('planted faults are not looked for: they need Go 1.26 or newer');
const isLong = process.env.VEILCAST_LONG === '1';
if (!isLong)
  console.log('a planted slowdown is looked for only by npm run test:long: ratios of processor time need minutes');

/** A busy machine needs more turns until the samples can tell. */
const TURNS = { least: 6, most: 30 };

test.runIf(isPossible && isLong)(
  'a forwarding path that is 15 % slower misses its goal, and one that is not does not',
  async () => {
    const judge = (rounds: Rounds, name: string): string => {
      const ratio = ratios(rounds, name, 'bare');
      if (ratio.length < TURNS.least) return 'open';
      return verdict({ goal: OVERHEAD_MAX, quote: 'median', spread: spreadOf(ratio) });
    };
    const { rounds } = await forwarding(
      [
        { name: 'bare', kind: 'bare' },
        { name: 'again', kind: 'bare' },
        { name: 'slowed', kind: 'node', environment: await planted({ slowPercent: 15 }) },
      ],
      { viewers: 10, turns: TURNS.most, pictures: 15 },
      () => undefined,
      (sofar) => judge(sofar, 'slowed') !== 'open',
    );
    for (const name of ['again', 'slowed'])
      console.log(
        `${name} ÷ bare: ${spreadOf(ratios(rounds, name, 'bare')).median.toFixed(3)}, ${rounds[name]?.length} turns`,
      );
    expect(judge(rounds, 'slowed')).toBe('missed');
    expect(judge(rounds, 'again')).not.toBe('missed');
  },
);

test.runIf(isPossible)('a loss of 0.2 % is found, though it is repaired', async () => {
  const size = { rooms: 1, viewers: 10, rounds: 1, seconds: 7, perSecond: 0 };
  const figures = await audienceOf(size, () => undefined, await planted({ loseEach: 500 }));
  const missing = figures.find(({ name }) => name === MISSING)!;
  expect(missing.spread.median).toBeGreaterThan(0.1);
  expect(missing.spread.median).toBeLessThan(0.4);
  expect(verdict(missing)).toBe('missed');
  expect(figures.find(({ name }) => name === 'lost after repair')?.spread.median).toBeLessThan(0.05);
});
