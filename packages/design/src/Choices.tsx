/** What floats over a screen to choose from: the popover, the list in it, and one choice, ticked where it is the chosen one. */
import { Check } from 'lucide-react';
import type { ReactElement, ReactNode } from 'react';
import {
  ListBox,
  ListBoxItem,
  Menu,
  MenuItem,
  Popover,
  type ListBoxProps,
  type MenuProps,
  type PopoverProps,
} from 'react-aria-components';
import styles from './Choices.module.css';
import { cx } from './cx.ts';

interface FloatProps extends Omit<PopoverProps, 'className'> {
  /** As wide as what it opens from. */
  readonly asWide?: boolean;
}

export function Float({ asWide = false, ...rest }: FloatProps): ReactElement {
  return <Popover {...rest} className={cx(styles.popover, asWide && styles.asWide)} />;
}

export function ChoiceList<T extends object>(props: Omit<ListBoxProps<T>, 'className'>): ReactElement {
  return <ListBox {...props} className={cx(styles.list)} />;
}

export function ChoiceMenu<T extends object>(props: Omit<MenuProps<T>, 'className'>): ReactElement {
  return <Menu {...props} className={cx(styles.list)} />;
}

interface ChoiceProps {
  readonly id?: string;
  /** What it is called. */
  readonly text: string;
  /** Instead of `text` where it looks different. */
  readonly children?: ReactNode;
  /** Quiet, at the end of the line. */
  readonly beside?: string;
}

export function ListChoice({ id, text, children, beside }: ChoiceProps): ReactElement {
  return (
    <ListBoxItem {...(id === undefined ? {} : { id })} textValue={text} className={cx(styles.item)}>
      {({ isSelected }) => (
        <Inside chosen={isSelected} beside={beside}>
          {children ?? <span>{text}</span>}
        </Inside>
      )}
    </ListBoxItem>
  );
}

export function MenuChoice({
  id,
  text,
  children,
  beside,
  onAction,
}: ChoiceProps & { readonly onAction?: () => void }): ReactElement {
  return (
    <MenuItem
      {...(id === undefined ? {} : { id })}
      {...(onAction && { onAction })}
      textValue={text}
      className={cx(styles.item)}
    >
      {({ isSelected }) => (
        <Inside chosen={isSelected} beside={beside}>
          {children ?? <span>{text}</span>}
        </Inside>
      )}
    </MenuItem>
  );
}

interface InsideProps {
  readonly chosen: boolean;
  readonly beside: string | undefined;
  readonly children: ReactNode;
}

function Inside({ chosen, beside, children }: InsideProps): ReactElement {
  return (
    <>
      {children}
      {beside !== undefined && <span className={styles.beside}>{beside}</span>}
      {chosen && <Check size={20} strokeWidth={1.75} aria-hidden />}
    </>
  );
}
