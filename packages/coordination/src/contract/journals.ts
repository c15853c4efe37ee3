/** What Journals promise, on three views of one store. */
import { expect, test } from 'vitest';
import type { CoordinationSubject } from './index.ts';

export function journalContract(subject: () => CoordinationSubject): void {
  test('journals: writers who race agree on one order, and nobody writes where the end is not', async () => {
    const wrote = new Map<string, number>();
    await Promise.all(
      subject().views.map(async ({ journals }, by) => {
        for (let at = 0, mine = 0; mine < 5;) {
          const entries = [`${by}.${mine} ä\n`, `${by}.${mine}'`];
          const { kind, size } = await journals.append('race', at, entries);
          at = size;
          if (kind === 'refused') continue;
          for (const [i, entry] of entries.entries()) wrote.set(entry, size - entries.length + i);
          mine += 1;
        }
      }),
    );
    const all = await subject().views[0].journals.read('race', 0);
    expect([...wrote].toSorted(([, a], [, b]) => a - b).map(([entry]) => entry)).toEqual(all);
    expect(all).toHaveLength(30);
    expect(await subject().views[1].journals.read('race', 28)).toEqual(all.slice(28));
    expect(await subject().views[1].journals.read('race', 30)).toEqual([]);
    await subject().views[2].journals.remove('race');
    expect(await subject().views[0].journals.append('race', 30, ['late'])).toEqual({ kind: 'refused', size: 0 });
  });

  test('journals: a long one is read whole', async () => {
    const entries = Array.from({ length: 40 }, (_, at) => `${at}`.padEnd(100_000, '.'));
    await subject().views[0].journals.append('long', 0, entries, 60_000);
    expect((await subject().views[1].journals.read('long', 0)).map(parseFloat)).toEqual(entries.map(parseFloat));
  });
}
