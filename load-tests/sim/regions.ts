/** The eighteen regions: how far from each other (measured, packages/topology/optimum/region-rtt.csv) and where on earth (regions.csv). */
import { readFileSync } from 'node:fs';
import type { RegionId } from '@veilcast/protocol';
import { NAMES, rttMs } from '../../packages/topology/optimum/world.ts';

export const REGIONS = NAMES as readonly RegionId[];

/** By Region, `[latitude, longitude]`, degrees. */
export const PLACES: ReadonlyMap<string, readonly [number, number]> = new Map(
  readFileSync(new URL('regions.csv', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => {
      const [name = '', latitude, longitude] = line.split(',');
      return [name, [Number(latitude), Number(longitude)]] as const;
    }),
);

/** One way inside a Region, ms: as the planner has it (topology's sites.ts). */
export const INSIDE_MS = 0.25;

/** Round trips for the planner, `from>to`, without the table's diagonal, which is no distance. */
export const ROUND_TRIPS: ReadonlyMap<string, number> = new Map(
  [...rttMs].filter(([pair]) => {
    const [from, to] = pair.split('>');
    return from !== to;
  }),
);

/** One way between two Regions, ms: half of the round trip, less what the end points themselves took (the diagonal). */
export function oneWay(from: string, to: string): number {
  if (from === to) return INSIDE_MS;
  const trip = rttMs.get(`${from}>${to}`) ?? rttMs.get(`${to}>${from}`);
  if (trip === undefined) throw new RangeError(`no round trip from ${from} to ${to}`);
  const ends = ((rttMs.get(`${from}>${from}`) ?? 0) + (rttMs.get(`${to}>${to}`) ?? 0)) / 2;
  return Math.max(INSIDE_MS, (trip - ends) / 2);
}
