/** One person, or one shared screen: picture or initials, name, microphone, hand, and in words why there is no picture. */
import { cx } from '@veilcast/design';
import { Hand, LoaderCircle, Lock, LockOpen, MicOff, MonitorUp } from 'lucide-react';
import { memo, useCallback, useRef, type CSSProperties, type ReactElement } from 'react';
import type { Box } from '../layout/grid.ts';
import { hue, initials } from '../look/identity.ts';
import { t } from '../words/words.ts';
import { useLasting, useLevel } from './hooks.ts';
import styles from './Tile.module.css';
import type { TileWatch } from './tile-watch.ts';
import type { TileModel } from './tiles.ts';
import { Video } from './Video.tsx';

export interface TileProps {
  readonly tile: TileModel;
  readonly box: Box;
  readonly watch: TileWatch;
  /** Keys are being agreed: the reason why a picture waits. */
  readonly keying: boolean;
  readonly microphone?: MediaStreamTrack | undefined;
  /** The one that everything else makes way for: its picture comes however full the Room is. */
  readonly main?: boolean;
  /** Shown whole, with bars, instead of filling the tile. */
  readonly whole?: boolean;
}

export function tileName(tile: TileModel): string {
  const name = tile.name === '' ? t('stage.unnamed') : tile.name;
  if (tile.kind === 'screen') return t('stage.screenOf', { name });
  if (!tile.self) return name;
  return tile.name === '' ? t('stage.you') : t('stage.youNamed', { name });
}

function reason(tile: TileModel, keying: boolean): string | undefined {
  if (tile.lock === 'failed') return t('stage.undecryptable');
  if (tile.state === 'frozen') return t('stage.frozen');
  if (tile.state !== 'waiting') return undefined;
  return keying ? t('stage.keys') : t('stage.waiting');
}

function same(a: TileProps, b: TileProps): boolean {
  return (
    shallowEqual(a.tile, b.tile) &&
    shallowEqual(a.box, b.box) &&
    a.watch === b.watch &&
    a.keying === b.keying &&
    a.microphone === b.microphone &&
    a.whole === b.whole &&
    a.main === b.main
  );
}

function shallowEqual<T extends object>(a: T, b: T): boolean {
  return (Object.keys(a) as (keyof T)[]).every((key) => Object.is(a[key], b[key]));
}

export const Tile = memo(function Tile({
  tile,
  box,
  watch,
  keying,
  microphone,
  whole = false,
  main = false,
}: TileProps): ReactElement {
  const root = useRef<HTMLLIElement>(null);
  const { producerId } = tile;
  useLevel(microphone, root);
  const watched = useCallback(
    (element: HTMLDivElement) => (producerId === undefined ? undefined : watch.watch(element, producerId, main)),
    [watch, producerId, main],
  );
  const words = reason(tile, keying);
  const slow = useLasting(words !== undefined);
  const small = Math.min(box.width, box.height) < 110;
  const style = {
    transform: `translate(${Math.round(box.x)}px, ${Math.round(box.y)}px)`,
    width: Math.round(box.width),
    height: Math.round(box.height),
    '--hue': hue(tile.peerId),
    ...(microphone ? {} : { '--level': tile.level.toFixed(2) }),
  } as CSSProperties;
  return (
    <li
      ref={root}
      className={cx(styles.tile, small && styles.small)}
      style={style}
      data-testid={tile.kind === 'person' ? 'tile' : 'screen'}
      data-name={tile.name}
      data-peer={tile.peerId}
      data-video={tile.state}
      data-e2ee={tile.lock}
      data-self={tile.self ? '' : undefined}
    >
      <div ref={watched} className={styles.picture}>
        <Face tile={tile} />
        {tile.video && tile.state !== 'muted' && (
          <Video
            track={tile.video}
            className={cx(
              styles.video,
              (whole || tile.kind === 'screen') && styles.whole,
              tile.self && styles.mirrored,
              // What was last decoded says nothing of what comes now.
              (tile.state === 'waiting' || tile.lock === 'failed') && styles.unseen,
              tile.state === 'frozen' && styles.frozen,
            )}
          />
        )}
        {slow && words !== undefined && (
          <p className={cx(styles.reason, tile.lock === 'failed' && styles.bad)}>
            {tile.lock === 'failed' && <LockOpen size={16} strokeWidth={1.75} aria-hidden />}
            {words}
          </p>
        )}
      </div>
      {tile.hand && <HandSign />}
      <Caption tile={tile} small={small} />
      {tile.kind === 'person' && <span className={styles.ring} aria-hidden />}
    </li>
  );
}, same);

function Face({ tile }: { readonly tile: TileModel }): ReactElement {
  const letters = initials(tile.name);
  return (
    <div className={styles.face} aria-hidden>
      <span className={styles.initials}>{letters === '' ? '·' : letters}</span>
    </div>
  );
}

const LOCKS = { encrypted: Lock, waiting: LoaderCircle, failed: LockOpen } as const;

function TileLock({ lock }: Pick<TileModel, 'lock'>): ReactElement | undefined {
  if (lock === undefined) return undefined;
  const Icon = LOCKS[lock];
  const words = { encrypted: t('stage.locked'), waiting: t('stage.keys'), failed: t('stage.undecryptable') }[lock];
  return (
    <>
      <Icon size={14} strokeWidth={2} aria-hidden className={cx(styles.lock, lock === 'failed' && styles.lockBad)} />
      <span className="visually-hidden">{words}</span>
    </>
  );
}

function HandSign(): ReactElement {
  return (
    <span className={styles.hand}>
      <Hand size={16} strokeWidth={1.75} aria-hidden />
      <span className={styles.handWords}>{t('stage.hand')}</span>
    </span>
  );
}

function Caption({ tile, small }: { readonly tile: TileModel; readonly small: boolean }): ReactElement {
  return (
    <div className={styles.caption}>
      {tile.kind === 'screen' && <MonitorUp size={16} strokeWidth={1.75} aria-hidden />}
      {tile.kind === 'person' &&
        (tile.microphone ? (
          <span className={styles.voice} aria-hidden />
        ) : (
          <>
            <MicOff size={16} strokeWidth={1.75} aria-hidden />
            <span className="visually-hidden">{t('stage.muted')}</span>
          </>
        ))}
      {!(small && tile.lock === 'encrypted') && <TileLock lock={tile.lock} />}
      <bdi className={styles.name}>{small && tile.self ? t('stage.you') : tileName(tile)}</bdi>
    </div>
  );
}
