/** One row of the check: a mark with its word, what was found, the one thing to do. */
import { cx } from '@veilcast/design';
import { Check, Circle, LoaderCircle, Minus, TriangleAlert, X, type LucideIcon } from 'lucide-react';
import type { ReactElement, ReactNode } from 'react';
import { t } from '../words/words.ts';
import styles from './CheckScreen.module.css';
import type { Outcome, Row, RowName } from './result.ts';

const ICONS: Readonly<Record<Outcome, LucideIcon>> = {
  waiting: Circle,
  running: LoaderCircle,
  good: Check,
  warn: TriangleAlert,
  failed: X,
  none: Minus,
};

interface CheckRowProps {
  readonly name: RowName;
  readonly row: Row;
  readonly children?: ReactNode;
}

export function CheckRow({ name, row, children }: CheckRowProps): ReactElement {
  const { outcome, what, next } = row;
  const Icon = ICONS[outcome];
  return (
    <li className={styles.row} data-testid={`check-${name}`} data-outcome={outcome}>
      <Icon size={20} strokeWidth={1.75} aria-hidden className={cx(styles.mark, styles[outcome])} />
      <div className={styles.words}>
        <h2 className={styles.name}>
          {t(`check.row.${name}`)} <span className={styles.outcome}>{t(`check.outcome.${outcome}`)}</span>
        </h2>
        {what !== '' && <p>{what}</p>}
        {next !== undefined && <p className={styles.next}>{next}</p>}
        {children}
      </div>
    </li>
  );
}
