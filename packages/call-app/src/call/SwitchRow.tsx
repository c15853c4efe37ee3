/** Something that is on or off, with a word on what that means. */
import { cx } from '@veilcast/design';
import type { ReactElement } from 'react';
import { Switch } from 'react-aria-components';
import styles from './SwitchRow.module.css';

interface SwitchRowProps {
  readonly label: string;
  readonly hint: string;
  readonly on: boolean;
  readonly onChange: (on: boolean) => void;
  readonly testId?: string;
}

export function SwitchRow({ label, hint, on, onChange, testId }: SwitchRowProps): ReactElement {
  return (
    <Switch className={cx(styles.switch)} isSelected={on} onChange={onChange} data-testid={testId}>
      <span>
        {label}
        <span className={styles.hint}>{hint}</span>
      </span>
      <span className={styles.track} aria-hidden />
    </Switch>
  );
}
