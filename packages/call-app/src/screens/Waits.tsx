/** Waits that go on by themselves: a place in line, and the time until the next try. Not read aloud at each change; what stands above is. */
import { useEffect, useState, type ReactElement } from 'react';
import type { QueuedHere } from '../visit/visit.ts';
import { t } from '../words/words.ts';
import styles from './Waits.module.css';

/** From here on whole minutes are what people want to know. */
const MINUTES_FROM_S = 90;

export function InLine({ place, waitMs, of }: QueuedHere): ReactElement {
  const seconds = Math.max(1, Math.round(waitMs / 1_000));
  const about =
    seconds < MINUTES_FROM_S
      ? t('wait.lineSeconds', { count: seconds })
      : t('wait.lineMinutes', { count: Math.round(seconds / 60) });
  return (
    <div className={styles.wait} data-testid="queue" data-place={place}>
      <progress className={styles.bar} max={of} value={of - place} aria-label={t('wait.lineLabel')} />
      <p>{t('wait.linePlace', { place })}</p>
      <p className={styles.about}>{about}</p>
    </div>
  );
}

/** @param at ms since 1970 */
export function AgainIn({ at }: { readonly at: number }): ReactElement {
  const [count, setCount] = useState(() => secondsUntil(at));
  useEffect(() => {
    const timer = setInterval(() => setCount(secondsUntil(at)), 250);
    return () => clearInterval(timer);
  }, [at]);
  return (
    <p className={styles.wait} data-testid="again-in">
      {t('wait.again', { count })}
    </p>
  );
}

function secondsUntil(at: number): number {
  return Math.max(0, Math.ceil((at - Date.now()) / 1_000));
}
