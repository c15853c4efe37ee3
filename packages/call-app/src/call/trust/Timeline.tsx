/** Who came, who went and what became of the keys, the newest first. */
import { Act, cx } from '@veilcast/design';
import { KeyRound, LogIn, LogOut, RefreshCw, TriangleAlert } from 'lucide-react';
import { useState, type ReactElement } from 'react';
import { t } from '../../words/words.ts';
import type { TimelineLine } from './timeline.ts';
import styles from './Timeline.module.css';

const ICONS = { made: KeyRound, came: LogIn, went: LogOut, renewed: RefreshCw, warned: TriangleAlert } as const;
/** Shown before somebody asks for all. */
const SHOWN = 6;

export function Timeline({ lines }: { readonly lines: readonly TimelineLine[] }): ReactElement {
  const [all, setAll] = useState(false);
  const shown = all ? lines : lines.slice(0, SHOWN);
  return (
    <>
      <ol className={styles.lines} data-testid="timeline">
        {shown.map((line) => (
          <Line key={line.key} line={line} />
        ))}
      </ol>
      {lines.length > SHOWN && !all && <Act onPress={() => setAll(true)}>{t('timeline.all')}</Act>}
    </>
  );
}

function Line({ line: { at, kind, words } }: { readonly line: TimelineLine }): ReactElement {
  const Icon = ICONS[kind];
  const time = new Date(at);
  return (
    <li className={cx(styles.line, kind === 'warned' && styles.warned)} data-kind={kind}>
      <Icon size={16} strokeWidth={1.75} aria-hidden />
      <bdi>{words}</bdi>
      <time dateTime={time.toISOString()}>
        {time.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })}
      </time>
    </li>
  );
}
