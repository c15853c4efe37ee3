/** The frame of every screen that is not the call: the lock or the name at its place, one column, the words in the middle. */
import type { ReactElement, ReactNode } from 'react';
import styles from './Page.module.css';

interface PageProps {
  readonly corner: ReactNode;
  readonly children: ReactNode;
}

export function Page({ corner, children }: PageProps): ReactElement {
  return (
    <div className={styles.page}>
      <header className={styles.top}>{corner}</header>
      <main className={styles.column}>{children}</main>
    </div>
  );
}

export function Brand(): ReactElement {
  return (
    <span className={styles.brand}>
      <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden>
        <rect width="32" height="32" rx="8" className={styles.mark} />
        <path d="M9 10l7 13 7-13" className={styles.stroke} />
        <circle cx="16" cy="10" r="2.2" className={styles.dot} />
      </svg>
      Veilcast
    </span>
  );
}
