/** Sorting and filtering of a table whose rows are made of texts and numbers. Pure. */

export interface Column<T> {
  readonly key: string;
  readonly title: string;
  readonly value: (row: T) => string | number;
  readonly numeric?: boolean;
}

export interface Order {
  readonly key: string;
  readonly descending: boolean;
}

export function readOrder(sort: string | undefined, fallback: string): Order {
  const given = sort ?? fallback;
  return given.startsWith('-') ? { key: given.slice(1), descending: true } : { key: given, descending: false };
}

/** A second press on the same column turns the order; numbers begin with the largest. */
export function nextOrder(order: Order, column: Pick<Column<unknown>, 'key' | 'numeric'>): string {
  if (order.key === column.key) return order.descending ? column.key : `-${column.key}`;
  return column.numeric === true ? `-${column.key}` : column.key;
}

/** Equal rows keep their order, so that rows do not jump with every picture. */
export function arrange<T>(rows: readonly T[], columns: readonly Column<T>[], order: Order, q: string): T[] {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter((row) => {
    const text = columns.map(({ value }) => String(value(row)).toLowerCase()).join(' ');
    return words.every((word) => text.includes(word));
  });
  const column = columns.find(({ key }) => key === order.key);
  if (!column) return found;
  const way = order.descending ? -1 : 1;
  return found.sort((a, b) => way * compare(column.value(a), column.value(b)));
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}
