/** A line of text with its label, a hint, and in words what is wrong with it. */
import { cx } from '@veilcast/design';
import type { ReactElement } from 'react';
import { FieldError, Input, Label, Text, TextField, type TextFieldProps } from 'react-aria-components';
import styles from './Field.module.css';

interface FieldProps extends Omit<TextFieldProps, 'className' | 'children' | 'style'> {
  readonly label: string;
  readonly hint?: string;
  readonly problem?: string | undefined;
  readonly testId?: string;
}

export function Field({ label, hint, problem, testId, ...rest }: FieldProps): ReactElement {
  return (
    <TextField {...rest} className={cx(styles.field)} isInvalid={problem !== undefined}>
      <Label className={cx(styles.label)}>{label}</Label>
      <Input className={cx(styles.input)} data-testid={testId} dir="auto" />
      {hint !== undefined && problem === undefined && (
        <Text slot="description" className={cx(styles.hint)}>
          {hint}
        </Text>
      )}
      <FieldError className={cx(styles.problem)}>{problem}</FieldError>
    </TextField>
  );
}
