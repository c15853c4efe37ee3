/** Regions of a lab, as far apart as the real ones of the same names: packages/topology/optimum/region-rtt.csv, measured. */
import type { Lab } from '@veilcast/testkit/lab';
import { NAMES, rttMs } from '@veilcast/topology/world';

/**
 * ms one way. The table has round trips from connecting by TCP; its diagonal is what that costs within a region, which is no
 * distance.
 */
export function oneWayMs(from: string, to: string): number {
  const [there, atFrom, atTo] = [`${from}>${to}`, `${from}>${from}`, `${to}>${to}`].map((pair) => rttMs.get(pair));
  if (there === undefined || atFrom === undefined || atTo === undefined)
    throw new RangeError(`no such region as ${from} or ${to}; there are: ${NAMES.join(', ')}`);
  return from === to ? 0 : Math.max(0, (there - (atFrom + atTo) / 2) / 2);
}

/** Gives each pair of regions its own delay, or, where something is said, that as well. */
export async function setApart(lab: Lab, regions: readonly string[]): Promise<void> {
  for (const from of regions)
    for (const to of regions)
      if (from !== to) {
        const link = await lab.link(lab.region(from), lab.region(to));
        await link.set({ delayMs: oneWayMs(from, to) });
      }
}
