/**
 * Where regions and nodes stand on the map, and how a Pipe bends between them. Pure: from names to coordinates, the same
 * each second, so that nothing jumps. Regions stand from west to east where their place on earth is known by name.
 */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface RegionSpot extends Point {
  readonly region: string;
  readonly radius: number;
}

export interface NodeSpot extends Point {
  readonly nodeId: string;
  readonly region: string;
  readonly radius: number;
}

export const MAP = { width: 1200, height: 600 } as const;
/** What stands under a node: its name and state. */
const LABEL = 44;
/** What stands above a region: its name. */
const ABOVE = 40;

/** Longitudes, so that west is left: cloud regions by prefix, and the short names of development. */
const LONGITUDES: readonly (readonly [string, number])[] = [
  ['us-west', -122],
  ['us', -80],
  ['ca', -74],
  ['sa', -47],
  ['eu-west', -3],
  ['eu', 10],
  ['af', 18],
  ['me', 55],
  ['ap-south-', 73],
  ['ap-southeast', 110],
  ['ap-east', 114],
  ['ap', 130],
];

function longitude(region: string): number {
  return LONGITUDES.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 181;
}

/** West to east; unknown ones after, by name. */
export function inOrder(regions: readonly string[]): string[] {
  return [...new Set(regions)].sort((a, b) => longitude(a) - longitude(b) || a.localeCompare(b));
}

/** One line up to three; beyond, a zigzag, so that lines between neighbours do not cross a third. */
export function placeRegions(regions: readonly string[]): RegionSpot[] {
  const order = inOrder(regions);
  const step = MAP.width / Math.max(order.length, 1);
  const zigzag = order.length > 3;
  const radius = Math.min(zigzag ? MAP.height * 0.24 : MAP.height * 0.4, step * (zigzag ? 0.78 : 0.36));
  return order.map((region, place) => ({
    region,
    radius,
    x: Math.min(MAP.width - radius, Math.max(radius, step * (place + 0.5))),
    y: zigzag ? (place % 2 === 0 ? radius : MAP.height - radius) : MAP.height / 2,
  }));
}

/** The part of the map that holds the regions. */
export function frame(regions: readonly RegionSpot[]): string {
  const top = Math.min(...regions.map(({ y, radius }) => y - radius));
  const bottom = Math.max(...regions.map(({ y, radius }) => y + radius));
  return `-8 ${(top - ABOVE).toFixed(0)} ${MAP.width + 16} ${(bottom - top + ABOVE + 8).toFixed(0)}`;
}

/** One node in the middle, more on a ring, by name. */
export function placeNodes(spot: RegionSpot, nodes: readonly string[]): NodeSpot[] {
  const order = [...nodes].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const count = order.length;
  const ring = count === 1 ? 0 : spot.radius * 0.52;
  const apart = count === 1 ? spot.radius * 1.1 : 2 * ring * Math.sin(Math.PI / count);
  const radius = Math.max(6, Math.min(46, apart / 2 - (count > 6 ? 4 : LABEL / 2), spot.radius * 0.36));
  return order.map((nodeId, place) => {
    // From the top clockwise: two stand above each other and leave the sides to the lines.
    const angle = -Math.PI / 2 + (2 * Math.PI * place) / count;
    return {
      nodeId,
      region: spot.region,
      radius,
      x: spot.x + ring * Math.cos(angle),
      // A little up, so that the lowest one's name is inside too.
      y: spot.y + ring * Math.sin(angle) - spot.radius * 0.08,
    };
  });
}

export interface Arc {
  readonly path: string;
  /** Where its label stands. */
  readonly label: Point;
}

/** From rim to rim, bent to the right of its direction, so that the two directions of a pair stand apart. */
export function arc(from: NodeSpot, to: NodeSpot): Arc {
  const length = Math.hypot(to.x - from.x, to.y - from.y);
  if (length < 1) return { path: '', label: from };
  const along = { x: (to.x - from.x) / length, y: (to.y - from.y) / length };
  const aside = { x: -along.y, y: along.x };
  const bend = Math.min(90, length * 0.22);
  const middle = { x: (from.x + to.x) / 2 + aside.x * bend, y: (from.y + to.y) / 2 + aside.y * bend };
  const start = rim(from, middle, 6);
  const end = rim(to, middle, 12);
  const label = {
    x: (start.x + end.x) / 4 + middle.x / 2,
    y: (start.y + end.y) / 4 + middle.y / 2,
  };
  return { path: `M${point(start)} Q${point(middle)} ${point(end)}`, label };
}

function rim(node: NodeSpot, toward: Point, gap: number): Point {
  const length = Math.max(1, Math.hypot(toward.x - node.x, toward.y - node.y));
  const out = node.radius + gap;
  return { x: node.x + ((toward.x - node.x) / length) * out, y: node.y + ((toward.y - node.y) / length) * out };
}

function point({ x, y }: Point): string {
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

/** One of `count` equal parts of a ring, with a small gap, from the top clockwise. */
export function segment(at: Point, radius: number, place: number, count: number): string {
  // Also a single one is not a whole circle: an arc that ends where it begins is not drawn.
  const gap = count === 1 ? 0.02 : Math.min(0.16, 1.2 / count);
  const from = -Math.PI / 2 + (2 * Math.PI * place) / count + gap / 2;
  const to = -Math.PI / 2 + (2 * Math.PI * (place + 1)) / count - gap / 2;
  const on = (angle: number): string =>
    point({ x: at.x + radius * Math.cos(angle), y: at.y + radius * Math.sin(angle) });
  return `M${on(from)} A${radius} ${radius} 0 ${to - from > Math.PI ? 1 : 0} 1 ${on(to)}`;
}
