/** Whether pictures come, in words: nothing while they do. */
import { LoaderCircle, TriangleAlert, Unplug } from 'lucide-react';
import type { ReactElement } from 'react';
import type { FeedState } from '../feed/feed.ts';
import { useNow } from '../hooks.ts';
import { since } from '../look/units.ts';
import { words } from '../words.ts';
import styles from './LinkNotice.module.css';

export function LinkNotice({ state }: { readonly state: FeedState }): ReactElement | undefined {
  const now = useNow();
  if (state.link === 'lost') {
    return (
      <div className={styles.notice} role="alert">
        <Unplug size={20} strokeWidth={1.75} aria-hidden />
        <p>
          <strong>{words.link.lost(since(state.cameAt, now))}</strong>{' '}
          {words.link.lostMore(new Date(state.cameAt).toLocaleTimeString())}
        </p>
      </div>
    );
  }
  if (state.link === 'refused') {
    return (
      <div className={styles.notice} role="alert">
        <TriangleAlert size={20} strokeWidth={1.75} aria-hidden />
        <p>
          <strong>{words.link.refused}</strong> {words.link.refusedMore}
        </p>
      </div>
    );
  }
  return undefined;
}

/** Before the first picture. */
export function Connecting({ state }: { readonly state: FeedState }): ReactElement | undefined {
  if (state.link === 'refused') return undefined;
  return (
    <output className={styles.connecting}>
      <LoaderCircle size={24} strokeWidth={1.75} aria-hidden className={styles.turning} />
      <strong>{words.link.connecting}</strong>
      <span>{words.link.connectingMore}</span>
    </output>
  );
}
