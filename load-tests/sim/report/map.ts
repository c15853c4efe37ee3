/** Where people are, and which way media goes round the world: land, a circle a Region, an arc a pair of Regions with Pipes. */
import { geoNaturalEarth1, geoPath } from 'd3-geo';
import { feature } from 'topojson-client';
import type { GeometryCollection, Topology } from 'topojson-specification';
import atlas from 'world-atlas/land-110m.json' with { type: 'json' };
import type { Link, RegionFound } from '../result.ts';
import { PLACES } from '../regions.ts';
import { escaped, short } from '@veilcast/cli/report';

const [WIDTH, HEIGHT] = [1_000, 500];
/** Of the Region with the most people. */
const RADIUS = 26;

type Land = Topology<{ land: GeometryCollection }>;

export function worldMap(regions: readonly RegionFound[], links: readonly Link[], origin: string): string {
  const land = atlas as unknown as Land;
  const projection = geoNaturalEarth1().fitExtent(
    [
      [4, 4],
      [WIDTH - 4, HEIGHT - 4],
    ],
    { type: 'Sphere' },
  );
  const path = geoPath(projection).digits(1);
  const most = Math.max(1, ...regions.map(({ viewers }) => viewers));
  const arcs = links.flatMap(({ from, to, pipes }) => {
    const [a, b] = [PLACES.get(from), PLACES.get(to)];
    if (!a || !b || from === to) return [];
    const coordinates = [a, b].map(([latitude, longitude]) => [longitude, latitude]);
    return [
      `<path class="arc" d="${path({ type: 'LineString', coordinates }) ?? ''}"><title>${escaped(`${from} to ${to}: ${pipes} Pipes`)}</title></path>`,
    ];
  });
  const circles = regions.map(({ region, viewers, workers, nodes, lost, wayMs }) => {
    const [latitude, longitude] = PLACES.get(region) ?? [0, 0];
    const [x = 0, y = 0] = projection([longitude, latitude]) ?? [];
    const radius = lost ? 7 : Math.max(3, RADIUS * Math.sqrt(viewers / most));
    const kind = lost ? 'lost' : region === origin ? 'origin' : 'region';
    const told = lost
      ? `${region}: lost`
      : `${region}: ${viewers.toLocaleString('en')} viewers, ${nodes} Nodes, ${workers} Workers in use, ${short(wayMs)} ms from the publisher's`;
    const cross = lost ? `<path class="cross" d="M${x - 5},${y - 5}l10,10m0,-10l-10,10"/>` : '';
    return `<g><circle class="${kind}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${radius.toFixed(1)}"><title>${escaped(told)}</title></circle>${cross}</g>`;
  });
  return `<svg class="map" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Map of the world with ${regions.length} Regions and the Pipes between them" data-testid="map">
<path class="land" d="${path(feature(land, land.objects.land)) ?? ''}"/>${arcs.join('')}${circles.join('')}</svg>
<p class="quiet"><span class="dot region"></span> a Region, area by its viewers · <span class="dot origin"></span> the host's · <span class="dot lost"></span> crossed: lost · arcs are Pipes between Regions, read off the last Plan</p>`;
}
