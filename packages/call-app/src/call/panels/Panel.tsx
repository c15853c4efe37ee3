/** The frame of a panel: a title, a way to close it, and what it tells. Slides from the right, on a phone from below. */
import { IconAct } from '@veilcast/design';
import { X } from 'lucide-react';
import { useEffect, useId, useRef, type ReactElement, type ReactNode } from 'react';
import { t } from '../../words/words.ts';
import styles from './Panel.module.css';

/** In the order of Tab, so that the keyboard can scroll a panel that holds only text. */
const SCROLLED_BY_KEYS = { tabIndex: 0 } as const;

interface PanelProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** Stays below while the rest scrolls. */
  readonly foot?: ReactNode;
}

export function Panel({ title, onClose, children, foot }: PanelProps): ReactElement {
  const id = useId();
  const root = useRef<HTMLElement>(null);
  useEffect(() => {
    // Focus follows into the panel and returns to where it was.
    const before = document.activeElement;
    const first = root.current?.querySelector<HTMLElement>('textarea') ?? root.current;
    first?.focus({ preventScroll: true });
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <aside ref={root} className={styles.panel} aria-labelledby={id} tabIndex={-1}>
      <header className={styles.head}>
        <h2 id={id} className={styles.title}>
          {title}
        </h2>
        <IconAct icon={X} label={t('panel.close')} shortcut="Esc" onPress={onClose} />
      </header>
      <section className={styles.body} aria-labelledby={id} {...SCROLLED_BY_KEYS}>
        {children}
      </section>
      {foot !== undefined && <footer className={styles.foot}>{foot}</footer>}
    </aside>
  );
}
