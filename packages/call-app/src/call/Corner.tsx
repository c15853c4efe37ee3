/** One's own picture on a phone: in a corner of the stage, moved by dragging or with the arrow keys. */
import { useRef, useState, type KeyboardEvent, type PointerEvent, type ReactElement } from 'react';
import type { Size } from '../layout/grid.ts';
import type { DeviceState } from '../media/local.ts';
import { t } from '../words/words.ts';
import styles from './Corner.module.css';
import { Tile } from './Tile.tsx';
import type { TileWatch } from './tile-watch.ts';
import type { TileModel } from './tiles.ts';

const LARGE = { width: 96, height: 128 };
const SMALL = { width: 72, height: 96 };
const MARGIN = 8;

interface CornerProps {
  readonly tile: TileModel;
  readonly watch: TileWatch;
  readonly microphone: DeviceState;
  /** The part of the stage in whose corners it stands. */
  readonly stage: Size;
  /** With more people there is less room. */
  readonly small: boolean;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

export function Corner({ tile, watch, microphone, stage, small }: CornerProps): ReactElement {
  const { width, height } = small ? SMALL : LARGE;
  const [side, setSide] = useState({ right: true, bottom: true });
  const [drag, setDrag] = useState<Point>();
  const from = useRef<Point>({ x: 0, y: 0 });
  const home = {
    x: side.right ? stage.width - width - MARGIN : MARGIN,
    y: side.bottom ? stage.height - height - MARGIN : MARGIN,
  };
  const at = drag ? { x: home.x + drag.x, y: home.y + drag.y } : home;
  const down = (event: PointerEvent<HTMLElement>): void => {
    event.currentTarget.setPointerCapture(event.pointerId);
    from.current = { x: event.clientX, y: event.clientY };
    setDrag({ x: 0, y: 0 });
  };
  const move = (event: PointerEvent<HTMLElement>): void => {
    if (drag) setDrag({ x: event.clientX - from.current.x, y: event.clientY - from.current.y });
  };
  const drop = (): void => {
    setSide({ right: at.x + width / 2 > stage.width / 2, bottom: at.y + height / 2 > stage.height / 2 });
    setDrag(undefined);
  };
  const key = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowLeft') setSide({ ...side, right: false });
    else if (event.key === 'ArrowRight') setSide({ ...side, right: true });
    else if (event.key === 'ArrowUp') setSide({ ...side, bottom: false });
    else if (event.key === 'ArrowDown') setSide({ ...side, bottom: true });
    else return;
    event.preventDefault();
  };
  return (
    <div className={styles.layer}>
      <ul
        className={styles.tile}
        style={drag ? { transform: `translate(${drag.x}px, ${drag.y}px)` } : undefined}
        aria-label={t('stage.you')}
      >
        <Tile
          tile={tile}
          box={{ ...home, width, height }}
          watch={watch}
          keying={false}
          microphone={microphone.on ? microphone.track : undefined}
        />
      </ul>
      <button
        type="button"
        className={styles.grip}
        style={{ transform: `translate(${at.x}px, ${at.y}px)`, width, height }}
        aria-label={t('stage.corner')}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={drop}
        onPointerCancel={drop}
        onKeyDown={key}
      />
    </div>
  );
}
