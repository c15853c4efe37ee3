/** The map, of everything or of one room's tree. */
import { cx } from '@veilcast/design';
import type { ReactElement } from 'react';
import type { Picture } from '@veilcast/protocol';
import { CascadeMap } from '../map/CascadeMap.tsx';
import { linkTo, type Route } from '../route/route.ts';
import { words } from '../words.ts';
import { CallLink } from './CallLink.tsx';
import { Card, Empty } from './Card.tsx';
import styles from './MapScreen.module.css';

/** More than this many rooms are found by the search, not in a row of buttons. */
const CHOICES_MAX = 8;

export function MapScreen({ picture, route }: { readonly picture: Picture; readonly route: Route }): ReactElement {
  const room = picture.rooms.find(({ roomId }) => roomId === route.room);
  if (picture.nodes.length === 0) {
    return (
      <Card title={words.map.title}>
        <Empty title={words.empty.nodes} more={words.empty.nodesMore} />
      </Card>
    );
  }
  return (
    <Card title={words.map.title} aside={<Choices picture={picture} room={room?.roomId} />}>
      <div className={styles.scroll}>
        <CascadeMap picture={picture} room={room} />
      </div>
      {picture.rooms.length === 0 ? (
        <Empty title={words.empty.rooms} more={words.empty.roomsMore}>
          <CallLink />
        </Empty>
      ) : (
        <p className={styles.legend}>{words.map.legend}</p>
      )}
    </Card>
  );
}

/** The largest rooms, and the chosen one whatever its size. */
function Choices({
  picture,
  room,
}: {
  readonly picture: Picture;
  readonly room: string | undefined;
}): ReactElement | undefined {
  const { rooms } = picture;
  if (rooms.length === 0) return undefined;
  const largest = [...rooms]
    .sort((a, b) => b.peers - a.peers || a.roomId.localeCompare(b.roomId))
    .slice(0, CHOICES_MAX);
  const shown = rooms.filter((one) => largest.includes(one) || one.roomId === room);
  return (
    <nav className={styles.choices} aria-label={words.map.choose}>
      <a className={cx(styles.choice, room === undefined && styles.chosen)} href={linkTo({ place: 'map' })}>
        {words.map.all}
      </a>
      {shown.map(({ roomId }) => (
        <a
          key={roomId}
          className={cx(styles.choice, room === roomId && styles.chosen)}
          href={linkTo({ place: 'map', room: roomId })}
          aria-current={room === roomId ? 'true' : undefined}
        >
          {roomId}
        </a>
      ))}
    </nav>
  );
}
