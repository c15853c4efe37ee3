/** Veilcast's mark and name, at the upper left of every screen that is not a call. */
import type { ReactElement } from 'react';
import styles from './Mark.module.css';

export function Mark(): ReactElement {
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
