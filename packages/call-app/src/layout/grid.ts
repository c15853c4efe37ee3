/**
 * Where tiles of one kind go in a rectangle: the number of columns that makes them largest, the last row in the middle.
 *
 * Pure, in CSS pixels. `ratio` is width over height, a range: on a desktop both ends are the same, on a phone tiles
 * stretch to use the height. Who sits at which place is `places.ts`.
 */
export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Box extends Size {
  readonly x: number;
  readonly y: number;
}

export interface Ratio {
  readonly min: number;
  readonly max: number;
}

export interface Grid extends Size {
  readonly columns: number;
  readonly rows: number;
}

/** The largest tile of a ratio in the range that fits a cell. */
export function fit(cell: Size, ratio: Ratio): Size {
  const shape = cell.width / Math.max(cell.height, 1e-9);
  if (shape > ratio.max) return { width: cell.height * ratio.max, height: cell.height };
  if (shape < ratio.min) return { width: cell.width, height: cell.width / ratio.min };
  return cell;
}

function gridOf(columns: number, count: number, area: Size, ratio: Ratio, gap: number): Grid {
  const rows = Math.ceil(count / columns);
  const cell = {
    width: Math.max(0, (area.width - gap * (columns - 1)) / columns),
    height: Math.max(0, (area.height - gap * (rows - 1)) / rows),
  };
  return { columns, rows, ...fit(cell, ratio) };
}

/** Of all numbers of columns the one with the largest tiles; between equals the one with the fewest empty places. */
export function bestGrid(count: number, area: Size, ratio: Ratio, gap: number, maxColumns = count): Grid {
  let best = gridOf(1, Math.max(count, 1), area, ratio, gap);
  for (let columns = 2; columns <= Math.min(count, maxColumns); columns++) {
    const grid = gridOf(columns, count, area, ratio, gap);
    const larger = grid.width * grid.height - best.width * best.height;
    const fuller = best.columns * best.rows - grid.columns * grid.rows;
    if (larger > 0.5 || (larger > -0.5 && fuller > 0)) best = grid;
  }
  return best;
}

/** The boxes of `count` tiles, left to right and down, centred as a whole, the last row centred by itself. */
export function gridBoxes(count: number, area: Size, ratio: Ratio, gap: number, maxColumns?: number): Box[] {
  const grid = bestGrid(count, area, ratio, gap, maxColumns);
  const top = (area.height - (grid.rows * grid.height + (grid.rows - 1) * gap)) / 2;
  return Array.from({ length: count }, (_, place) => {
    const row = Math.floor(place / grid.columns);
    const column = place % grid.columns;
    const inRow = Math.min(grid.columns, count - row * grid.columns);
    const left = (area.width - (inRow * grid.width + (inRow - 1) * gap)) / 2;
    return {
      x: left + column * (grid.width + gap),
      y: top + row * (grid.height + gap),
      width: grid.width,
      height: grid.height,
    };
  });
}
