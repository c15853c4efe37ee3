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
