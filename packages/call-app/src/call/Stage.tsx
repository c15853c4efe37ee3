/** Where the people are: lays tiles out, keeps everybody's place, turns pages, and puts a shared screen or a speaker large. */
import type { Call, CallSnapshot } from '@veilcast/client';
import { cx, IconAct } from '@veilcast/design';
import type { ProducerId } from '@veilcast/protocol';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useEffect, useRef, useState, type ReactElement } from 'react';
import type { Size } from '../layout/grid.ts';
import { keepPlaces } from '../layout/places.ts';
import { nextSpotlight, type Spotlight } from '../layout/speaker.ts';
import { gridLayout, isPhone, pageSize, spotlightLayout, tileRatio, type StageLayout } from '../layout/stage.ts';
import type { LocalState } from '../media/local.ts';
import { t } from '../words/words.ts';
import { Alone } from './Alone.tsx';
import { Corner } from './Corner.tsx';
import { useSize } from './hooks.ts';
import styles from './Stage.module.css';
import { Tile } from './Tile.tsx';
import { TileWatch } from './tile-watch.ts';
import { mostlyWide, peopleTiles, screenTiles, selfTile, type TileModel } from './tiles.ts';

export type Layout = 'grid' | 'speaker';

/** A lower stage, with a panel or a keyboard open, has no room for the corner: one sits with the others. */
const CORNER_MIN = 260;
/** What the page buttons take of the stage's height when there is more than one page. */
const PAGER = 52;

interface StageProps {
  readonly call: Call;
  readonly snapshot: CallSnapshot;
  readonly local: LocalState;
  readonly layout: Layout;
}

export function Stage({ call, snapshot, local, layout }: StageProps): ReactElement {
  const area = useRef<HTMLDivElement>(null);
  const size = useSize(area);
  const watch = useTileWatch(call, snapshot);
  const spotlight = useSpotlight(call);
  return (
    <div ref={area} className={styles.stage}>
      {size && <Tiles {...{ size, watch, snapshot, local, layout, spotlight }} />}
    </div>
  );
}

function useTileWatch(call: Call, snapshot: CallSnapshot): TileWatch {
  const [watch] = useState(() => new TileWatch((tiles) => call.showTiles(tiles)));
  const producers = snapshot.people.flatMap(({ tracks }) =>
    tracks.filter(({ track }) => track.kind === 'video').map(({ producerId }) => producerId),
  );
  const key = producers.join(' ');
  useEffect(() => watch.setProducers(key === '' ? [] : (key.split(' ') as ProducerId[])), [watch, key]);
  useEffect(() => () => watch.close(), [watch]);
  return watch;
}

interface TilesProps extends Omit<StageProps, 'call'> {
  readonly size: Size;
  readonly watch: TileWatch;
  readonly spotlight: string | undefined;
}

function Tiles({ size, watch, snapshot, local, layout, spotlight }: TilesProps): ReactElement {
  const self = selfTile(snapshot, local);
  const others = peopleTiles(snapshot);
  const screen = screenTiles(snapshot)[0];
  const corner = self !== undefined && isPhone(size) && others.length > 0 && size.height > CORNER_MIN;
  const seated = useSeated(self && !corner ? [...others, self] : others);
  const main = screen ?? (layout === 'speaker' ? (others.find(({ id }) => id === spotlight) ?? others[0]) : undefined);
  const rest = main === undefined ? seated : seated.filter(({ id }) => id !== main.id);
  const [turned, turn] = usePage(main === undefined ? Math.ceil(rest.length / pageSize(size)) : 1);
  const shown = main === undefined ? rest.slice(turned * pageSize(size), (turned + 1) * pageSize(size)) : rest;
  const wide = mostlyWide(seated);
  const paged = main === undefined && rest.length > pageSize(size);
  const area = paged ? { ...size, height: size.height - PAGER } : size;
  const places = arrange(main, shown.length, area, wide);
  const common = { watch, keying: snapshot.encryption.state === 'waiting' };
  const tileOf = (tile: TileModel, box: StageLayout['tiles'][number]): ReactElement => (
    <Tile
      key={tile.id}
      tile={tile}
      main={tile === main}
      box={box}
      microphone={tile.self && local.microphone.on ? local.microphone.track : undefined}
      {...common}
    />
  );
  return (
    <>
      <ul className={styles.tiles} aria-label={t('stage.label')}>
        {main && places.main && tileOf(main, places.main)}
        {places.tiles.map((box, place) => {
          const tile = shown[place];
          return tile && tileOf(tile, box);
        })}
      </ul>
      {places.more && (
        <p
          className={styles.more}
          style={{ left: places.more.x, top: places.more.y, width: places.more.width, height: places.more.height }}
        >
          {t('stage.more', { count: places.hidden })}
        </p>
      )}
      {paged && <Pager page={turned} pages={Math.ceil(rest.length / pageSize(size))} turn={turn} />}
      {corner && (
        <Corner
          tile={self}
          watch={watch}
          microphone={local.microphone}
          stage={{ ...area, height: places.main?.height ?? area.height }}
          small={others.length > 1}
        />
      )}
      {others.length === 0 && screen === undefined && <Alone room={snapshot.room} />}
    </>
  );
}

function arrange(main: TileModel | undefined, count: number, size: Size, wide: boolean): StageLayout {
  if (!main) return gridLayout(count, size, wide);
  const free = { min: 0.5, max: 3 };
  return spotlightLayout(count, size, main.kind === 'screen' ? free : tileRatio(size, wide));
}

/** The tiles in the order of their places, which they keep. */
function useSeated(tiles: readonly TileModel[]): readonly TileModel[] {
  const [before, setBefore] = useState<readonly string[]>([]);
  const order = keepPlaces(
    before,
    tiles.map(({ id }) => id),
  );
  if (order.join(' ') !== before.join(' ')) setBefore(order);
  const byId = new Map(tiles.map((tile) => [tile.id, tile]));
  return order.flatMap((id) => byId.get(id) ?? []);
}

/** Who is large: whoever spoke last; before anybody did, the first one. */
function useSpotlight(call: Call): string | undefined {
  const [spotlight, setSpotlight] = useState<Spotlight>();
  useEffect(
    () =>
      call.on('change', ({ people }) => {
        const voices = people
          .filter(({ role }) => role !== 'viewer')
          .map(({ peerId, level }) => ({ id: peerId, level }));
        setSpotlight((current) => nextSpotlight(current, voices, performance.now()));
      }),
    [call],
  );
  return spotlight?.id;
}

/** The page, kept in range while people leave. */
function usePage(pages: number): readonly [number, (page: number) => void] {
  const [page, setPage] = useState(0);
  return [Math.max(0, Math.min(page, pages - 1)), setPage];
}

interface PagerProps {
  readonly page: number;
  readonly pages: number;
  readonly turn: (page: number) => void;
}

function Pager({ page, pages, turn }: PagerProps): ReactElement {
  return (
    <div className={cx(styles.pager)}>
      <IconAct icon={ChevronLeft} label={t('stage.previous')} isDisabled={page === 0} onPress={() => turn(page - 1)} />
      <span aria-live="polite">{t('stage.page', { page: page + 1, pages })}</span>
      <IconAct
        icon={ChevronRight}
        label={t('stage.next')}
        isDisabled={page === pages - 1}
        onPress={() => turn(page + 1)}
      />
    </div>
  );
}
