/** A round or square button that is an icon: always with a name for screen readers, and a tooltip that tells the shortcut. */
import type { LucideIcon } from 'lucide-react';
import type { ReactElement } from 'react';
import { Button, Tooltip, TooltipTrigger, type ButtonProps } from 'react-aria-components';
import { cx } from './cx.ts';
import styles from './IconAct.module.css';

export interface IconActProps extends Omit<ButtonProps, 'className' | 'children' | 'aria-label'> {
  readonly icon: LucideIcon;
  readonly label: string;
  readonly shortcut?: string;
  readonly testId?: string;
}

export function IconAct({ icon: Icon, label, shortcut, testId, ...rest }: IconActProps): ReactElement {
  return (
    <TooltipTrigger delay={500}>
      <Button {...rest} aria-label={label} data-testid={testId} className={cx(styles.act)}>
        <Icon size={20} strokeWidth={1.75} aria-hidden />
      </Button>
      <Tip label={label} shortcut={shortcut} />
    </TooltipTrigger>
  );
}

export function Tip(props: { readonly label: string; readonly shortcut?: string | undefined }): ReactElement {
  return (
    <Tooltip className={cx(styles.tip)} offset={8}>
      {props.label}
      {props.shortcut !== undefined && <kbd className={styles.key}>{props.shortcut}</kbd>}
    </Tooltip>
  );
}
