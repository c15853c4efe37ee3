/** How it goes: the figures with their past, what is outside its range, and the cascade. */
import { cx } from '@veilcast/design';
import { CircleCheck, TriangleAlert } from 'lucide-react';
import type { ReactElement } from 'react';
import type { Picture } from '@veilcast/protocol';
import { concernsOf, figuresOf, type Concern, type Figure, type Moment } from '../feed/figures.ts';
import { Sparkline } from '../look/Sparkline.tsx';
import { bits, count, delay, loss, packets, share, since } from '../look/units.ts';
import { linkTo } from '../route/route.ts';
import { words } from '../words.ts';
import { CascadeMap } from '../map/CascadeMap.tsx';
import { CallLink } from './CallLink.tsx';
import { Card, Empty } from './Card.tsx';
import { Revoke } from './Revoke.tsx';
import mapStyles from './MapScreen.module.css';
import styles from './Overview.module.css';

const FIGURES: readonly { readonly key: Figure; readonly tell: (value: number) => string; readonly max?: number }[] = [
  { key: 'people', tell: count },
  { key: 'rooms', tell: count },
  { key: 'packetsPerSecond', tell: packets },
  { key: 'bitsPerSecond', tell: bits },
  { key: 'busiest', tell: share, max: 0.8 },
  { key: 'slowestMs', tell: delay },
  { key: 'worstLoss', tell: loss, max: 0.02 },
];

interface OverviewProps {
  readonly picture: Picture;
  readonly past: readonly Moment[];
}

export function Overview({ picture, past }: OverviewProps): ReactElement {
  const now = figuresOf(picture);
  const healthy = picture.nodes.filter(({ state }) => state === 'healthy').length;
  return (
    <>
      <ul className={styles.figures}>
        <li className={styles.figure}>
          <span className={styles.title}>{words.figures.nodes}</span>
          <span className={cx(styles.value, healthy < picture.nodes.length && styles.outside)}>
            {healthy} of {picture.nodes.length}
          </span>
        </li>
        {FIGURES.map(({ key, tell, max }) => (
          <FigureCard
            key={key}
            title={words.figures[key]}
            value={now[key]}
            past={past}
            figure={key}
            tell={tell}
            max={max}
          />
        ))}
      </ul>
      <Concerns picture={picture} />
      <Card title={words.map.title}>
        <div className={mapStyles.scroll}>
          {picture.nodes.length === 0 ? (
            <Empty title={words.empty.nodes} more={words.empty.nodesMore} />
          ) : (
            <CascadeMap picture={picture} />
          )}
        </div>
        {picture.rooms.length === 0 && (
          <Empty title={words.empty.rooms} more={words.empty.roomsMore}>
            <CallLink />
          </Empty>
        )}
      </Card>
      <Revoke />
    </>
  );
}

interface FigureCardProps {
  readonly title: string;
  readonly value: number | null;
  readonly past: readonly Moment[];
  readonly figure: Figure;
  readonly tell: (value: number) => string;
  /** The upper end of the normal range, where there is one. */
  readonly max: number | undefined;
}

function FigureCard({ title, value, past, figure, tell, max }: FigureCardProps): ReactElement {
  const values = past.flatMap((moment) => moment[figure] ?? []);
  const outside = value !== null && max !== undefined && value > max;
  return (
    <li className={styles.figure}>
      <span className={styles.title}>{title}</span>
      <span className={cx(styles.value, outside && styles.outside)}>
        {outside && <TriangleAlert size={20} strokeWidth={1.75} aria-hidden />}
        {value === null ? '—' : tell(value)}
      </span>
      {values.length > 1 && (
        <>
          <Sparkline values={values} />
          <span className={styles.range}>
            {words.figures.range(
              tell(Math.min(...values)),
              tell(Math.max(...values)),
              since(past[0]?.at ?? 0, past.at(-1)?.at ?? 0),
            )}
          </span>
        </>
      )}
    </li>
  );
}

function Concerns({ picture }: { readonly picture: Picture }): ReactElement {
  const concerns = concernsOf(picture);
  return (
    <Card title={words.concerns.title}>
      {concerns.length === 0 ? (
        <p className={styles.calm}>
          <CircleCheck size={20} strokeWidth={1.75} aria-hidden />
          {words.concerns.none}
        </p>
      ) : (
        <ul className={styles.concerns}>
          {concerns.map((concern) => (
            <li key={`${concern.kind} ${concern.id}`}>
              <a href={linkOf(concern, picture)}>
                <TriangleAlert size={20} strokeWidth={1.75} aria-hidden />
                {words.concerns[concern.kind](concern.id, concern.value)}
              </a>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function linkOf({ kind, id }: Concern, { nodes, pipes }: Picture): string {
  switch (kind) {
    case 'node':
      return linkTo({ place: 'nodes', id });
    case 'cpu': {
      const node = nodes.find(({ workers }) => workers.some(({ workerId }) => workerId === id));
      return linkTo({ place: 'nodes', ...(node ? { id: node.nodeId } : {}) });
    }
    case 'loss': {
      const room = pipes.find(({ pipeId }) => pipeId === id)?.roomId;
      return linkTo({ place: 'map', ...(room === undefined ? {} : { room }) });
    }
    case 'people':
      return linkTo({ place: 'rooms', id });
    default:
      return linkTo({ place: 'nodes' });
  }
}
