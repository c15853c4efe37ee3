/** The same histories with ts-mls and X-Wing: fewer and shorter ones, since every Commit is real work. */
import { tsMlsLibrary } from '@veilcast/e2ee';
import { expect, test } from 'vitest';
import { liveWith } from './history.ts';

const SEEDS = 10;
const LENGTH = { steps: 16, crowd: 4 };

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))('seed %i ends in one Epoch', async (seed) => {
  const { broken, trace, epochs } = await liveWith(tsMlsLibrary(), seed, LENGTH);
  expect([broken, broken.length > 0 ? trace.slice(-40) : []]).toEqual([[], []]);
  expect(epochs).toBeGreaterThan(1);
});
