/** A part of a screen with its heading. */
import type { ReactElement, ReactNode } from 'react';
import styles from './Card.module.css';

interface CardProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

export function Card({ title, aside, children }: CardProps): ReactElement {
  return (
    <section className={styles.card}>
      <header className={styles.head}>
        <h2 className={styles.title}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** Nothing to show: what that means and how to change it. */
export function Empty({
  title,
  more,
  children,
}: {
  readonly title: string;
  readonly more: string;
  readonly children?: ReactNode;
}): ReactElement {
  return (
    <div className={styles.empty}>
      <p className={styles.emptyTitle}>{title}</p>
      <p className={styles.emptyMore}>{more}</p>
      {children}
    </div>
  );
}
