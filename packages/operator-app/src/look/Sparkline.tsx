/** The last minutes of a figure as a line, without axes: the number beside it tells the height. */
import type { ReactElement } from 'react';
import styles from './Sparkline.module.css';

const WIDTH = 120;
const HEIGHT = 32;

export function Sparkline({ values }: { readonly values: readonly number[] }): ReactElement | undefined {
  if (values.length < 2) return undefined;
  const low = Math.min(...values);
  const span = Math.max(...values) - low;
  const points = values.map((value, place) => {
    const x = (place / (values.length - 1)) * WIDTH;
    // A figure that does not move is a line in the middle.
    const y = span === 0 ? HEIGHT / 2 : HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4);
    return `${x.toFixed(1)},${y.toFixed(1)}`;
  });
  return (
    <svg className={styles.spark} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
      <polygon points={`0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} className={styles.area} />
      <polyline points={points.join(' ')} className={styles.line} />
    </svg>
  );
}
