/** One control of the bar: icon, from 900 px its word, a tooltip with the shortcut, a count when something is new. */
import { cx, Tip } from '@veilcast/design';
import type { LucideIcon } from 'lucide-react';
import type { ReactElement } from 'react';
import { Button, TooltipTrigger, type ButtonProps } from 'react-aria-components';
import styles from './Bar.module.css';

export interface BarButtonProps extends Omit<ButtonProps, 'className' | 'children'> {
  readonly icon: LucideIcon;
  /** What pressing does, for the tooltip and for screen readers. */
  readonly name: string;
  /** The short word under the icon. */
  readonly word?: string;
  readonly shortcut?: string;
  readonly testId?: string;
  /** off: a device that is not on. active: something that is under way. */
  readonly tone?: 'plain' | 'off' | 'active' | 'end';
  readonly count?: number;
  /** Not on a phone; there it is in "More". */
  readonly roomy?: boolean;
}

export function BarButton(props: BarButtonProps): ReactElement {
  const { icon: Icon, name, word = name, shortcut, testId, tone = 'plain', count = 0, roomy = false, ...rest } = props;
  return (
    <TooltipTrigger delay={500}>
      <Button
        {...rest}
        aria-label={name}
        data-testid={testId}
        data-tone={tone}
        className={cx(styles.button, styles[tone], roomy && styles.roomy)}
      >
        <Icon size={20} strokeWidth={1.75} aria-hidden />
        <span className={styles.word}>{word}</span>
        {count > 0 && <span className={styles.count} data-count={count > 99 ? '99+' : count} />}
      </Button>
      <Tip label={name} shortcut={shortcut} />
    </TooltipTrigger>
  );
}
