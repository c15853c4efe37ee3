/** A table with ids that can be copied, an order that is part of the link, and a filter. Everything by keyboard. */
import { copyText, cx, IconAct } from '@veilcast/design';
import { ArrowDown, ArrowUp, Check, Copy } from 'lucide-react';
import { useState, type ReactElement, type ReactNode } from 'react';
import { arrange, nextOrder, readOrder, type Column, type Order } from '../look/sorting.ts';
import { short } from '../look/units.ts';
import { words } from '../words.ts';
import styles from './DataTable.module.css';

export interface Shown<T> extends Column<T> {
  /** How a value looks; without it, as it is. */
  readonly cell?: (row: T) => ReactNode;
}

interface DataTableProps<T> {
  readonly label: string;
  readonly rows: readonly T[];
  readonly columns: readonly Shown<T>[];
  readonly id: (row: T) => string;
  readonly sort: string | undefined;
  readonly fallback: string;
  readonly q?: string | undefined;
  readonly onSort: (sort: string) => void;
}

export function DataTable<T>(props: DataTableProps<T>): ReactElement {
  const { label, rows, columns, id, sort, fallback, q = '', onSort } = props;
  const order = readOrder(sort, fallback);
  const shown = arrange(rows, columns, order, q);
  return (
    <section className={styles.scroll} aria-label={label}>
      <table className={styles.table}>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.key} column={column} order={order} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={id(row)}>
              {columns.map(({ key, value, cell, numeric }) => (
                <td key={key} className={cx(numeric === true && styles.numeric)}>
                  {cell ? cell(row) : value(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length === 0 && <p className={styles.none}>{words.empty.found}</p>}
    </section>
  );
}

interface HeadProps<T> {
  readonly column: Shown<T>;
  readonly order: Order;
  readonly onSort: (sort: string) => void;
}

function Head<T>({ column, order, onSort }: HeadProps<T>): ReactElement {
  const sorted = column.key === order.key;
  const Icon = order.descending ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={sorted ? (order.descending ? 'descending' : 'ascending') : 'none'}
      className={cx(column.numeric === true && styles.numeric)}
    >
      <button type="button" className={styles.sort} onClick={() => onSort(nextOrder(order, column))}>
        {column.title}
        <Icon size={16} strokeWidth={1.75} aria-hidden className={cx(!sorted && styles.unsorted)} />
      </button>
    </th>
  );
}

interface IdProps {
  readonly id: string;
  readonly href?: string;
}

/** An id in its own letters: shortened, whole in the title, copied by a press. */
export function Id({ id, href }: IdProps): ReactElement {
  const [copied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    setCopied(await copyText(id));
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <span className={styles.id}>
      {href === undefined ? (
        <code title={id}>{short(id)}</code>
      ) : (
        <a href={href} title={id}>
          <code>{short(id)}</code>
        </a>
      )}
      <IconAct
        icon={copied ? Check : Copy}
        label={copied ? words.table.copied : words.table.copy(id)}
        onPress={() => void copy()}
      />
    </span>
  );
}

interface FilterProps {
  readonly q: string | undefined;
  readonly shown: string;
  readonly onFilter: (q: string) => void;
}

export function Filter({ q, shown, onFilter }: FilterProps): ReactElement {
  return (
    <span className={styles.filter}>
      <span className={styles.rows}>{shown}</span>
      <input
        type="search"
        className={styles.input}
        aria-label={words.table.filter}
        placeholder={words.table.filter}
        value={q ?? ''}
        onChange={(event) => onFilter(event.target.value)}
      />
    </span>
  );
}
