/** The frame: places at the left, the cluster's name and state above, the place in the middle. */
import { cx, Mark } from '@veilcast/design';
import { Cable, DoorOpen, LayoutDashboard, Server, type LucideIcon } from 'lucide-react';
import { useEffect, type ReactElement } from 'react';
import type { Picture } from '@veilcast/protocol';
import styles from './App.module.css';
import type { Feed, FeedState } from './feed/feed.ts';
import { useFeed, useRoute } from './hooks.ts';
import { linkTo, PLACES, type PlaceName, type Route } from './route/route.ts';
import { Connecting, LinkNotice } from './screens/LinkNotice.tsx';
import { MapScreen } from './screens/MapScreen.tsx';
import { NodeScreen, NodesScreen } from './screens/Nodes.tsx';
import { Overview } from './screens/Overview.tsx';
import { RoomScreen, RoomsScreen } from './screens/Rooms.tsx';
import { TopBar } from './screens/TopBar.tsx';
import { words } from './words.ts';

const ICONS: Readonly<Record<PlaceName, LucideIcon>> = {
  overview: LayoutDashboard,
  map: Cable,
  rooms: DoorOpen,
  nodes: Server,
};

export function App({ feed }: { readonly feed: Feed }): ReactElement {
  const state = useFeed(feed);
  const route = useRoute();
  const cluster = state.picture?.cluster;
  useEffect(() => {
    document.title = `${words.places[route.place]} · ${cluster ?? words.title} · Veilcast`;
  }, [route.place, cluster]);
  // Somewhere else begins at its top.
  const where = `${route.place} ${route.id ?? ''}`;
  useEffect(() => {
    if (where !== '') window.scrollTo(0, 0);
  }, [where]);
  return (
    <div className={styles.frame}>
      <nav className={styles.nav} aria-label={words.nav}>
        <a className={styles.brand} href={linkTo({ place: 'overview' })}>
          <Mark />
        </a>
        {PLACES.map((place) => (
          <NavLink key={place} place={place} here={route.place === place} />
        ))}
      </nav>
      <TopBar state={state} />
      <main className={styles.main} tabIndex={-1}>
        <LinkNotice state={state} />
        {state.picture ? (
          <Place picture={state.picture} state={state} route={route} feed={feed} />
        ) : (
          <Connecting state={state} />
        )}
      </main>
    </div>
  );
}

function NavLink({ place, here }: { readonly place: PlaceName; readonly here: boolean }): ReactElement {
  const Icon = ICONS[place];
  return (
    <a
      className={cx(styles.link, here && styles.here)}
      href={linkTo({ place })}
      aria-current={here ? 'page' : undefined}
    >
      <Icon size={20} strokeWidth={1.75} aria-hidden />
      {words.places[place]}
    </a>
  );
}

interface PlaceProps {
  readonly picture: Picture;
  readonly state: FeedState;
  readonly route: Route;
  readonly feed: Feed;
}

function Place({ picture, state, route, feed }: PlaceProps): ReactElement {
  switch (route.place) {
    case 'map':
      return <MapScreen picture={picture} route={route} />;
    case 'rooms':
      return route.id === undefined ? (
        <RoomsScreen picture={picture} route={route} />
      ) : (
        <RoomScreen picture={picture} id={route.id} />
      );
    case 'nodes':
      return route.id === undefined ? (
        <NodesScreen picture={picture} route={route} />
      ) : (
        <NodeScreen picture={picture} id={route.id} drain={feed.drain} />
      );
    default:
      return <Overview picture={picture} past={state.past} />;
  }
}
