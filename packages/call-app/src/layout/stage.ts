/**
 * The layouts of the stage: everybody alike, or one large (a speaker, a shared screen) with the others in a strip.
 *
 * Pure: from counts and sizes to boxes. Every number is CSS pixels.
 */
import { fit, gridBoxes, type Box, type Ratio, type Size } from './grid.ts';

export const GAP = 8;
/** Below this width a stage is a phone's: two columns, tiles that stretch, the own picture in a corner. */
export const PHONE = 600;
/** More tiles than this on one page are too small to read a face from. */
const PAGE_MAX = 25;
const PHONE_PAGE_MAX = 8;

/** What the count of those without a place takes: of the height of a standing strip, of the width of a lying one. */
const MORE = { width: 76, height: 36 };

export interface StageLayout {
  /** The large tile, when there is one. */
  readonly main: Box | undefined;
  /** The other tiles that fit, in order. */
  readonly tiles: readonly Box[];
  /** How many of the others have no place on this page or in the strip. */
  readonly hidden: number;
  /** Where the strip says how many that is. */
  readonly more: Box | undefined;
}

export function isPhone(area: Size): boolean {
  return area.width < PHONE;
}

export function pageSize(area: Size): number {
  return isPhone(area) ? PHONE_PAGE_MAX : PAGE_MAX;
}

/** Tiles on a desktop have the shape of most cameras; on a phone they take what is there. */
export function tileRatio(area: Size, wide: boolean): Ratio {
  if (isPhone(area)) return { min: 0.5, max: 16 / 9 };
  const ratio = wide ? 16 / 9 : 4 / 3;
  return { min: ratio, max: ratio };
}

export function gridLayout(count: number, area: Size, wide: boolean): StageLayout {
  const shown = Math.min(count, pageSize(area));
  const tiles = gridBoxes(
    shown,
    area,
    tileRatio(area, wide),
    GAP,
    isPhone(area) && area.height > area.width ? 2 : undefined,
  );
  return { main: undefined, tiles, hidden: count - shown, more: undefined };
}

/** One large tile; the strip stands at its right on a wide stage and lies below it on a tall one. */
export function spotlightLayout(others: number, area: Size, main: Ratio): StageLayout {
  if (others === 0) return { main: centred({ x: 0, y: 0, ...area }, main), tiles: [], hidden: 0, more: undefined };
  return area.width > area.height * 1.2 ? besides(others, area, main) : below(others, area, main);
}

/** How many of `count` things of one length, with gaps, fit into a length; at least one. */
function fitting(length: number, one: number): number {
  return Math.max(1, Math.floor((length + GAP) / (one + GAP)));
}

function besides(others: number, area: Size, ratio: Ratio): StageLayout {
  const width = Math.min(240, Math.max(140, area.width * 0.18));
  const height = (width * 9) / 16;
  const all = others <= fitting(area.height, height);
  const free = all ? area.height : area.height - MORE.height;
  const shown = Math.min(others, fitting(free, height));
  const top = Math.max(0, (free - (shown * (height + GAP) - GAP)) / 2);
  const x = area.width - width;
  const tiles = Array.from({ length: shown }, (_, i) => ({ x, y: top + i * (height + GAP), width, height }));
  const main = centred({ x: 0, y: 0, width: area.width - width - GAP, height: area.height }, ratio);
  const more = all ? undefined : { x, y: top + shown * (height + GAP), width, height: MORE.height - GAP };
  return { main, tiles, hidden: others - shown, more };
}

function below(others: number, area: Size, ratio: Ratio): StageLayout {
  const height = Math.min(112, Math.max(72, area.height * 0.14));
  const width = (height * 4) / 3;
  const all = others <= fitting(area.width, width);
  const free = all ? area.width : area.width - MORE.width;
  const shown = Math.min(others, fitting(free, width));
  const left = Math.max(0, (free - (shown * (width + GAP) - GAP)) / 2);
  const y = area.height - height;
  const tiles = Array.from({ length: shown }, (_, i) => ({ x: left + i * (width + GAP), y, width, height }));
  const main = centred({ x: 0, y: 0, width: area.width, height: area.height - height - GAP }, ratio);
  const more = all ? undefined : { x: area.width - MORE.width + GAP, y, width: MORE.width - GAP, height };
  return { main, tiles, hidden: others - shown, more };
}

function centred(area: Box, ratio: Ratio): Box {
  const size = fit(area, ratio);
  return { ...size, x: area.x + (area.width - size.width) / 2, y: area.y + (area.height - size.height) / 2 };
}
