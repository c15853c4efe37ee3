/** Lines over time, or a share of people over delay, as one SVG. Colours and type come from the page. Pure. */
import { escaped, short } from './text.ts';

export interface Line {
  readonly label: string;
  /** `[x, y]`, ascending x. */
  readonly points: readonly (readonly [number, number])[];
}

export interface PlotOptions {
  readonly title: string;
  readonly unit: string;
  readonly x: string;
  readonly lines: readonly Line[];
  /** Of x, for marks on the axis. */
  readonly xText?: (value: number) => string;
  /** A goal that is shown as a line across: on y, or on x. */
  readonly goal?: { readonly on: 'x' | 'y'; readonly at: number; readonly label: string };
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [560, 220, 52, 12, 28, 34];

/** A round number of at least this. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return [1, 2, 2.5, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

/** Nothing where there is nothing to draw. */
export function plot({ title, unit, x, lines, xText = short, goal }: PlotOptions): string {
  const points = lines.flatMap((line) => line.points);
  // A line of one point cannot be seen.
  if (!lines.some((line) => line.points.length > 1)) return '';
  const xs = points.map(([value]) => value);
  const xMax = Math.max(...xs, goal?.on === 'x' ? goal.at : 0) || 1;
  const yMax = ceiling(Math.max(...points.map(([, value]) => value), goal?.on === 'y' ? goal.at : 0) || 1);
  const atX = (value: number): number => LEFT + (value / xMax) * (WIDTH - LEFT - RIGHT);
  const atY = (value: number): number => HEIGHT - BOTTOM - (value / yMax) * (HEIGHT - TOP - BOTTOM);
  const paths = lines.map(({ points: of, label }, n) => {
    const d = of.map(([a, b], at) => `${at === 0 ? 'M' : 'L'}${atX(a).toFixed(1)},${atY(b).toFixed(1)}`).join('');
    return `<path class="line l${n}" d="${d}"><title>${escaped(label)}</title></path>`;
  });
  const rules = [0, 0.5, 1].map((share) => {
    const y = atY(share * yMax);
    return `<line class="rule" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/><text class="end" x="${LEFT - 6}" y="${y + 4}">${short(share * yMax)}</text>`;
  });
  const marks = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<text class="${share === 1 ? 'end' : 'middle'}" x="${atX(share * xMax)}" y="${HEIGHT - BOTTOM + 16}">${escaped(xText(share * xMax))}</text>`,
  );
  const names = lines.length < 2 ? [] : lines.map(({ label }, n) => `<span class="key k${n}">${escaped(label)}</span>`);
  const last = lines
    .map(({ label, points: of }) => `${label} ${short(Math.max(...of.map(([, value]) => value)))}`)
    .join(', ');
  return `<figure><figcaption>${escaped(title)}, ${escaped(unit)} ${names.join(' ')}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(`${title}, ${unit}; at most ${last}`)}">
${rules.join('')}${marks.join('')}<text class="middle" x="${WIDTH / 2}" y="${HEIGHT - 4}">${escaped(x)}</text>${goalLine()}${paths.join('\n')}</svg></figure>`;

  function goalLine(): string {
    if (!goal) return '';
    const text = escaped(goal.label);
    if (goal.on === 'y') {
      return `<line class="goal" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${atY(goal.at)}" y2="${atY(goal.at)}"/><text x="${LEFT + 4}" y="${atY(goal.at) - 4}">${text}</text>`;
    }
    return `<line class="goal" x1="${atX(goal.at)}" x2="${atX(goal.at)}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text class="end" x="${atX(goal.at) - 4}" y="${TOP + 10}">${text}</text>`;
  }
}
