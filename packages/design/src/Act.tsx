/** The button with words: one primary a screen, quiet ones beside it, danger for what ends something. */
import type { ReactElement, ReactNode } from 'react';
import { Button, type ButtonProps } from 'react-aria-components';
import styles from './Act.module.css';
import { cx } from './cx.ts';

export interface ActProps extends Omit<ButtonProps, 'className' | 'children'> {
  readonly kind?: 'primary' | 'quiet' | 'danger';
  readonly children: ReactNode;
  readonly testId?: string;
  readonly wide?: boolean;
}

export function Act({ kind = 'quiet', children, testId, wide = false, ...rest }: ActProps): ReactElement {
  return (
    <Button {...rest} data-testid={testId} className={cx(styles.act, styles[kind], wide && styles.wide)}>
      {children}
    </Button>
  );
}
