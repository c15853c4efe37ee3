import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { arrange, nextOrder, readOrder, type Column } from './sorting.ts';

interface Row {
  readonly id: string;
  readonly load: number;
}
const columns: readonly Column<Row>[] = [
  { key: 'id', title: 'Id', value: ({ id }) => id },
  { key: 'load', title: 'Load', value: ({ load }) => load, numeric: true },
];
const rows = fc.array(fc.record({ id: fc.string(), load: fc.nat(5) }));

it('sorts without losing a row, and equal rows keep their order', () => {
  fc.assert(
    fc.property(rows, fc.constantFrom('load', '-load'), (all, sort) => {
      const sorted = arrange(all, columns, readOrder(sort, 'id'), '');
      expect(sorted).toHaveLength(all.length);
      for (const [i, row] of sorted.entries()) {
        const before = sorted[i - 1];
        if (!before) continue;
        const way = sort === 'load' ? row.load - before.load : before.load - row.load;
        expect(way).toBeGreaterThanOrEqual(0);
        if (way === 0) expect(all.indexOf(row)).toBeGreaterThan(all.indexOf(before));
      }
    }),
  );
});

it('filters by every word, in any column', () => {
  const all = [
    { id: 'eu-1', load: 3 },
    { id: 'us-1', load: 4 },
  ];
  expect(arrange(all, columns, readOrder(undefined, 'id'), ' EU 3')).toEqual([all[0]]);
  expect(arrange(all, columns, readOrder(undefined, 'id'), 'eu 4')).toEqual([]);
});

it('a second press turns the order', () => {
  const [id, load] = columns as unknown as [Column<unknown>, Column<unknown>];
  expect(nextOrder({ key: 'id', descending: false }, load)).toBe('-load');
  expect(nextOrder({ key: 'load', descending: true }, load)).toBe('load');
  expect(nextOrder({ key: 'load', descending: true }, id)).toBe('id');
});
